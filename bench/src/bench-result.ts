/** One line of a report: what some work took, beside what a user would pick instead. Serialises to JSON as it is. */
export interface BenchResult {
  /** The benchmark it belongs to: `git-commit`, `values`, `render`. */
  readonly name: string;
  /** What was measured. */
  readonly work: string;
  /** What it is compared with; `null` where there is nothing to compare. */
  readonly against: string | null;
  readonly unit: 'ms' | 'µs/row' | 'changes/s' | 'rows/s' | 'bytes' | 'MB' | 'objects' | 'manifests' | 'exponent';
  /** The median of the runs, in `unit`. */
  readonly median: number;
  readonly againstMedian: number | null;
  /** How many times `work` is better than `against`, faster or smaller: above 1, `work` wins. */
  readonly ratio: number | null;
  /** What was to be reached, for the sizes that it was set for. */
  readonly target: { readonly text: string; readonly reached: boolean } | null;
  readonly runs: number;
  /** Sizes and settings that the figures depend on. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 50);
}

/** Between the two nearest samples where it falls between them. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Milliseconds that `work` takes, waited for. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
