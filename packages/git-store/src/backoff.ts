import { setTimeout as delay } from 'node:timers/promises';

export interface Backoff {
  readonly baseMilliseconds: number;
  readonly mostMilliseconds: number;
}

/** Waits a random time up to a bound that doubles with each attempt, so that those who collided do not collide again. */
export async function pause(attempt: number, backoff: Backoff, signal: AbortSignal | undefined): Promise<void> {
  const most = Math.min(backoff.mostMilliseconds, backoff.baseMilliseconds * 2 ** Math.min(attempt, 20));
  await waitFor(Math.random() * most, signal);
}

/** Waits, and throws the signal's reason where that comes first. */
export async function waitFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? undefined : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
