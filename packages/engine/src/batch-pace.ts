import type { Timings } from './caelus-options.ts';
import { retryDelay } from './retry-delay.ts';

/** How a worker takes up work: how much at once, and how often in a row it has failed as a whole. */
export interface BatchPace {
  readonly size: number;
  readonly failures: number;
}

/** What became of a batch. */
export interface BatchOutcome {
  readonly claimed: number;
  readonly milliseconds: number;
  /** It failed as a whole: the store was away, or others kept moving the branch. */
  readonly failed: boolean;
}

/** Small enough to be written in a moment, and large enough that two or three doublings reach what pays. */
const FIRST_SIZE = 20;
/** What is requested while a batch is written waits for it; none should take longer than this. */
const LONGEST_MILLISECONDS = 2_000;

export function firstPace({ batch }: Pick<Timings, 'batch'>): BatchPace {
  return { size: Math.min(FIRST_SIZE, batch), failures: 0 };
}

/**
 * How to go on after a batch, and how long to wait before, in milliseconds. Who is idle takes a little at once; under load the
 * batches grow, as long as they are quick; what fails as a whole is tried again in halves, each time later. `wait` is `null`
 * where there was nothing to do: then there is something to wait for.
 */
export function paceAfter(
  pace: BatchPace,
  outcome: BatchOutcome,
  timings: Pick<Timings, 'batch' | 'retry' | 'retryLimit'>,
  random: number,
): { readonly pace: BatchPace; readonly wait: number | null } {
  const least = Math.min(FIRST_SIZE, timings.batch);
  if (outcome.failed) {
    const failed = { size: Math.max(1, Math.floor(pace.size / 2)), failures: pace.failures + 1 };
    return { pace: failed, wait: retryDelay(pace.failures, timings, random) };
  }
  if (outcome.claimed === 0) return { pace: { size: least, failures: 0 }, wait: null };
  const isFull = outcome.claimed >= pace.size;
  const isSlow = outcome.milliseconds > LONGEST_MILLISECONDS;
  const half = Math.max(least, Math.floor(pace.size / 2));
  const size = isFull && !isSlow ? Math.min(timings.batch, pace.size * 2) : Math.min(pace.size, half);
  return { pace: { size, failures: 0 }, wait: 0 };
}
