import { waitFor } from '../backoff.ts';
import { protocolInvalid, unavailable } from '../git-errors.ts';
import {
  accessDenied,
  authFailed,
  createCredentialSource,
  type GitCredentialsCallback,
  remoteNotFound,
  requestTooLarge,
} from './git-credentials.ts';
import { createRequestLimit, type RequestLimit } from './request-limit.ts';

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
  /** The same, in parts as they come. */
  stream(request: HttpRequest, signal: AbortSignal | undefined): AsyncIterable<Buffer>;
  /** Makes text of the server fit to show: one line, not long, and without anything that was sent as a credential. */
  readable(text: string): string;
}

/** The request was sent, or may have been, and what came back does not say what became of it. */
export class LostResponseError extends Error {
  override readonly name: string = 'LostResponseError';
  /** Whether the server is done with the request, so that what it has not done yet will not be done. */
  readonly isOver: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isOver?: boolean } = {}) {
    super(message, options);
    this.isOver = options.isOver ?? false;
  }
}

const REDIRECTS = 5;
/** How often, and how long each time, a server that is asked too much (429) may let us wait. */
const WAITS = 3;
const MOST_WAIT_SECONDS = 10;
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
  const source = createCredentialSource(url, credentials);

  async function send(target: string, request: HttpRequest, limit: RequestLimit): Promise<Response> {
    const headers = new Headers(authorization);
    headers.set('accept', request.accept);
    if (request.contentType !== undefined) headers.set('content-type', request.contentType);
    limit.restart();
    try {
      const response = fetch(target, {
        method: request.method,
        headers,
        redirect: 'manual',
        signal: limit.signal,
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      return await limit.race(response);
    } catch (error) {
      limit.throwIfStopped();
      if (request.method === 'POST' && !isNotSent(error)) throw new LostResponseError('no answer', { cause: error });
      throw unavailable(url, 'the connection failed.', error);
    }
  }

  async function sendFollowing(request: HttpRequest, limit: RequestLimit): Promise<Response> {
    let target = base + request.path;
    for (let redirects = 0; redirects <= REDIRECTS; redirects += 1) {
      const response = await send(target, request, limit);
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

  /** A request that was one too many has done nothing, so it is sent again when the server says. */
  async function sendPatiently(request: HttpRequest, limit: RequestLimit): Promise<Response> {
    for (let waits = 0; ; waits += 1) {
      const response = await sendFollowing(request, limit);
      const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
      if (response.status !== 429 || waits === WAITS || !(seconds >= 0 && seconds <= MOST_WAIT_SECONDS))
        return response;
      await response.body?.cancel();
      limit.pause();
      await waitFor(seconds * 1000, limit.signal);
    }
  }

  async function answerTo(
    request: HttpRequest,
    limit: RequestLimit,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    authorization ??= await source.ask(signal);
    let response = await sendPatiently(request, limit);
    if (response.status === 401 && source.canAsk) {
      await response.body?.cancel();
      limit.pause();
      authorization = await source.ask(signal);
      response = await sendPatiently(request, limit);
    }
    const isAnswer = response.ok && response.headers.get('content-type')?.split(';')[0]?.trim() === request.accept;
    if (isAnswer) return response;
    await response.body?.cancel();
    // The next call asks for credentials again.
    if (response.status === 401) authorization = undefined;
    throw statusError(response.status, request);
  }

  async function* stream(request: HttpRequest, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    signal?.throwIfAborted();
    using limit = createRequestLimit(timeoutMilliseconds, signal);
    const { body } = await answerTo(request, limit, signal);
    const reader = body?.getReader();
    if (reader === undefined) return;
    try {
      for (;;) {
        const { done, value } = await limit.race(reader.read());
        if (done) return;
        yield Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      }
    } catch (error) {
      limit.throwIfStopped();
      if (request.method === 'POST') throw new LostResponseError('half an answer', { cause: error });
      throw unavailable(url, 'the connection broke.', error);
    } finally {
      void reader.cancel().catch(() => {});
    }
  }

  return {
    stream,

    async request(request, signal) {
      const parts: Buffer[] = [];
      for await (const part of stream(request, signal)) parts.push(part);
      return Buffer.concat(parts);
    },

    readable: source.readable,
  };

  function statusError(status: number, { method }: HttpRequest): Error {
    if (status === 401) return authFailed(url, 'it did not take the credentials (401).');
    if (status === 403) return accessDenied(url);
    if (status === 404 || status === 410) return remoteNotFound(url);
    if (status === 413 && method === 'POST') return requestTooLarge(url);
    if (status >= 500 && method === 'POST') {
      // A proxy may answer so for a push that is on its way, or has arrived.
      return new LostResponseError(`status ${status}`, { isOver: status !== 502 && status !== 504 });
    }
    if (status >= 500 || status === 429) return unavailable(url, `it answered ${status}.`);
    return protocolInvalid(url, status === 200 ? 'the content type is another.' : `it answered ${status}.`);
  }
}

function isNotSent(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && NOT_SENT.has(String(cause.code));
}
