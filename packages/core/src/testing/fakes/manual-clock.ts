import type { Clock } from '../../ports/clock.ts';

/** A clock that stands still until it is told to move; sleepers wake when their time has come. */
export interface ManualClock extends Clock {
  advance(milliseconds: number): void;
}

/** Makes a clock that starts at `start` (default 2026-01-01T00:00:00Z). */
export function createManualClock(start: string = '2026-01-01T00:00:00.000Z'): ManualClock {
  let milliseconds = Date.parse(start);
  const sleepers = new Set<{ readonly due: number; wake(): void }>();
  return {
    now: () => new Date(milliseconds),
    advance(by) {
      milliseconds += by;
      for (const sleeper of [...sleepers].sort((a, b) => a.due - b.due))
        if (sleeper.due <= milliseconds) sleeper.wake();
    },
    sleep: (duration, { signal } = {}) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (duration <= 0) return resolve();
        const stop = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper = {
          due: milliseconds + duration,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', stop);
            resolve();
          },
        };
        signal?.addEventListener('abort', stop, { once: true });
        sleepers.add(sleeper);
      }),
  };
}
