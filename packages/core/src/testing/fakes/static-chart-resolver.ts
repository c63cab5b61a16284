import { CaelusError } from '../../errors.ts';
import { parseChartSource } from '../../model/chart-source.ts';
import type { ChartResolver } from '../../ports/chart-resolver.ts';

/**
 * Resolves from a list that a test gives: chart name → versions, the newest last. A version that is left out is the
 * newest; `^1` and `1.x` are the newest of that major version.
 */
export function createStaticChartResolver(versions: Readonly<Record<string, readonly string[]>>): ChartResolver {
  return {
    async resolve(chart, { signal } = {}) {
      signal?.throwIfAborted();
      if (chart.type === 'git') return parseChartSource(chart);
      const known = versions[chart.chart] ?? [];
      const major = /^(?:\^(\d+)|(\d+)\.x)$/.exec(chart.version ?? '');
      const wanted = major
        ? known.findLast((version) => version.startsWith(`${major[1] ?? major[2]}.`))
        : chart.version === undefined
          ? known.at(-1)
          : known.find((version) => version === chart.version);
      if (wanted !== undefined) return parseChartSource({ ...chart, version: wanted });
      const message = `No version of the chart ${chart.chart} matches.`;
      throw new CaelusError({
        code: 'CHART_VERSION_FLOATING',
        message,
        details: { issues: [{ path: '/version', message }] },
      });
    },
  };
}
