import { type Clock, isCaelusError } from '@caelus/core';
import { abortable } from '@caelus/core/adapter';
import type { ArgoCdSettings, ArgoCdToken } from './argo-cd-client-options.ts';
import { authFailed } from './argo-cd-errors.ts';

/** The token that stands for us, which calls at the same time share. */
export interface TokenSource {
  /** The newest one; `undefined` where there is none to be had. @throws {CaelusError} `ARGOCD_AUTH_FAILED`, `UNAVAILABLE` */
  current(signal: AbortSignal | undefined): Promise<string | undefined>;
  /** Another one than what was rejected, asked for once by all that were; `undefined` where there is no other. */
  renew(rejected: string, signal: AbortSignal | undefined): Promise<string | undefined>;
  /** What was a token until now, so that it can be kept out of what is shown. */
  readonly secrets: Iterable<string>;
}

/** Makes a token source; `logIn` exchanges a login for a token. */
export function createTokenSource(settings: ArgoCdSettings, logIn: () => Promise<string>): TokenSource {
  const { token, login, baseUrl } = settings;
  // Of those that were replaced, only the newest can still be on its way back in an answer.
  let secrets: readonly string[] = [];
  let newest: string | undefined;
  let asking: Promise<string> | undefined;
  const get = login === undefined ? getToken(token, baseUrl) : patient(logIn, settings.clock);

  async function ask(): Promise<string> {
    const found = await (get as () => Promise<string>)();
    secrets = [...secrets.slice(-1), found];
    newest = found;
    return found;
  }

  function askOnce(signal: AbortSignal | undefined): Promise<string> {
    // Not ended by the signal of one caller: the others wait for it too.
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return abortable(asking, signal);
  }

  return {
    async current(signal) {
      signal?.throwIfAborted();
      return newest ?? (get === undefined ? undefined : askOnce(signal));
    },
    async renew(rejected, signal) {
      if (get === undefined || typeof token === 'string') return undefined;
      const next = newest !== undefined && newest !== rejected ? newest : await askOnce(signal);
      return next === rejected ? undefined : next;
    },
    get secrets() {
      return secrets;
    },
  };
}

function getToken(token: ArgoCdToken | undefined, server: string): (() => Promise<string>) | undefined {
  if (token === undefined) return undefined;
  return async () => {
    let found: unknown;
    try {
      found = typeof token === 'string' ? token : await token();
    } catch {
      // Without its cause, which may quote what it had.
    }
    if (typeof found === 'string' && /^[\x21-\x7e]+$/.test(found)) return found;
    throw authFailed({ server, operation: 'token' }, 'The token cannot be had, or cannot be sent in a header.');
  };
}

const PAUSE_MILLISECONDS = 60_000;

/** Argo CD locks accounts after a few wrong passwords, so a login that was refused is not repeated at once. */
function patient(logIn: () => Promise<string>, clock: Clock): () => Promise<string> {
  let refused: { readonly at: number; readonly error: unknown } | undefined;
  return async () => {
    if (refused !== undefined && clock.now().getTime() - refused.at < PAUSE_MILLISECONDS) throw refused.error;
    try {
      return await logIn();
    } catch (error) {
      if (isCaelusError(error, 'ARGOCD_AUTH_FAILED')) refused = { at: clock.now().getTime(), error };
      throw error;
    }
  };
}
