import { CaelusError } from '@caelus/core';
import { protocolInvalid, unavailable } from '../git-errors.ts';
import { accessDenied, authFailed, remoteNotFound, requestTooLarge } from '../remote/git-credentials.ts';
import { LostResponseError } from '../remote/http-session.ts';
import type { GitResult } from './git-program.ts';

export interface FailureContext {
  readonly url: string;
  readonly gitdir: string;
  /** Of a push that failed it has to be known whether it may have arrived. */
  readonly phase: 'read' | 'push';
  readable(text: string): string;
}

const HOST_KEY = /^Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|^No .* host key is known for /m;
const SSH_AUTH = /Permission denied \([a-z,-]+\)|Too many authentication failures|^Load key /m;
const HTTP_AUTH = /could not read (?:Username|Password) for|Authentication failed for/;
const HTTP_STATUS = /(?:requested URL returned error:|RPC failed; HTTP) (\d{3})/;
const NOT_FOUND =
  /repository '.*' not found|does not appear to be a git repository|repository not found|could not be found/i;
const NOT_GIT = /not valid: is this a git repository|invalid server response|protocol error|bad line length/i;
/** Connecting failed, so nothing was sent. */
const NOT_CONNECTED =
  /ssh: connect to host|ssh: Could not resolve hostname|kex_exchange_identification|Could not resolve host|Failed to connect to|Couldn't connect to server/;
/** The remote does not send a commit, because no ref names it any more. */
export class MovedError extends Error {
  override readonly name: string = 'MovedError';
}

const MISSING = /^(?:error: src refspec [0-9a-f]{40} does not match any|fatal: bad object [0-9a-f]{40})/m;
const MOVED = /not our ref|unadvertised object/;

/**
 * What went wrong with a remote, from what Git says of it in its untranslated words. `unauthorized` may be tried again with
 * other credentials; `missing` says that there is no such commit to be pushed.
 */
export function judgeFailure(
  { stderr, isTimeout }: GitResult,
  { url, gitdir, phase, readable }: FailureContext,
): CaelusError | LostResponseError | 'unauthorized' | 'missing' {
  // What the server says to people is no message of Git's.
  const said = stderr
    .split('\n')
    .filter((line) => !line.startsWith('remote: '))
    .join('\n');
  const lost = (reason: string, isOver = false) =>
    phase === 'push' ? new LostResponseError(reason, { isOver }) : unavailable(url, `${reason}.`);
  if (phase === 'push' && MISSING.test(said)) return 'missing';
  if (isTimeout) return lost('it took too long to answer');
  if (HOST_KEY.test(said)) return hostKeyRefused(url);
  if (SSH_AUTH.test(said)) return authFailed(url, 'it did not take the SSH key.');
  if (HTTP_AUTH.test(said)) return 'unauthorized';
  const status = Number(HTTP_STATUS.exec(said)?.[1] ?? 0);
  if (status === 401) return 'unauthorized';
  if (status === 403) return accessDenied(url);
  if (status === 404 || status === 410 || NOT_FOUND.test(said)) return remoteNotFound(url);
  if (status === 413 && phase === 'push') return requestTooLarge(url);
  if (status === 429) return unavailable(url, 'it answered 429.');
  // A proxy may answer 502 or 504 for a push that has arrived.
  if (status >= 500)
    return said.includes('RPC failed')
      ? lost(`it answered ${status}`, status !== 502 && status !== 504)
      : unavailable(url, `it answered ${status}.`);
  if (status >= 300 && status < 400) return protocolInvalid(url, 'it redirects to another address.');
  if (status >= 400) return protocolInvalid(url, `it answered ${status}.`);
  if (NOT_CONNECTED.test(said)) return unavailable(url, 'the connection failed.');
  if (phase === 'read' && MOVED.test(said)) return unavailable(url, 'its branch has just moved.', new MovedError());
  if (phase === 'read' && NOT_GIT.test(said)) return protocolInvalid(url, 'what it sent is not valid.');
  if (/Unable to create '.*\.lock': File exists/.test(said)) return locked(`${gitdir}/shallow.lock`);
  const lastLine =
    said
      .trimEnd()
      .split('\n')
      .find((line) => line.startsWith('fatal: ')) ?? 'the connection broke';
  return lost(readable(lastLine.replace(/^fatal: /, '')));
}

function hostKeyRefused(url: string): CaelusError<'GIT_HOST_KEY_REFUSED'> {
  return new CaelusError({
    code: 'GIT_HOST_KEY_REFUSED',
    message: `The host key of ${url} is not the one in the file of known hosts, or is not in it, so nothing was sent. Compare it with the one that the host's operator publishes.`,
    details: { remote: url },
  });
}

function locked(lock: string): CaelusError<'GIT_REF_LOCKED'> {
  return new CaelusError({
    code: 'GIT_REF_LOCKED',
    message: `Another process holds the lock file ${lock}. Try again; if no process uses the repository any more, remove the file.`,
    details: { lock, ageSeconds: 0 },
    retryable: true,
  });
}
