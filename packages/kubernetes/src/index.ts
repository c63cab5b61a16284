// The whole public API of @caelus/kubernetes: named re-exports only.

export type { KubernetesClient } from './client/kubernetes-client.ts';
export { createKubernetesClient, type KubernetesClientOptions } from './client/kubernetes-client.ts';
export { type InClusterOptions, inClusterConnection } from './connection/in-cluster-connection.ts';
export { type KubeconfigOptions, kubeconfigConnection } from './connection/kubeconfig-connection.ts';
export type { KubernetesConnection, KubernetesCredentials } from './connection/kubernetes-connection.ts';
export {
  createKubernetesStatusSource,
  type KubernetesStatusSourceOptions,
} from './status/kubernetes-status-source.ts';
