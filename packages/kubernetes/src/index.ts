// The whole public API of @caelus/kubernetes: named re-exports only.

export {
  type BootstrapOptions,
  type BootstrappedObject,
  type BootstrapReport,
  bootstrap,
} from './bootstrap/bootstrap.ts';
export type {
  BootstrapInput,
  InstanceIsolationOptions,
  NotificationOptions,
  RepositoryAccess,
  ServiceAccountOptions,
  WebhookOptions,
} from './bootstrap/bootstrap-input.ts';
export { type BootstrapPlan, planBootstrap, planInstanceIsolation } from './bootstrap/plan-bootstrap.ts';
export type { PlannedObject } from './bootstrap/planned-object.ts';
export { renderBootstrapPlan } from './bootstrap/render-bootstrap-plan.ts';
export type { KubernetesClient } from './client/kubernetes-client.ts';
export { createKubernetesClient, type KubernetesClientOptions } from './client/kubernetes-client.ts';
export { type InClusterOptions, inClusterConnection } from './connection/in-cluster-connection.ts';
export { type KubeconfigOptions, kubeconfigConnection } from './connection/kubeconfig-connection.ts';
export type { KubernetesConnection, KubernetesCredentials } from './connection/kubernetes-connection.ts';
export type { FieldConflict } from './kubernetes-errors.ts';
export {
  createKubernetesStatusSource,
  type KubernetesStatusSourceOptions,
} from './status/kubernetes-status-source.ts';
export type { Finding, FindingRule } from './verify/finding.ts';
export { verify } from './verify/verify.ts';
