import { CaelusError } from '@caelus/core';

/** Where an error of Argo CD happened. */
export interface ArgoCdPlace {
  /** The server's URL, without credentials. */
  readonly server: string;
  /** Method and path of the request. */
  readonly operation: string;
}

interface ArgoCdProblem extends ArgoCdPlace {
  /** HTTP status. */
  readonly status: number;
  /** What Argo CD said: one line, shortened, without credentials; `''` where it said nothing. */
  readonly reason: string;
}

declare module '@caelus/core' {
  interface ErrorDetails {
    /** Argo CD does not know who we are. */
    readonly ARGOCD_AUTH_FAILED: ArgoCdPlace;
    /** Argo CD knows us and denies it, or hides whether there is such a thing. */
    readonly ARGOCD_ACCESS_DENIED: ArgoCdProblem;
    readonly ARGOCD_NOT_FOUND: ArgoCdProblem;
    /** There is something of that name already, or it changed meanwhile. */
    readonly ARGOCD_CONFLICT: ArgoCdProblem;
    /** Another sync, or another operation, of the Application still runs. */
    readonly ARGOCD_OPERATION_RUNNING: ArgoCdProblem;
    /** The request is wrong, or its time is. */
    readonly ARGOCD_REQUEST_REFUSED: ArgoCdProblem;
    /** This version of Argo CD cannot do it. */
    readonly ARGOCD_UNSUPPORTED: ArgoCdProblem;
    /** Argo CD failed inside. */
    readonly ARGOCD_FAILED: ArgoCdProblem;
    /** Something answers that is not Argo CD, or cuts its answers. */
    readonly ARGOCD_ANSWER_INVALID: ArgoCdPlace & { readonly status: number };
    readonly ARGOCD_REDIRECT_REFUSED: ArgoCdPlace & { readonly location: string };
  }
}

type ProblemCode =
  | 'ARGOCD_ACCESS_DENIED'
  | 'ARGOCD_NOT_FOUND'
  | 'ARGOCD_CONFLICT'
  | 'ARGOCD_OPERATION_RUNNING'
  | 'ARGOCD_REQUEST_REFUSED'
  | 'ARGOCD_UNSUPPORTED'
  | 'ARGOCD_FAILED';

/** An answer that is not a success, as far as it was understood. */
export interface Refusal {
  readonly status: number;
  /** gRPC's code, where the answer has one, as all of Argo CD's own have. */
  readonly grpcCode: number | undefined;
  readonly message: string;
}

/** Which error a refusal is; pure. */
export function errorCodeOf({
  status,
  grpcCode,
  message,
}: Refusal): ProblemCode | 'ARGOCD_AUTH_FAILED' | 'ARGOCD_ANSWER_INVALID' | 'UNAVAILABLE' {
  // What stands before Argo CD (a proxy, a load balancer) speaks for itself in these.
  if (status === 401) return 'ARGOCD_AUTH_FAILED';
  if (status === 403) return 'ARGOCD_ACCESS_DENIED';
  if ([408, 429, 502, 503, 504].includes(status)) return 'UNAVAILABLE';
  if (status === 413 || status === 415) return 'ARGOCD_REQUEST_REFUSED';
  switch (grpcCode) {
    case 3:
      return message.includes('existing application spec is different') ? 'ARGOCD_CONFLICT' : 'ARGOCD_REQUEST_REFUSED';
    case 5:
      return 'ARGOCD_NOT_FOUND';
    case 6:
    case 10:
      return 'ARGOCD_CONFLICT';
    case 9:
      return message.includes('another operation is already in progress')
        ? 'ARGOCD_OPERATION_RUNNING'
        : 'ARGOCD_REQUEST_REFUSED';
    case 11:
      return 'ARGOCD_REQUEST_REFUSED';
    case 12:
      return 'ARGOCD_UNSUPPORTED';
    case 7:
      return 'ARGOCD_ACCESS_DENIED';
    case 16:
      return 'ARGOCD_AUTH_FAILED';
    case 4:
    case 8:
    case 14:
      return 'UNAVAILABLE';
    default:
      // A page of a proxy that says 404 must not be taken for an Application that is gone.
      if (status >= 500) return 'ARGOCD_FAILED';
      return grpcCode === undefined ? 'ARGOCD_ANSWER_INVALID' : 'ARGOCD_REQUEST_REFUSED';
  }
}

const ADVICE: Readonly<Record<ProblemCode, string>> = {
  ARGOCD_ACCESS_DENIED: 'denies it. Give the account the right, or check that there is such a thing',
  ARGOCD_NOT_FOUND: 'has no such thing. Check the name and the project',
  ARGOCD_CONFLICT: 'has another of that name, or it changed meanwhile. Read it again and decide anew',
  ARGOCD_OPERATION_RUNNING: 'still runs another operation. Wait for its end, or terminate it',
  ARGOCD_REQUEST_REFUSED: 'refuses the request',
  ARGOCD_UNSUPPORTED: 'cannot do this. Use a newer version of it',
  ARGOCD_FAILED: 'failed. Its log says why',
};

/** The error of a refusal whose message is already fit to show. */
export function refusalError(place: ArgoCdPlace, refusal: Refusal): CaelusError {
  const code = errorCodeOf(refusal);
  const { status, message: reason } = refusal;
  if (code === 'ARGOCD_AUTH_FAILED') return authFailed(place, reason);
  if (code === 'ARGOCD_ANSWER_INVALID') return answerInvalid(place, status, 'It is not one of Argo CD.');
  if (code === 'UNAVAILABLE') return unavailable(place, `it answered with status ${status}.`);
  const said = reason === '' ? '' : ` It says: ${reason}`;
  return new CaelusError({
    code,
    message: `Argo CD at ${place.server} ${ADVICE[code]} (${place.operation}).${said}`,
    details: { ...place, status, reason },
    retryable: code === 'ARGOCD_OPERATION_RUNNING' || code === 'ARGOCD_FAILED',
  });
}

export function authFailed(place: ArgoCdPlace, reason: string): CaelusError<'ARGOCD_AUTH_FAILED'> {
  const said = reason === '' ? '' : ` It says: ${reason}`;
  return new CaelusError({
    code: 'ARGOCD_AUTH_FAILED',
    message: `Argo CD at ${place.server} does not accept the token or the login. Check them.${said}`,
    details: place,
  });
}

export function answerInvalid(
  place: ArgoCdPlace,
  status: number,
  what: string,
  cause?: unknown,
): CaelusError<'ARGOCD_ANSWER_INVALID'> {
  return new CaelusError({
    code: 'ARGOCD_ANSWER_INVALID',
    message: `The answer of ${place.server} cannot be used (${place.operation}, status ${status}). ${what} Check the URL, and what stands between.`,
    details: { ...place, status },
    cause,
  });
}

export function redirectRefused(place: ArgoCdPlace, location: string): CaelusError<'ARGOCD_REDIRECT_REFUSED'> {
  return new CaelusError({
    code: 'ARGOCD_REDIRECT_REFUSED',
    message: `${place.server} redirects to ${location}, which is not followed, so that the token stays where it belongs. Give the URL of Argo CD itself.`,
    details: { ...place, location },
  });
}

export function unavailable(place: ArgoCdPlace, reason: string, cause?: unknown): CaelusError<'UNAVAILABLE'> {
  return new CaelusError({
    code: 'UNAVAILABLE',
    message: `Argo CD at ${place.server} cannot be used now (${place.operation}): ${reason} Try again later.`,
    details: { what: place.server },
    retryable: true,
    cause,
  });
}
