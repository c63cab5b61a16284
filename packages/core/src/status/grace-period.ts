import { type Timestamp, toTimestamp } from '../model/identifier.ts';

/** How long something may last before it counts. */
export interface GracePeriod {
  readonly now: Timestamp;
  /** Default 30 seconds. */
  readonly graceMilliseconds?: number | undefined;
}

/** The end of the grace period of what began at `since`; `null` where it is over, and where nobody knows when it began. */
export function graceEndOf(
  { now, graceMilliseconds = 30_000 }: GracePeriod,
  since: string | undefined,
): Timestamp | null {
  const end = Date.parse(since ?? '') + graceMilliseconds;
  return end > Date.parse(now) ? toTimestamp(new Date(end)) : null;
}
