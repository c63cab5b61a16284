import { type BenchResult, median } from '../bench-result.ts';

/** Milliseconds of the Git store beside those of another way. */
export function compareTimes({
  ours,
  theirs,
  target = () => null,
  ...rest
}: Pick<BenchResult, 'name' | 'work' | 'parameters'> & {
  readonly against: string;
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
  readonly target?: (ratio: number) => BenchResult['target'];
}): BenchResult {
  const ratio = median(theirs) / median(ours);
  return {
    ...rest,
    unit: 'ms',
    median: median(ours),
    againstMedian: median(theirs),
    ratio,
    target: target(ratio),
    runs: Math.min(ours.length, theirs.length),
  };
}
