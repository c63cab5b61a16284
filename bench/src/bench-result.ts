/** One line of a report: how long some work took, beside what a user would pick instead. Serialises to JSON as it is. */
export interface BenchResult {
  /** The benchmark it belongs to: `commit`, `values`, `render`. */
  readonly name: string;
  /** What was measured. */
  readonly work: string;
  /** What it is compared with; `null` where there is nothing to compare. */
  readonly against: string | null;
  readonly medianMs: number;
  /** Median of `against` by that of `work`: above 1, `work` is faster. `null` where there is no comparison. */
  readonly ratio: number | null;
  readonly runs: number;
  /** Sizes and settings that the figures depend on. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
}

export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Milliseconds that `work` takes, waited for. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
