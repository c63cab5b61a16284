import type { JsonObject } from '../json-value.ts';
import { IN_CLUSTER } from '../model/destination.ts';
import type { TierName } from '../model/identifier.ts';
import type { SyncWindow, Tier } from '../model/tier.ts';
import { argoCdFeatures } from './argo-cd-version.ts';
import { withoutScheme } from './chart-location.ts';
import { toManifest } from './manifest.ts';
import type { RenderContext } from './render-context.ts';

/** The AppProject of the root Applications. No tier can be called `root`. */
export const ROOT_PROJECT = 'caelus-root';

/** The AppProject of a tier's instances. */
export function projectName(tier: TierName): string {
  return `caelus-${tier}`;
}

/** The AppProject that limits what a tier's instances may be made of, where they may go, and when they sync. */
export function tierProject(context: RenderContext, tier: Tier): JsonObject {
  const { gitOps, naming, argoCd } = context;
  const pattern = naming.namespacePattern;
  const clusters = tier.destinations ?? [{ server: '*' }];
  const windows = tier.syncWindows?.map(syncWindow) ?? [];
  const charts = argoCd.sourceRepos === undefined ? ['*'] : [gitOps.repoURL, ...argoCd.sourceRepos.map(withoutScheme)];
  return appProject(context, projectName(tier.name), {
    description: `Instances of the tier ${tier.name}`,
    sourceRepos: [...new Set(charts)],
    // The last entry grants nothing and takes Argo CD's own namespace from whatever the others grant.
    destinations: [
      ...clusters.map((cluster) => ({ ...cluster, namespace: pattern })),
      { namespace: `!${argoCd.namespace}` },
    ],
    clusterResourceWhitelist: [
      { group: '', kind: 'Namespace', name: argoCdFeatures(argoCd.version).clusterResourceNames ? pattern : undefined },
    ],
    // Quotas, limits and network policies are not on the list: Caelus's own come through the same project.
    namespaceResourceBlacklist: ['Application', 'ApplicationSet', 'AppProject'].map(argoCdKind),
    syncWindows: windows.length > 0 ? windows : undefined,
  });
}

/** The AppProject of the root Applications: they may write Applications and AppProjects, from this repository alone. */
export function rootProject(context: RenderContext): JsonObject {
  return appProject(context, ROOT_PROJECT, {
    description: 'What Caelus writes into Argo CD itself',
    sourceRepos: [context.gitOps.repoURL],
    destinations: [{ ...IN_CLUSTER, namespace: context.argoCd.namespace }],
    namespaceResourceWhitelist: ['Application', 'AppProject'].map(argoCdKind),
  });
}

function appProject(context: RenderContext, name: string, spec: Parameters<typeof toManifest>[0]): JsonObject {
  return toManifest({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'AppProject',
    metadata: {
      name,
      namespace: context.argoCd.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'caelus' },
      // Argo CD keeps the project until no Application is left in it; without its project nothing of theirs is deleted.
      finalizers: ['resources-finalizer.argocd.argoproj.io'],
    },
    spec,
  });
}

function argoCdKind(kind: string): JsonObject {
  return { group: 'argoproj.io', kind };
}

function syncWindow({ kind, schedule, duration, timeZone, manualSync }: SyncWindow): Parameters<typeof toManifest>[0] {
  return {
    kind,
    schedule,
    duration,
    applications: ['*'],
    timeZone,
    manualSync: manualSync === true ? true : undefined,
  };
}
