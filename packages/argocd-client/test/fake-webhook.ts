import { createHmac } from 'node:crypto';
import type { RecordedRequest } from './fake-argo-cd.ts';

/** What Argo CD makes of a webhook call: affectedRevisionInfo of util/webhook/webhook.go. */
export interface ReceivedWebhook {
  readonly provider: string;
  readonly webURLs: readonly string[];
  readonly revision: string;
  readonly commit: string;
  readonly paths: readonly string[];
  readonly bytes: number;
}

interface Payload {
  readonly ref?: string;
  readonly after?: string;
  readonly repository?: {
    readonly html_url?: string;
    readonly links?: { readonly clone?: readonly { readonly name?: string; readonly href?: string }[] };
  };
  readonly project?: { readonly web_url?: string };
  readonly commits?: readonly Readonly<Record<'added' | 'modified' | 'removed', readonly string[]>>[];
  readonly changes?: readonly { readonly ref: { readonly id: string }; readonly toHash: string }[];
}

/** The call, or the status that refuses it. The order of the headers is that of the parsers in webhook.go. */
export function readWebhook(
  { headers, body, method }: RecordedRequest,
  secret: string | undefined,
): ReceivedWebhook | number {
  const hmac = secret === undefined ? undefined : createHmac('sha256', secret).update(body).digest('hex');
  const isSigned = (header: string, prefix: string) => hmac === undefined || headers[header] === prefix + hmac;
  if (method !== 'POST') return 405;
  const payload = JSON.parse(body) as Payload;
  const paths = (payload.commits ?? []).flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]);
  const pushed = {
    revision: stripRef(payload.ref),
    commit: payload.after ?? '',
    paths,
    bytes: Buffer.byteLength(body),
  };
  const { html_url = '', links } = payload.repository ?? {};
  if (headers['x-gogs-event'] !== undefined) {
    if (headers['x-gogs-event'] !== 'push' || !isSigned('x-gogs-signature', '')) return 400;
    return { provider: 'gogs', webURLs: [html_url], ...pushed };
  }
  if (headers['x-github-event'] !== undefined) {
    if (headers['x-github-event'] !== 'push' || !isSigned('x-hub-signature-256', 'sha256=')) return 400;
    return { provider: 'github', webURLs: [html_url], ...pushed };
  }
  if (headers['x-gitlab-event'] !== undefined) {
    const isKnown = secret === undefined || headers['x-gitlab-token'] === secret;
    if (headers['x-gitlab-event'] !== 'Push Hook' || !isKnown) return 400;
    return { provider: 'gitlab', webURLs: [payload.project?.web_url ?? ''], ...pushed };
  }
  if (headers['x-event-key'] !== undefined) {
    if (headers['x-event-key'] !== 'repo:refs_changed' || !isSigned('x-hub-signature', 'sha256=')) return 400;
    const [change] = payload.changes ?? [];
    return {
      provider: 'bitbucket-server',
      webURLs: (links?.clone ?? []).flatMap(({ href }) => href ?? []),
      revision: stripRef(change?.ref.id),
      commit: change?.toHash ?? '',
      paths: [],
      bytes: pushed.bytes,
    };
  }
  return 400;
}

function stripRef(ref = ''): string {
  return ref.replace(/^refs\/heads\//, '');
}
