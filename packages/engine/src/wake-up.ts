import type { CallOptions, Clock } from '@caelus/core';

/** Tells waiting loops of this process that there is something to do, so that they need not wait for their next poll. */
export interface WakeUp {
  wake(): void;
  /** Resolves at the next wake-up, or after `milliseconds`. */
  wait(milliseconds: number, options?: CallOptions): Promise<void>;
}

/** Makes a wake-up. */
export function createWakeUp(clock: Clock): WakeUp {
  const waiting = new Set<AbortController>();
  const woken = new Error('woken');
  return {
    wake() {
      for (const waiter of waiting) waiter.abort(woken);
    },
    async wait(milliseconds, { signal } = {}) {
      const waiter = new AbortController();
      waiting.add(waiter);
      try {
        await clock.sleep(milliseconds, { signal: signal ? AbortSignal.any([signal, waiter.signal]) : waiter.signal });
      } catch (error) {
        if (error !== woken) throw error;
      } finally {
        waiting.delete(waiter);
      }
    },
  };
}
