import type { JsonObject } from '../json-value.ts';
import type { RepoPath } from '../layout/repo-path.ts';
import { IN_CLUSTER } from '../model/destination.ts';
import { ROOT_PROJECT } from './app-project.ts';
import { gitOpsPath, gitOpsRevision } from './chart-location.ts';
import { toManifest } from './manifest.ts';
import type { RenderContext } from './render-context.ts';
import { retryPolicy } from './retry-policy.ts';

/**
 * An Application whose resources are the Applications and AppProjects below `directories`. It has no finalizer: removing
 * it, or moving its shard, leaves its Applications running.
 */
export function rootApplication(
  context: RenderContext,
  directories: readonly RepoPath[],
  shard: string | null,
): JsonObject {
  const paths = directories.map((path) => gitOpsPath(context, path));
  const sources = paths.map((path) => ({
    repoURL: context.gitOps.repoURL,
    targetRevision: gitOpsRevision(context),
    path,
  }));
  return toManifest({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: shard === null ? ROOT_PROJECT : `${ROOT_PROJECT}-${shard}`,
      namespace: context.argoCd.namespace,
      labels: { 'app.kubernetes.io/managed-by': 'caelus' },
      annotations: {
        'argocd.argoproj.io/manifest-generate-paths': paths.map((path) => `/${path}`).join(';'),
      },
    },
    spec: {
      project: ROOT_PROJECT,
      destination: { ...IN_CLUSTER, namespace: context.argoCd.namespace },
      ...(sources.length === 1 ? { source: sources[0] } : { sources }),
      // Argo CD adds these to an Application whose chart turns out to have delete hooks; taking them off again, as
      // self-healing would, makes it skip the hooks.
      ignoreDifferences: [
        {
          group: 'argoproj.io',
          kind: 'Application',
          jqPathExpressions: [
            '.metadata.finalizers[]? | select(startswith("pre-delete-finalizer.") or startswith("post-delete-finalizer."))',
          ],
        },
      ],
      syncPolicy: {
        // The last instance may go: without allowEmpty, Argo CD would refuse to prune it.
        automated: { prune: true, selfHeal: true, allowEmpty: true },
        retry: retryPolicy(context),
        syncOptions: ['ApplyOutOfSyncOnly=true', 'RespectIgnoreDifferences=true'],
      },
    },
  });
}

/** Tells whether a root Application has this name. */
export function isRootName(name: string): boolean {
  return /^caelus-root(?:-[0-9a-f]{2})?$/.test(name);
}
