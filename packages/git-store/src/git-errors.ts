import { CaelusError } from '@caelus/core';

declare module '@caelus/core' {
  interface ErrorDetails {
    /** The directory is not a repository that this store can write safely. */
    readonly GIT_REPOSITORY_UNSUPPORTED: { readonly directory: string; readonly reason: string };
    /** Another process holds the branch's lock file. */
    readonly GIT_REF_LOCKED: { readonly lock: string; readonly ageSeconds: number };
    /** The remote did not take the credentials, even after they were asked for once more. */
    readonly GIT_AUTH_FAILED: { readonly remote: string };
    /** The remote knows the caller, who may not do this. */
    readonly GIT_ACCESS_DENIED: { readonly remote: string };
    readonly GIT_REMOTE_NOT_FOUND: { readonly remote: string };
    /** The remote's rules refuse the push: a protected branch, a hook, a quota. */
    readonly GIT_PUSH_REFUSED: { readonly remote: string; readonly reason: string };
    /** The connection was lost after the push was sent, and the remote cannot be asked what became of it. */
    readonly GIT_PUSH_UNKNOWN: { readonly remote: string; readonly commit: string };
    /** What answers is not a Git server that speaks smart HTTP, or sent something that is not valid. */
    readonly GIT_PROTOCOL_INVALID: { readonly remote: string; readonly reason: string };
    /** A change touches what the store is told to leave alone. */
    readonly GIT_PATH_PROTECTED: { readonly path: string; readonly protectedPath: string };
    /** Something that is no directory lies where the store's directory is to be. */
    readonly GIT_PREFIX_OCCUPIED: { readonly path: string };
    /** The signer failed, or returned something that is no signature. */
    readonly GIT_SIGNING_FAILED: { readonly reason: string };
    /** The name belongs to a tag of another commit, or is a directory of tags, or lies below a tag. */
    readonly GIT_TAG_EXISTS: { readonly tag: string; readonly commit: string };
    /** There is no git binary, or one that is too old. */
    readonly GIT_UNAVAILABLE: { readonly executable: string; readonly reason: string; readonly needed: string };
    /** The SSH server showed a host key that is not known, or not the one that is known. */
    readonly GIT_HOST_KEY_REFUSED: { readonly remote: string };
  }
}

export function corrupt(what: string, message: string, cause?: unknown): CaelusError<'STORE_CORRUPT'> {
  return new CaelusError({ code: 'STORE_CORRUPT', message, details: { what }, cause });
}

export function unsupported(directory: string, reason: string): CaelusError<'GIT_REPOSITORY_UNSUPPORTED'> {
  return new CaelusError({
    code: 'GIT_REPOSITORY_UNSUPPORTED',
    message: `The directory cannot be used as a repository: ${reason} Use an empty directory or a bare repository.`,
    details: { directory, reason },
  });
}

export function unavailable(what: string, reason: string, cause?: unknown): CaelusError<'UNAVAILABLE'> {
  return new CaelusError({
    code: 'UNAVAILABLE',
    message: `${what} cannot be reached now: ${reason} Try again later.`,
    details: { what },
    retryable: true,
    cause,
  });
}

export function protocolInvalid(remote: string, reason: string): CaelusError<'GIT_PROTOCOL_INVALID'> {
  return new CaelusError({
    code: 'GIT_PROTOCOL_INVALID',
    message: `The remote did not answer as a Git server does: ${reason} Check its URL.`,
    details: { remote, reason },
  });
}
