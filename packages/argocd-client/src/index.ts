// The whole public API of @caelus/argocd-client: named re-exports only.

export type { ArgoCdAccounts } from './accounts.ts';
export type { ArgoCdSchemas } from './api.ts';
export type {
  ApplicationAddress,
  ApplicationFilter,
  ApplicationListing,
  ArgoCdApplications,
  LogRequest,
  ResourceFilter,
  SyncRequest,
} from './applications.ts';
export type { ArgoCdClientOptions, ArgoCdLogin, ArgoCdToken } from './argo-cd-client-options.ts';
// Without a type of its own there, what that file adds to the codes of the core would not be published.
export type { ArgoCdPlace } from './argo-cd-errors.ts';
export type { ArgoCdClusters, ClusterAddress } from './clusters.ts';
export { type ArgoCdClient, type ArgoCdUser, createArgoCdClient } from './create-argo-cd-client.ts';
export type { ArgoCdProjects, NewToken } from './projects.ts';
export {
  type ArgoCdNotificationReceiver,
  type ArgoCdNotificationReceiverOptions,
  createArgoCdNotificationReceiver,
  type NotificationProof,
} from './receiver/create-argo-cd-notification-receiver.ts';
export type { ArgoCdRepositories, ArgoCdRepositoryCredentials } from './repositories.ts';
export { type ArgoCdStatusSourceOptions, createArgoCdStatusSource } from './status/create-argo-cd-status-source.ts';
export {
  type ArgoCdWebhookNotifierOptions,
  createArgoCdWebhookNotifier,
} from './webhook/create-argo-cd-webhook-notifier.ts';
export type { WebhookProvider } from './webhook/webhook-payload.ts';
