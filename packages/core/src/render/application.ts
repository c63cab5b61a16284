import type { JsonObject } from '../json-value.ts';
import { instanceFiles } from '../layout/layout.ts';
import type { RepoPath } from '../layout/repo-path.ts';
import { SPEC_HASH_ANNOTATION } from '../status/map-status.ts';
import { projectName } from './app-project.ts';
import { argoCdFeatures } from './argo-cd-version.ts';
import { type ChartLocation, chartLocation, gitOpsPath, gitOpsRevision } from './chart-location.ts';
import { hashJson } from './content-hash.ts';
import { labelsOfInstance } from './labels-of-instance.ts';
import { toManifest } from './manifest.ts';
import type { RenderInstanceInput } from './render-instance.ts';
import { retryPolicy } from './retry-policy.ts';

/** An Application of Argo CD, and the hash of its spec. */
export interface RenderedApplication {
  readonly manifest: JsonObject;
  readonly specHash: string;
}

/**
 * The Application of an instance. Nothing that a user wrote stands in it: values reach Helm through a file alone, because
 * Argo CD substitutes variables in Helm parameters, and copies the spec into its status and its history.
 */
export function renderApplication(input: RenderInstanceInput): RenderedApplication {
  const { context, instance, product, templateVersion } = input;
  const chart = chartLocation(templateVersion.chart, context);
  const spec = applicationSpec(input, chart);
  const specHash = hashJson(spec);
  const watched = [
    instanceFiles(context.layout, instance.id).directory,
    ...(chart.kind === 'gitops' ? [chart.path] : []),
  ];
  const manifest = toManifest({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: instance.argoAppName,
      namespace: context.argoCd.namespace,
      labels: labelsOfInstance(instance, product),
      annotations: {
        // Absolute: relative to a chart's source, which has no path, they would name the whole repository.
        'argocd.argoproj.io/manifest-generate-paths': watched.map((path) => `/${gitOpsPath(context, path)}`).join(';'),
        // The API server says what would change. By itself Argo CD takes defaults in lists, such as the claims of a StatefulSet,
        // for differences that no sync can end.
        'argocd.argoproj.io/compare-options': 'ServerSideDiff=true',
        [SPEC_HASH_ANNOTATION]: specHash,
      },
      finalizers: finalizers(input),
    },
    spec,
  });
  return { manifest, specHash };
}

function applicationSpec(
  { context, instance, templateVersion, tier }: RenderInstanceInput,
  chart: ChartLocation,
): JsonObject {
  const files = instanceFiles(context.layout, instance.id);
  const at = (path: RepoPath) => gitOpsPath(context, path);
  const overlay = templateVersion.capabilities.kustomize === true;
  const gitOps = { repoURL: context.gitOps.repoURL, targetRevision: gitOpsRevision(context) };
  const helm = { releaseName: instance.releaseName, valueFiles: [`$values/${at(files.values)}`] };
  const { kind, ...place } = chart.kind === 'gitops' ? { ...chart, ...gitOps, path: at(chart.path) } : chart;
  const chartSource = overlay ? { ...gitOps, path: at(files.directory) } : { ...place, helm };
  return toManifest({
    project: projectName(tier.name),
    destination: { ...instance.destination, namespace: instance.namespace },
    // First, because sources are resolved in turn: the recorded commit is then never newer than the values that were read.
    // A reference that nothing refers to would keep Argo CD from comparing the source's own path.
    sources: [{ ...gitOps, path: at(files.manifests), ref: overlay ? undefined : 'values' }, chartSource],
    syncPolicy: {
      automated: { prune: true, selfHeal: tier.selfHeal === false ? undefined : true },
      retry: retryPolicy(context),
      // The second refuses to take over an object that another Application has, such as another instance's namespace.
      syncOptions: ['ServerSideApply=true', 'FailOnSharedResource=true'],
    },
  });
}

/**
 * Deleting the Application deletes what it made, in the foreground. The finalizers of delete hooks are those that Argo CD
 * itself would add: with them in Git, it and Git agree.
 */
function finalizers({ context, templateVersion }: RenderInstanceInput): readonly string[] {
  const declared = templateVersion.capabilities.deleteHooks ?? [];
  const { preDeleteHooks } = argoCdFeatures(context.argoCd.version);
  const hooks = (['pre-delete', 'post-delete'] as const).filter(
    (hook) => declared.includes(hook) && (hook === 'post-delete' || preDeleteHooks),
  );
  const names = hooks.map((hook) => `${hook}-finalizer.argocd.argoproj.io`);
  return ['resources-finalizer.argocd.argoproj.io', ...names.flatMap((name) => [name, `${name}/cleanup`])];
}
