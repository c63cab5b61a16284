import {
  below,
  CaelusError,
  diffTrees,
  type GitChartSource,
  type ProposedChange,
  parseChartSource,
  parseRepoPath,
  type RepoPath,
  type RepoTree,
} from '@caelus/core';
import { inputRefused } from '@caelus/core/adapter';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import type { EngineContext } from './engine-context.ts';

/** A chart that is kept in the GitOps repository itself. */
export interface NewChart {
  readonly name: string;
  /** An exact version. */
  readonly version: string;
  /** The chart's files: path within the chart → content. `Chart.yaml` is among them. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** How large a chart may be. */
export const CHART_LIMITS: { readonly files: number; readonly bytes: number } = { files: 1000, bytes: 5 * 1024 * 1024 };

/** Charts in the GitOps repository, for hosts without a chart repository. */
export interface Charts {
  /**
   * Writes a chart to `charts/<name>/<version>`, where it never changes again. Returns the source to publish a template
   * version with. Publishing the same files again does nothing.
   * @throws {CaelusError} `CHART_VERSION_IMMUTABLE`, `CHART_VERSION_FLOATING`, `PATH_INVALID`, `INVALID_INPUT`
   */
  publish(chart: NewChart, options?: CommandOptions): Promise<GitChartSource>;
}

export function createCharts({ store, observe }: EngineContext): Charts {
  return {
    publish: (chart, options = {}) =>
      observe('chart-publish', {}, async () => {
        const { actor } = parseCommandOptions(options);
        const source = parseChartSource({
          type: 'git',
          path: `charts/${chart.name}/${chart.version}`,
        }) as GitChartSource;
        const directory = parseRepoPath(source.path);
        const wanted = chartTree(directory, chart.files);
        const change: ProposedChange = {
          subject: source.path,
          async propose(snapshot) {
            const found = await snapshot.readTree(directory);
            const edits = diffTrees(found, wanted);
            if (edits.length === 0) return null;
            if (found.size > 0) throw chartImmutable(source.path);
            return { edits, summary: `publish chart ${chart.name} ${chart.version}`, trailers: [], actor };
          },
        };
        const [receipt] = await store.write([change], options);
        if (receipt?.outcome === 'failed') throw receipt.error;
        return source;
      }),
  };
}

function chartTree(directory: RepoPath, files: ReadonlyMap<string, Uint8Array>): RepoTree {
  const bytes = [...files.values()].reduce((sum, content) => sum + content.length, 0);
  const problem = !files.has('Chart.yaml')
    ? 'A chart has a file Chart.yaml.'
    : files.size > CHART_LIMITS.files || bytes > CHART_LIMITS.bytes
      ? `A chart has at most ${CHART_LIMITS.files} files and ${CHART_LIMITS.bytes} bytes.`
      : undefined;
  if (problem !== undefined) throw inputRefused('The chart', [{ path: '/files', message: problem }]);
  return new Map([...files].map(([path, content]) => [below(directory, ...path.split('/')), content]));
}

function chartImmutable(path: string): CaelusError {
  const message = `The chart in ${path} was published before with other files, and never changes. Publish a new version.`;
  return new CaelusError({ code: 'CHART_VERSION_IMMUTABLE', message, details: { path } });
}
