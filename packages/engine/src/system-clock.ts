import { setTimeout } from 'node:timers/promises';
import type { Clock } from '@caelus/core';

/** The machine's time. */
export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(milliseconds, { signal } = {}) {
    signal?.throwIfAborted();
    // Node rejects with an AbortError that wraps the reason; callers are promised the reason itself.
    await setTimeout(milliseconds, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      throw signal?.aborted ? signal.reason : error;
    });
  },
};
