/** What became of one attempt. */
export type Outcome =
  /** The server was never reached, so nothing was carried out. */
  | { readonly kind: 'unsent' }
  /** The connection broke or timed out, and the server may have carried it out. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'answered'; readonly status: number };

/** Tells whether carrying a request out twice is the same as once. */
export function isRepeatable(method: string, path: string): boolean {
  // By the time of the second one, another operation may run, which nobody wanted to terminate.
  if (method === 'DELETE') return !path.endsWith('/operation');
  return method === 'GET' || method === 'PUT';
}

/** Tells whether to try again; pure. Never where a request that must not be carried out twice may have been carried out. */
export function shouldRetry(outcome: Outcome, repeatable: boolean, attempt: number, retries: number): boolean {
  if (attempt >= retries) return false;
  if (outcome.kind === 'unsent') return true;
  if (outcome.kind === 'lost') return repeatable;
  // What was turned away for being too much was not carried out.
  if (outcome.status === 429) return true;
  return repeatable && [408, 502, 503, 504].includes(outcome.status);
}

const BASE_MILLISECONDS = 200;
const MOST_MILLISECONDS = 10_000;
const MOST_RETRY_AFTER_MILLISECONDS = 60_000;

/**
 * How long to wait before the attempt after `attempt` (from 0), in milliseconds: a random part of a bound that doubles, so that
 * those who failed together do not come back together; never less than the server asked for, up to a minute.
 */
export function retryDelay(attempt: number, random: number, retryAfterSeconds = 0): number {
  const bound = Math.min(MOST_MILLISECONDS, BASE_MILLISECONDS * 2 ** Math.min(attempt, 20));
  return Math.max(Math.floor(random * bound), Math.min(retryAfterSeconds * 1000, MOST_RETRY_AFTER_MILLISECONDS));
}

/** Seconds of a `Retry-After` header; 0 where there is none, or where it is a date. */
export function parseRetryAfter(header: string | null): number {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) : 0;
}
