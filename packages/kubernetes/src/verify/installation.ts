import type { RenderContext } from '@caelus/core';
import type { BootstrapPlan } from '../bootstrap/plan-bootstrap.ts';
import type { PlannedObject } from '../bootstrap/planned-object.ts';
import type { KubernetesObject } from '../client/resource.ts';

/** Everything that `verify` reads, without the values of secrets. What could not be read is `undefined`. */
export interface Installation {
  readonly context: RenderContext;
  readonly plan: BootstrapPlan;
  /** For each planned object what is there. */
  readonly planned: readonly { readonly planned: PlannedObject; readonly live: LiveObject | undefined }[];
  readonly projects: readonly KubernetesObject[] | undefined;
  /** `data` of Argo CD's settings; empty where there are none. */
  readonly settings: Readonly<Record<SettingsName, Readonly<Record<string, string>> | undefined>>;
  /** The names of the keys of `argocd-secret`. */
  readonly secretKeys: readonly string[] | undefined;
  readonly hasInitialPassword: boolean | undefined;
  readonly repositories: readonly RepositoryEntry[] | undefined;
  readonly clusters: readonly ClusterEntry[] | undefined;
  /** Bindings in Argo CD's namespace and in the whole cluster. */
  readonly bindings: readonly KubernetesObject[] | undefined;
  /**
   * The users as whom Argo CD is said to write into the cluster, with whether there is such a service account; `undefined` where it could
   * not be read, or the user is none. Absent where instances are not kept apart.
   */
  readonly controllers: readonly { readonly user: string; readonly exists: boolean | undefined }[] | undefined;
  readonly definitions: readonly KubernetesObject[] | undefined;
  /** What could not be read, and why, in a word: `forbidden`. */
  readonly unreadable: readonly { readonly what: string; readonly reason: string }[];
}

/** An object without the values of its secrets: of a Secret, only the names of its keys are left. */
export interface LiveObject {
  readonly object: KubernetesObject;
  readonly secretKeys?: readonly string[] | undefined;
}

/** The ConfigMaps that Argo CD's settings are in. */
export type SettingsName = 'argocd-cm' | 'argocd-cmd-params-cm' | 'argocd-rbac-cm' | 'argocd-ssh-known-hosts-cm';

/** A Secret that tells Argo CD how to reach a repository, or all below a prefix of URLs. */
export interface RepositoryEntry {
  readonly name: string;
  readonly isPrefix: boolean;
  readonly url: string;
  readonly project: string;
  /** Whether the server's certificate or host key is not looked at. */
  readonly isUnverified: boolean;
}

/** A Secret that tells Argo CD of a cluster. */
export interface ClusterEntry {
  readonly server: string;
  readonly name: string;
  readonly project: string;
}
