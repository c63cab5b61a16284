import type { Timings } from './caelus-options.ts';

/**
 * How long to wait after the failure that follows `attempts` others, in milliseconds: twice as long each time, up to the limit, and of
 * that a random part between a half and the whole, so that what failed together does not come back together. `random` is
 * from 0 up to 1.
 */
export function retryDelay(
  attempts: number,
  { retry, retryLimit }: Pick<Timings, 'retry' | 'retryLimit'>,
  random: number,
): number {
  const whole = Math.min(retryLimit, retry * 2 ** Math.min(attempts, 31));
  return Math.ceil(whole * (0.5 + random / 2));
}
