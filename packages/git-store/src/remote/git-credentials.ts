import { CaelusError } from '@caelus/core';

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

/** What proves to one remote who we are, and keeps it out of everything that is shown. */
export interface CredentialSource {
  /** Whether asking once more may bring others. */
  readonly canAsk: boolean;
  /** Asks the callback. @throws {CaelusError} `GIT_AUTH_FAILED` */
  ask(signal: AbortSignal | undefined): Promise<Headers>;
  /** Makes text of the server fit to show: one line, not long, and without anything that was given as a credential. */
  readable(text: string): string;
}

const READABLE_LENGTH = 300;

export function createCredentialSource(url: string, callback: GitCredentialsCallback | undefined): CredentialSource {
  const secrets = new Set<string>();
  return {
    canAsk: callback !== undefined,

    async ask(signal) {
      if (callback === undefined) return new Headers();
      try {
        const given = await callback({ url });
        for (const secret of secretsOf(given)) secrets.add(secret);
        return credentialHeaders(given);
      } catch {
        signal?.throwIfAborted();
        // Without its cause, which may quote what it was given.
        throw authFailed(url, 'The credentials callback failed, or gave what cannot be sent in a header.');
      }
    },

    readable(text) {
      let clean = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
      for (const secret of secrets) clean = clean.replaceAll(secret, '***');
      clean = clean.replace(/\/\/[^\s/@]*@/g, '//***@');
      return clean.length <= READABLE_LENGTH ? clean : `${clean.slice(0, READABLE_LENGTH)}…`;
    },
  };
}

export function authFailed(url: string, reason: string): CaelusError<'GIT_AUTH_FAILED'> {
  return new CaelusError({
    code: 'GIT_AUTH_FAILED',
    message: `The remote ${url} cannot be used: ${reason} Check the credentials.`,
    details: { remote: url },
  });
}

export function accessDenied(url: string): CaelusError<'GIT_ACCESS_DENIED'> {
  return new CaelusError({
    code: 'GIT_ACCESS_DENIED',
    message: `The remote ${url} denies access. Give the credentials the right to read and write the repository.`,
    details: { remote: url },
  });
}

export function remoteNotFound(url: string): CaelusError<'GIT_REMOTE_NOT_FOUND'> {
  return new CaelusError({
    code: 'GIT_REMOTE_NOT_FOUND',
    message: `The remote ${url} is not there, or is hidden from these credentials. Check both.`,
    details: { remote: url },
  });
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

/** The error of a push that is larger than the remote, or a proxy before it, takes. */
export function requestTooLarge(remote: string): CaelusError<'GIT_PUSH_REFUSED'> {
  return new CaelusError({
    code: 'GIT_PUSH_REFUSED',
    message: `The remote ${remote} takes no request as large as this push (413). Raise the limit, which is often that of a proxy before it, or write fewer changes at once.`,
    details: { remote, reason: 'the push is too large (413)' },
  });
}
