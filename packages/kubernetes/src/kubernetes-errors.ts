import { CaelusError } from '@caelus/core';

declare module '@caelus/core' {
  interface ErrorDetails {
    /** A kubeconfig, or a file that it names, cannot be used. */
    readonly KUBECONFIG_INVALID: { readonly reason: string };
    /** The API server did not take the credentials, even after they were read once more. */
    readonly KUBERNETES_AUTH_FAILED: { readonly server: string };
    /** The API server knows the caller, who may not do this. */
    readonly KUBERNETES_ACCESS_DENIED: { readonly server: string; readonly request: string };
    /** The API server does not serve such objects: a custom resource definition is missing, or another version of it is there. */
    readonly KUBERNETES_RESOURCE_UNKNOWN: { readonly server: string; readonly resource: string };
    /** The API server refuses what was sent. `fields` are paths, never values. */
    readonly KUBERNETES_REQUEST_REFUSED: {
      readonly request: string;
      readonly status: number;
      readonly reason: string;
      readonly fields: readonly string[];
    };
    /** What answers is no Kubernetes API server, or sent something that is not valid. */
    readonly KUBERNETES_PROTOCOL_INVALID: { readonly server: string; readonly reason: string };
    /** Others have set fields that bootstrap sets otherwise. */
    readonly BOOTSTRAP_CONFLICT: { readonly conflicts: readonly FieldConflict[] };
  }
}

/** A field that somebody else has set to another value. */
export interface FieldConflict {
  /** For example `ConfigMap argocd/argocd-notifications-cm`. */
  readonly object: string;
  /** As the API server writes it, for example `.data.subscriptions`. */
  readonly field: string;
  /** The field manager that owns it, for example `kubectl-edit`. */
  readonly manager: string;
}

export function kubeconfigInvalid(reason: string, cause?: unknown): CaelusError<'KUBECONFIG_INVALID'> {
  return new CaelusError({
    code: 'KUBECONFIG_INVALID',
    message: `The kubeconfig cannot be used: ${reason}`,
    details: { reason },
    cause,
  });
}

export function authFailed(server: string, reason: string): CaelusError<'KUBERNETES_AUTH_FAILED'> {
  return new CaelusError({
    code: 'KUBERNETES_AUTH_FAILED',
    message: `The Kubernetes API server ${server} cannot be used: ${reason} Check the credentials.`,
    details: { server },
  });
}

export function unavailable(server: string, reason: string, cause?: unknown): CaelusError<'UNAVAILABLE'> {
  return new CaelusError({
    code: 'UNAVAILABLE',
    message: `The Kubernetes API server ${server} cannot be reached now: ${reason} Try again later.`,
    details: { what: server },
    retryable: true,
    cause,
  });
}

export function protocolInvalid(
  server: string,
  reason: string,
  cause?: unknown,
): CaelusError<'KUBERNETES_PROTOCOL_INVALID'> {
  return new CaelusError({
    code: 'KUBERNETES_PROTOCOL_INVALID',
    message: `${server} did not answer as a Kubernetes API server does: ${reason} Check the URL.`,
    details: { server, reason },
    cause,
  });
}
