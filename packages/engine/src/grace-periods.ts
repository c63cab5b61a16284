import type { CallOptions, Clock, Timestamp } from '@caelus/core';
import { createWakeUp } from './wake-up.ts';

/**
 * The Applications whose status is another once a grace period is over. Argo CD says nothing at that moment, so they have to be
 * looked at again.
 */
export interface GracePeriods {
  /** What the last look at an Application came to; `null` where no grace period runs. */
  note(name: string, end: Timestamp | null): void;
  /** Resolves with the names of those whose grace period is over, once there are any. A look that notes them takes them out. */
  over(options?: CallOptions): Promise<readonly string[]>;
}

/** How long a timer may run: those of Node.js have 31 bits. */
const LONGEST_WAIT = 2 ** 31 - 1;

/** Makes one that knows of none. */
export function createGracePeriods(clock: Clock): GracePeriods {
  const ends = new Map<string, number>();
  const noted = createWakeUp(clock);
  return {
    note(name, end) {
      if (end === null) {
        ends.delete(name);
        return;
      }
      ends.set(name, Date.parse(end));
      noted.wake();
    },
    async over(options = {}) {
      for (;;) {
        const seen = noted.count();
        const now = clock.now().getTime();
        const names = [...ends].filter(([, end]) => end <= now).map(([name]) => name);
        if (names.length > 0) return names;
        await noted.wait(seen, Math.min(LONGEST_WAIT, ...[...ends.values()].map((end) => end - now)), options);
      }
    },
  };
}
