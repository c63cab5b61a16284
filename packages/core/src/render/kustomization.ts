import { CaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import { instanceFiles } from '../layout/layout.ts';
import type { ChartSource } from '../model/chart-source.ts';
import { chartLocation } from './chart-location.ts';
import { toManifest } from './manifest.ts';
import type { RenderInstanceInput } from './render-instance.ts';
import { renderYaml } from './render-yaml.ts';
import { RETAIN_ANNOTATIONS } from './retain.ts';

/**
 * The kustomization that renders the instance's chart with its values and patches what comes out. The chart lies in a
 * Helm repository, an OCI registry, or the GitOps repository: kustomize cannot read a chart from another Git repository.
 * @throws {CaelusError} `KUSTOMIZE_UNSUPPORTED`
 */
export function kustomization(input: RenderInstanceInput): JsonObject {
  const { instance } = input;
  return toManifest({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    ...helmChart(input),
    patches: instance.deletionPolicy === 'retain' ? [RETAIN_EVERY_VOLUME] : undefined,
  });
}

const RETAIN_EVERY_VOLUME = {
  target: { kind: 'PersistentVolumeClaim' },
  patch: new TextDecoder().decode(
    renderYaml({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'any', annotations: RETAIN_ANNOTATIONS },
    }),
  ),
};

function helmChart({ context, instance, templateVersion }: RenderInstanceInput): JsonObject {
  const release = {
    releaseName: instance.releaseName,
    namespace: instance.namespace,
    // As Argo CD renders charts.
    includeCRDs: true,
    valuesFile: 'values.yaml',
  };
  const { chart } = templateVersion;
  if (chart.type !== 'git') {
    return { helmCharts: [{ ...release, name: chart.chart, repo: chart.repoURL, version: chart.version }] };
  }
  const location = chartLocation(chart, context);
  if (location.kind !== 'gitops') throw kustomizeUnsupported(chart.type);
  const { directory } = instanceFiles(context.layout, instance.id);
  const up = '../'.repeat(directory.split('/').length);
  // charts/<name>/<version>: to kustomize the home is the chart's folder, and the chart's name the version's.
  const end = location.path.lastIndexOf('/');
  return {
    helmGlobals: { chartHome: `${up}${location.path.slice(0, end)}` },
    helmCharts: [{ ...release, name: location.path.slice(end + 1) }],
  };
}

/** Refuses a chart that no overlay can be made of. @throws {CaelusError} `KUSTOMIZE_UNSUPPORTED` */
export function assertKustomizable(chart: ChartSource): void {
  if (chart.type === 'git' && chart.repoURL !== undefined) throw kustomizeUnsupported(chart.type);
}

function kustomizeUnsupported(chartType: string): CaelusError {
  return new CaelusError({
    code: 'KUSTOMIZE_UNSUPPORTED',
    message:
      'The kustomize overlay cannot read a chart from another Git repository. Publish the chart in a Helm repository, in an OCI registry or in the GitOps repository, or do without the overlay.',
    details: { chartType },
  });
}
