import {
  type JsonObject,
  projectFile,
  REPOSITORY_FILES,
  type RenderContext,
  type RepoPath,
  type RepoTree,
  renderRepository,
  type StoreId,
} from '@caelus/core';
import { refuseInput } from '@caelus/core/adapter';
import { parseAllDocuments } from 'yaml';
import { accessObjects } from './access-objects.ts';
import {
  type BootstrapInput,
  checkBootstrapInput,
  type InstanceIsolationOptions,
  instanceIsolationIssues,
} from './bootstrap-input.ts';
import { repositorySecret, webhookSecret } from './credential-objects.ts';
import { controllersOf, instanceIsolationObjects } from './instance-isolation.ts';
import { notificationObjects } from './notification-objects.ts';
import { type PlannedObject, STORE_ANNOTATION } from './planned-object.ts';

/** Everything that a cluster with Argo CD needs for Caelus, in the order in which it is applied. */
export interface BootstrapPlan {
  readonly storeId: StoreId;
  readonly objects: readonly PlannedObject[];
}

/**
 * Plans what a cluster with Argo CD needs for Caelus: a service account with the least rights, the AppProjects, what keeps instances out
 * of each other's namespaces, the repository's credentials, notifications, the webhook's secret, and the root Application. Pure: equal
 * input gives an equal plan.
 * AppProjects and the root Application are what `argo-cd/` in the GitOps repository says.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function planBootstrap(input: BootstrapInput): BootstrapPlan {
  checkBootstrapInput(input);
  const { context, tiers, repository, serviceAccount = {}, instanceIsolation = {}, notifications, webhook } = input;
  const tree = renderRepository({ context, tiers });
  const [rootProject, rootApplication] = manifestsIn(tree, REPOSITORY_FILES.root) as [JsonObject, JsonObject];
  const objects: readonly PlannedObject[] = [
    ...(serviceAccount === false ? [] : accessObjects(context.argoCd.namespace, serviceAccount)),
    {
      ownership: 'own',
      reason: 'Limits the root Application to Applications and AppProjects, from the GitOps repository alone.',
      manifest: rootProject,
    },
    ...tiers.map(
      ({ name }): PlannedObject => ({
        ownership: 'seed',
        reason: `Limits the instances of the tier ${name}. From Git, too, so that from now on Git says what is in it.`,
        manifest: manifestsIn(tree, projectFile(name))[0] as JsonObject,
      }),
    ),
    ...(instanceIsolation === false
      ? []
      : instanceIsolationObjects(context, controllersOf(instanceIsolation, context.argoCd.namespace))),
    ...(repository === undefined ? [] : [repositorySecret(context, repository)]),
    ...(webhook === undefined ? [] : [webhookSecret(context, webhook)]),
    ...(notifications === undefined ? [] : notificationObjects(context, notifications)),
    {
      ownership: 'own',
      reason: 'Brings what Caelus writes to Git into Argo CD. Last, because it needs all of the above.',
      manifest: rootApplication,
    },
  ];
  return planOf(context, objects);
}

/** As whom Argo CD reaches a cluster that `argocd cluster add` has told it of. */
const ARGOCD_MANAGER = 'system:serviceaccount:kube-system:argocd-manager';

/**
 * Plans what keeps instances out of each other's namespaces in a cluster that Argo CD reaches from outside: `planBootstrap` does so in its
 * own. To be applied by `bootstrap` with a client of that cluster. Pure.
 * @param options - `controllers` is by default the service account that `argocd cluster add` makes.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function planInstanceIsolation(context: RenderContext, options: InstanceIsolationOptions = {}): BootstrapPlan {
  refuseInput('The isolation of instances', instanceIsolationIssues('', options));
  return planOf(context, instanceIsolationObjects(context, options.controllers ?? [ARGOCD_MANAGER]));
}

function planOf(context: RenderContext, objects: readonly PlannedObject[]): BootstrapPlan {
  return { storeId: context.storeId, objects: objects.map((object) => marked(object, context)) };
}

/** What is Caelus's says so, and of which database it is. */
function marked(object: PlannedObject, { storeId }: RenderContext): PlannedObject {
  if (object.ownership === 'shared') return object;
  const { metadata, ...rest } = object.manifest;
  const { labels, annotations, ...names } = metadata as JsonObject;
  return {
    ...object,
    manifest: {
      ...rest,
      metadata: {
        ...names,
        labels: { ...(labels as JsonObject), 'app.kubernetes.io/managed-by': 'caelus' },
        annotations: { ...(annotations as JsonObject), [STORE_ANNOTATION]: storeId },
      },
    },
  };
}

function manifestsIn(tree: RepoTree, path: RepoPath): readonly JsonObject[] {
  const text = new TextDecoder().decode(tree.get(path));
  return (parseAllDocuments(text) as { toJS(): JsonObject }[]).map((document) => document.toJS());
}
