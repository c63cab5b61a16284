import type { CallOptions } from '../call-options.ts';
import type { ChartSource, UnpinnedChartSource } from '../model/chart-source.ts';

/** Finds the exact version behind a range, or behind no version at all, before it is stored. */
export interface ChartResolver {
  /** @throws {CaelusError} `CHART_VERSION_FLOATING` where nothing matches, `UNAVAILABLE` */
  resolve(chart: UnpinnedChartSource, options?: CallOptions): Promise<ChartSource>;
}
