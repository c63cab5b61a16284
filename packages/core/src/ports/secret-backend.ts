import type { CallOptions } from '../call-options.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import type { InstanceId, TenantId } from '../model/identifier.ts';

/**
 * Turns secrets into what may lie in Git: a reference, or ciphertext that only the cluster can read. Without one,
 * secrets are refused.
 */
export interface SecretBackend {
  /** For logs and errors. */
  readonly name: string;
  readonly capabilities: SecretBackendCapabilities;
  /** The manifests that make `spec` exist in the cluster. Equal specs need not give equal bytes. */
  render(spec: SecretSpec, options?: CallOptions): Promise<SecretManifests>;
}

export interface SecretBackendCapabilities {
  /** Whether the bytes in Git contain ciphertext, which outlives a deletion in the history. */
  readonly ciphertextInGit: boolean;
  /** Whether the bytes are useless in another namespace. */
  readonly bindsNamespace: boolean;
  /** Whether the cluster can make a password that nobody outside ever sees. */
  readonly generates: boolean;
}

export interface SecretSpec {
  readonly tenant: TenantId;
  readonly instanceId: InstanceId;
  readonly namespace: string;
  /** Name of the Kubernetes Secret that comes of it. */
  readonly name: string;
  /** Keys of the Secret. A value is taken by a callback, so that it is nowhere to be printed. */
  readonly entries: ReadonlyMap<string, SecretEntry>;
}

export type SecretEntry =
  | { readonly kind: 'value'; reveal(): Uint8Array }
  | { readonly kind: 'generate'; readonly length: number }
  | { readonly kind: 'reference'; readonly key: string; readonly property?: string | undefined };

export interface SecretManifests {
  /** Files below the instance's `manifests/`. */
  readonly files: RepoTree;
  /** The Secret that charts refer to (`existingSecret`). */
  readonly existingSecret: string;
}
