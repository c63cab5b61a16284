import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '@caelus/core/adapter';
import { isBusy } from './sqlite-errors.ts';

/**
 * How long one call may block the thread to wait for another process (`PRAGMA busy_timeout`). The rest of the busy timeout
 * is waited for between calls, where the thread is free: the lock may be held by a transaction of this very thread.
 */
export const BLOCKING_MILLISECONDS = 10;
const LONGEST_PAUSE_MILLISECONDS = 50;

/** Makes an attempt until the database is not busy; its error stands once the timeout has passed. */
export async function retryWhileBusy<T>(
  attempt: () => T,
  timeoutMilliseconds: number,
  signal?: AbortSignal,
): Promise<T> {
  const deadline = performance.now() + timeoutMilliseconds;
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MILLISECONDS)) {
    signal?.throwIfAborted();
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    await abortable(sleep(pause), signal);
  }
}
