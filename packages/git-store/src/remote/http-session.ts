import { CaelusError } from '@caelus/core';
import { protocolInvalid, unavailable } from '../git-errors.ts';

/**
 * What a remote takes as proof. A `token` is sent as the password of `x-access-token`, which GitHub, GitLab and Gitea
 * accept; give `username` and `password`, or `headers`, where a server wants something else.
 */
export type GitCredentials =
  | { readonly username: string; readonly password: string }
  | { readonly token: string }
  | { readonly headers: Readonly<Record<string, string>> };

/** Asked before the first request, and once more when the remote answers 401. */
export type GitCredentialsCallback = (request: {
  readonly url: string;
}) => GitCredentials | undefined | Promise<GitCredentials | undefined>;

export interface HttpSessionOptions {
  readonly url: string;
  readonly credentials?: GitCredentialsCallback | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly timeoutMilliseconds: number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  /** Below the repository's URL. */
  readonly path: string;
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  readonly contentType?: string | undefined;
  /** The only content type that is taken for an answer. */
  readonly accept: string;
}

export interface HttpSession {
  /** @throws {CaelusError} `GIT_AUTH_FAILED`, `GIT_ACCESS_DENIED`, `GIT_REMOTE_NOT_FOUND`, `GIT_PROTOCOL_INVALID`, `UNAVAILABLE`; {@link LostResponseError} where the request may have arrived */
  request(request: HttpRequest, signal: AbortSignal | undefined): Promise<Buffer>;
  /** Makes text of the server fit to show: one line, not long, and without anything that was sent as a credential. */
  readable(text: string): string;
}

/** The request was sent, or may have been, and what came back does not say what became of it. */
export class LostResponseError extends Error {
  override readonly name: string = 'LostResponseError';
}

const REDIRECTS = 5;
const READABLE_LENGTH = 300;
/** Connecting failed, so nothing was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Requests to one repository. Credentials travel in headers, to the origin of its URL and nowhere else: a redirect to
 * another origin is an error. They are kept in this closure only.
 */
export function createHttpSession({ url, credentials, fetch, timeoutMilliseconds }: HttpSessionOptions): HttpSession {
  let base = url.replace(/\/+$/, '');
  let authorization: Headers | undefined;
  const secrets = new Set<string>();

  async function askCredentials(signal: AbortSignal | undefined): Promise<Headers> {
    if (credentials === undefined) return new Headers();
    try {
      const given = await credentials({ url });
      for (const secret of secretsOf(given)) secrets.add(secret);
      return credentialHeaders(given);
    } catch {
      signal?.throwIfAborted();
      // Without its cause, which may quote what it was given.
      throw authFailed('The credentials callback failed, or gave what cannot be sent in a header.');
    }
  }

  function authFailed(reason: string): CaelusError<'GIT_AUTH_FAILED'> {
    return new CaelusError({
      code: 'GIT_AUTH_FAILED',
      message: `The remote ${url} cannot be used: ${reason} Check the credentials callback.`,
      details: { remote: url },
    });
  }

  async function send(target: string, request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
    const headers = new Headers(authorization);
    headers.set('accept', request.accept);
    if (request.contentType !== undefined) headers.set('content-type', request.contentType);
    const timeout = AbortSignal.timeout(timeoutMilliseconds);
    try {
      return await fetch(target, {
        method: request.method,
        headers,
        redirect: 'manual',
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
        ...(request.body === undefined ? {} : { body: request.body }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (request.method === 'POST' && !isNotSent(error)) throw new LostResponseError('no answer', { cause: error });
      throw unavailable(url, 'the connection failed.', error);
    }
  }

  async function sendFollowing(request: HttpRequest, signal: AbortSignal | undefined): Promise<Response> {
    let target = base + request.path;
    for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
      const response = await send(target, request, signal);
      if (response.status < 300 || response.status >= 400) {
        // As Git does: what the first request was redirected to serves the following ones.
        if (target.endsWith(request.path)) base = target.slice(0, -request.path.length);
        return response;
      }
      await response.body?.cancel();
      const location = response.headers.get('location');
      const next = location === null ? undefined : new URL(location, target);
      if (request.method !== 'GET' || next?.origin !== new URL(target).origin) {
        throw protocolInvalid(url, 'it redirects to another server, where credentials must not go.');
      }
      target = next.href;
    }
    throw protocolInvalid(url, `it redirects more than ${REDIRECTS} times.`);
  }

  return {
    async request(request, signal) {
      signal?.throwIfAborted();
      authorization ??= await askCredentials(signal);
      let response = await sendFollowing(request, signal);
      if (response.status === 401 && credentials !== undefined) {
        await response.body?.cancel();
        authorization = await askCredentials(signal);
        response = await sendFollowing(request, signal);
      }
      const isAnswer = response.ok && response.headers.get('content-type')?.split(';')[0]?.trim() === request.accept;
      if (!isAnswer) {
        await response.body?.cancel();
        // The next call asks for credentials again.
        if (response.status === 401) authorization = undefined;
        throw statusError(response.status, request);
      }
      try {
        return Buffer.from(await response.arrayBuffer());
      } catch (error) {
        signal?.throwIfAborted();
        if (request.method === 'POST') throw new LostResponseError('half an answer', { cause: error });
        throw unavailable(url, 'the connection broke.', error);
      }
    },

    readable(text) {
      let clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
      for (const secret of secrets) clean = clean.replaceAll(secret, '***');
      clean = clean.replace(/\/\/[^\s/@]*@/g, '//***@');
      return clean.length <= READABLE_LENGTH ? clean : `${clean.slice(0, READABLE_LENGTH)}…`;
    },
  };

  function statusError(status: number, { method }: HttpRequest): Error {
    if (status === 401) return authFailed('it did not take the credentials (401).');
    if (status === 403) {
      return new CaelusError({
        code: 'GIT_ACCESS_DENIED',
        message: `The remote ${url} denies access (403). Give the credentials the right to read and write the repository.`,
        details: { remote: url },
      });
    }
    if (status === 404 || status === 410) {
      return new CaelusError({
        code: 'GIT_REMOTE_NOT_FOUND',
        message: `The remote ${url} is not there (${status}), or is hidden from these credentials. Check both.`,
        details: { remote: url },
      });
    }
    // A proxy may answer 502 or 504 for a push that has arrived.
    if (status >= 500 && method === 'POST') return new LostResponseError(`status ${status}`);
    if (status >= 500 || status === 429) return unavailable(url, `it answered ${status}.`);
    return protocolInvalid(url, status === 200 ? 'the content type is another.' : `it answered ${status}.`);
  }
}

function credentialHeaders(given: GitCredentials | undefined): Headers {
  if (given === undefined) return new Headers();
  if ('headers' in given) return new Headers(given.headers);
  const pair = 'token' in given ? `x-access-token:${given.token}` : `${given.username}:${given.password}`;
  return new Headers({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
}

function secretsOf(given: GitCredentials | undefined): readonly string[] {
  if (given === undefined) return [];
  const values = 'headers' in given ? Object.values(given.headers) : ['token' in given ? given.token : given.password];
  // A header's value is often a scheme and the secret itself.
  const parts = values.flatMap((value) => [value, value.replace(/^\S+\s+/, '')]);
  return [
    ...parts,
    ...parts.map(encodeURIComponent),
    credentialHeaders(given).get('authorization')?.slice(6) ?? '',
  ].filter((secret) => secret.length >= 4);
}

function isNotSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && NOT_SENT.has(String(cause.code));
}
