import type { Clock } from '@caelus/core';
import { createLinkedAbort } from '@caelus/core/adapter';

/** A sleep whose end may move while it lasts. */
export interface MovableSleep {
  /** Resolves once the clock has reached `due`, as it then is. Rejects with the reason of the signal. */
  until(due: () => number, signal: AbortSignal): Promise<void>;
  /** Has the sleeper look anew at when it is due. */
  moved(): void;
}

export function createMovableSleep(clock: Clock): MovableSleep {
  let nudge = () => {};
  return {
    async until(due, signal) {
      for (;;) {
        signal.throwIfAborted();
        const left = due() - clock.now().getTime();
        if (left <= 0) return;
        using sleeping = createLinkedAbort(signal);
        nudge = sleeping.abort;
        await clock.sleep(left, sleeping).catch(() => {});
      }
    },
    moved: () => nudge(),
  };
}
