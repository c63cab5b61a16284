import { isCaelusError } from '@caelus/core';
import { createLinkedAbort } from '@caelus/core/adapter';
import type { ArgoCdSettings } from './argo-cd-client-options.ts';
import {
  answerInvalid,
  authFailed,
  type Refusal,
  redirectRefused,
  refusalError,
  unavailable,
} from './argo-cd-errors.ts';
import { readableText } from './readable-text.ts';
import { isRepeatable, type Outcome, parseRetryAfter, retryDelay, shouldRetry } from './retry-policy.ts';
import type { TokenSource } from './token-source.ts';

/** What makes Argo CD answer with server-sent events. It compares the whole header. */
export const EVENT_STREAM = 'text/event-stream';

/** Sends a request as Argo CD wants it, until there is an answer that counts. Returns successes only. */
export type Transport = (request: Request, signal: AbortSignal | undefined) => Promise<Response>;

const MOST_REDIRECTS = 5;
/** What undici and Node.js say where no connection came about. */
const UNSENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * Makes a transport. Without `tokens`, requests carry no token.
 * Requests for {@link EVENT_STREAM} have no time limit, are not tried again, and their bodies are not read.
 */
export function createTransport(settings: ArgoCdSettings, tokens: TokenSource | undefined): Transport {
  const { baseUrl, clock, maxAnswerBytes } = settings;
  const { origin } = new URL(baseUrl);

  const readable = (text: string) => readableText(text, tokens?.secrets ?? []);

  return async function transport(request, signal) {
    const { method } = request;
    const { pathname } = new URL(request.url);
    const place = { server: baseUrl, operation: `${method} ${readable(decodePath(pathname))}` };
    const isStream = request.headers.get('accept') === EVENT_STREAM;
    const repeatable = isRepeatable(method, pathname);
    const body = method === 'GET' ? undefined : await request.text();
    const retries = isStream ? 0 : settings.retries;

    for (let attempt = 0; ; attempt++) {
      let outcome: Outcome;
      let failure: unknown;
      let retryAfter = 0;
      let isLate = false;
      using attempted = createLinkedAbort(signal);
      const late = () => {
        isLate = true;
        attempted.abort();
      };
      const timer = isStream ? undefined : setTimeout(late, settings.timeoutMilliseconds);
      try {
        const response = await authorized(isStream ? signal : attempted.signal);
        if (response.ok && isStream) return response;
        const text = await readText(response, maxAnswerBytes);
        if (text === undefined)
          throw answerInvalid(place, response.status, `It is longer than ${maxAnswerBytes} bytes.`);
        if (response.ok) return answerOf(response, text);
        outcome = { kind: 'answered', status: response.status };
        retryAfter = parseRetryAfter(response.headers.get('retry-after'));
        const refusal = parseRefusal(response.status, text);
        failure = refusalError(place, { ...refusal, message: readable(refusal.message) });
      } catch (error) {
        signal?.throwIfAborted();
        if (isCaelusError(error)) throw error;
        outcome = isLate ? { kind: 'lost' } : outcomeOf(error);
        const reason = isLate
          ? `no answer within ${settings.timeoutMilliseconds} ms.`
          : `${readable(messageOf(error))}.`;
        failure = unavailable(place, reason);
      } finally {
        clearTimeout(timer);
      }
      if (!shouldRetry(outcome, repeatable, attempt, retries)) throw failure;
      await clock.sleep(retryDelay(attempt, Math.random(), retryAfter), { signal });
    }

    /** Sends with the newest token, and with another one where Argo CD no longer accepts it. */
    async function authorized(attemptSignal: AbortSignal | undefined): Promise<Response> {
      const token = await tokens?.current(attemptSignal);
      const response = await followed(token, attemptSignal);
      if (response.status !== 401 || tokens === undefined || token === undefined) return response;
      await response.body?.cancel();
      const renewed = await tokens.renew(token, attemptSignal);
      if (renewed === undefined) throw authFailed(place, '');
      return followed(renewed, attemptSignal);
    }

    /** Follows redirects within the origin, so that the token never leaves it. */
    async function followed(token: string | undefined, attemptSignal: AbortSignal | undefined): Promise<Response> {
      let url = request.url;
      for (let redirects = 0; ; redirects++) {
        attemptSignal?.throwIfAborted();
        const headers = headersOf(request, token);
        const response = await settings.fetch(url, {
          method,
          headers,
          redirect: 'manual',
          ...(attemptSignal !== undefined && { signal: attemptSignal }),
          ...(body !== undefined && body !== '' && { body }),
        });
        const isRedirect = response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400);
        if (!isRedirect) return response;
        await response.body?.cancel();
        const location = response.headers.get('location') ?? '';
        const next = URL.canParse(location, url) ? new URL(location, url) : undefined;
        // Other redirects make a GET of everything.
        const keepsMethod = method === 'GET' || response.status === 307 || response.status === 308;
        if (next?.origin !== origin || !keepsMethod || redirects >= MOST_REDIRECTS) {
          throw redirectRefused(place, readable(next?.origin ?? 'nowhere'));
        }
        url = next.href;
      }
    }
  };
}

function headersOf(request: Request, token: string | undefined): Headers {
  const headers = new Headers(request.headers);
  // Exactly this, also where there is no body: anything else is a 415.
  if (request.method === 'GET') headers.delete('content-type');
  else headers.set('content-type', 'application/json');
  if (!headers.has('accept')) headers.set('accept', 'application/json');
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  return headers;
}

/** The answer's text, or `undefined` where it is longer than `most` bytes. */
async function readText(response: Response, most: number): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > most) return undefined;
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function answerOf({ status, headers }: Response, text: string): Response {
  const type = headers.get('content-type');
  return new Response(status === 204 ? null : text, { status, headers: type === null ? {} : { 'content-type': type } });
}

/** Reads `{"error","code","message"}`, which is how grpc-gateway answers. */
function parseRefusal(status: number, text: string): Refusal {
  try {
    const { code, message, error } = JSON.parse(text) as Record<string, unknown>;
    const said = typeof message === 'string' ? message : typeof error === 'string' ? error : '';
    return { status, grpcCode: typeof code === 'number' ? code : undefined, message: said };
  } catch {
    return { status, grpcCode: undefined, message: '' };
  }
}

function outcomeOf(error: unknown): Outcome {
  const { code, cause } = error as { readonly code?: unknown; readonly cause?: { readonly code?: unknown } };
  const found = code ?? cause?.code;
  return { kind: typeof found === 'string' && UNSENT.has(found) ? 'unsent' : 'lost' };
}

/** fetch says "fetch failed", and its cause says why. */
function messageOf(error: unknown): string {
  const { message, cause } = error as { readonly message?: unknown; readonly cause?: { readonly message?: unknown } };
  return String(cause?.message || message || 'the connection broke');
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
