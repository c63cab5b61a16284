import type { CallOptions, Clock } from '@caelus/core';

/** Tells waiting loops of this process that there is something to do, so that they need not wait for their next poll. */
export interface WakeUp {
  wake(): void;
  /** How often there was something to do. Taken before one looks, it keeps a change in between from being slept through. */
  count(): number;
  /** Resolves once there was something to do after `seen`, or after `milliseconds`. */
  wait(seen: number, milliseconds: number, options?: CallOptions): Promise<void>;
}

/** Makes a wake-up. */
export function createWakeUp(clock: Clock): WakeUp {
  const waiting = new Set<AbortController>();
  const woken = new Error('woken');
  let count = 0;
  return {
    count: () => count,
    wake() {
      count += 1;
      for (const waiter of waiting) waiter.abort(woken);
    },
    async wait(seen, milliseconds, { signal } = {}) {
      signal?.throwIfAborted();
      if (seen !== count) return;
      const waiter = new AbortController();
      // Not AbortSignal.any: Node.js 20 keeps something of each for as long as the host's signal lives, which is for good.
      const stop = () => waiter.abort(signal?.reason);
      signal?.addEventListener('abort', stop, { once: true });
      waiting.add(waiter);
      try {
        await clock.sleep(milliseconds, { signal: waiter.signal });
      } catch (error) {
        if (error !== woken) throw error;
      } finally {
        waiting.delete(waiter);
        signal?.removeEventListener('abort', stop);
      }
    },
  };
}
