import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Testbed } from '../src/index.ts';

/** Asks Argo CD's REST API as its administrator. */
export type ArgocdSession = (path: string) => Promise<unknown>;

export async function signIn({ argocd, caFile }: Testbed): Promise<ArgocdSession> {
  const ca = readFileSync(caFile);
  const call = (path: string, token?: string, body?: object) =>
    new Promise<unknown>((resolve, reject) => {
      const options = {
        ca,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        agent: false,
      };
      const sent = request(new URL(path, argocd.url), options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text));
          else reject(new Error(`${path} answered ${response.statusCode}: ${text}`));
        });
      });
      sent.once('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  const { username, password } = argocd;
  const { token } = (await call('/api/v1/session', undefined, { username, password })) as { readonly token: string };
  return (path) => call(path, token);
}
