import { CaelusError, type CallOptions } from '@caelus/core';
import createClient, { type Client } from 'openapi-fetch';
import { answerInvalid } from './argo-cd-errors.ts';
import type { components, paths } from './generated/argo-cd-api.ts';
import type { Transport } from './transport.ts';

/** Every type of Argo CD's API that this package knows, by name: `ArgoCdSchemas['Application']`. */
export type ArgoCdSchemas = components['schemas'];

/** The paths of `openapi/argo-cd.yaml`, typed. */
export interface Api extends Client<paths> {
  readonly server: string;
  readonly transport: Transport;
}

export function createApi(server: string, transport: Transport): Api {
  const client = createClient<paths>({ baseUrl: server, pathSerializer: toPath });
  return { ...client, server, transport };
}

/** What openapi-fetch takes of the options of a call. The signal goes around its `Request`, which would lose it. */
export function callOf({ transport }: Api, { signal }: CallOptions): { fetch(request: Request): Promise<Response> } {
  return { fetch: (request) => transport(request, signal) };
}

/** The content of an answer. @throws {CaelusError} `ARGOCD_ANSWER_INVALID` */
export async function contentOf<T>(
  { server }: Api,
  call: Promise<{ readonly data?: T; readonly response: Response }>,
): Promise<NonNullable<T>> {
  const { data, response } = await call.catch((error: unknown) => {
    if (!(error instanceof SyntaxError)) throw error;
    // Without its message, which quotes the answer.
    throw answerInvalid({ server, operation: 'read' }, 200, 'It is no JSON.');
  });
  if (typeof data === 'object' && data !== null) return data;
  throw answerInvalid({ server, operation: 'read' }, response.status, 'It has no content.');
}

/** The generated types know no read-only lists, because openapi-fetch's own do not. */
type Writable<T> = T extends readonly (infer Item)[] ? Item[] : T;
type Present<T> = { [Key in keyof T]?: Writable<Exclude<T[Key], undefined>> };

/** Leaves out what is not there, which the types of openapi-fetch insist on. */
export function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Present<T>;
}

function toPath(template: string, parameters: Record<string, unknown>): string {
  return template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => toSegment(name, String(parameters[name])));
}

/** A name that is `..` would lead to another path. */
function toSegment(name: string, value: string): string {
  try {
    if (!['', '.', '..'].includes(value)) return encodeURIComponent(value);
  } catch {
    // A lone surrogate has no form in a URL.
  }
  const message = 'Give a name that can stand in a path.';
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The request to Argo CD cannot be made. /${name}: ${message}`,
    details: { issues: [{ path: `/${name}`, message }] },
  });
}
