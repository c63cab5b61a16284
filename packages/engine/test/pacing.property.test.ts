import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchOutcome, type BatchPace, firstPace, paceAfter } from '../src/batch-pace.ts';
import { retryDelay } from '../src/retry-delay.ts';
import { isVacant, type WatchedLease, watchLease } from '../src/writer-election.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const waits = fc.record({
  retry: fc.integer({ min: 1, max: 10_000 }),
  retryLimit: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
});

describe('the wait after a failure', () => {
  it('doubles up to the limit, and chance takes at most a half of it', () => {
    fc.assert(
      fc.property(fc.nat(200), waits, random, (attempts, timings, chance) => {
        const whole = Math.min(timings.retryLimit, timings.retry * 2 ** Math.min(attempts, 60));
        const delay = retryDelay(attempts, timings, chance);
        expect(Number.isSafeInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.ceil(whole / 2));
        expect(delay).toBeLessThanOrEqual(whole);
        expect(retryDelay(attempts + 1, timings, chance)).toBeGreaterThanOrEqual(delay);
      }),
      { numRuns: 500 },
    );
  });

  it('spreads what failed together', () => {
    const timings = { retry: 1000, retryLimit: 300_000 };
    const delays = Array.from({ length: 100 }, (_, index) => retryDelay(3, timings, index / 100));
    expect(new Set(delays).size).toBeGreaterThan(90);
  });
});

const outcome: fc.Arbitrary<BatchOutcome> = fc.record({
  claimed: fc.nat(3000),
  milliseconds: fc.nat(20_000),
  failed: fc.boolean(),
});
const timingsOf = fc.tuple(waits, fc.integer({ min: 1, max: 5000 })).map(([wait, batch]) => ({ ...wait, batch }));
const paces = (batch: number): fc.Arbitrary<BatchPace> =>
  fc.record({ size: fc.integer({ min: 1, max: batch }), failures: fc.nat(50) });

describe('the pace of batches', () => {
  it('stays within its bounds, whatever happens, and never waits where there is more to do', () => {
    fc.assert(
      fc.property(timingsOf, fc.array(outcome, { maxLength: 60, size: 'max' }), random, (timings, outcomes, chance) => {
        let pace = firstPace(timings);
        for (const one of outcomes) {
          const next = paceAfter(pace, one, timings, chance);
          expect(next.pace.size).toBeGreaterThanOrEqual(1);
          expect(next.pace.size).toBeLessThanOrEqual(timings.batch);
          if (!one.failed && one.claimed > 0) expect(next.wait).toBe(0);
          if (!one.failed && one.claimed === 0) expect(next.wait).toBeNull();
          if (one.failed) expect(next.wait).toBeGreaterThan(0);
          expect(next.pace.failures).toBe(one.failed ? pace.failures + 1 : 0);
          pace = next.pace;
        }
      }),
    );
  });

  it('is halved by a failure, and comes to single pieces of work', () => {
    fc.assert(
      fc.property(
        timingsOf.chain((timings) => fc.tuple(fc.constant(timings), paces(timings.batch))),
        random,
        ([timings, before], chance) => {
          let pace = before;
          const failure = { claimed: 0, milliseconds: 0, failed: true };
          const { pace: after } = paceAfter(pace, failure, timings, chance);
          expect(after.size).toBe(Math.max(1, Math.floor(pace.size / 2)));
          for (let step = 0; step < 13; step++) pace = paceAfter(pace, failure, timings, chance).pace;
          expect(pace.size).toBe(1);
        },
      ),
    );
  });

  it('grows to the ceiling under load while batches are quick, shrinks when they are slow or when it is idle', () => {
    const timings = { retry: 1, retryLimit: 1, batch: 1000 };
    const after = (size: number, claimed: number, milliseconds: number) =>
      paceAfter({ size, failures: 0 }, { claimed, milliseconds, failed: false }, timings, 0).pace.size;
    const sizes = [firstPace(timings).size];
    while ((sizes.at(-1) as number) < 1000) sizes.push(after(sizes.at(-1) as number, sizes.at(-1) as number, 100));
    expect(sizes).toEqual([20, 40, 80, 160, 320, 640, 1000]);
    expect(after(1000, 1000, 100)).toBe(1000);
    expect(after(1000, 1000, 2_000)).toBe(1000);
    expect(after(1000, 1000, 2_001)).toBe(500);
    expect(after(320, 12, 100)).toBe(160);
    expect(after(320, 0, 100)).toBe(20);
    expect(after(1, 1, 100)).toBe(2);
  });
});

describe('a watched lease', () => {
  const lease = (token: string, beat: number) => ({ name: 'n', owner: 'o', token, beat, renewedAt: '2026' as never });

  // A holder renews every third of the lease, by its own clock; each watcher looks at times of its own, by a clock that is
  // wrong by any amount. All clocks run at the same speed.
  it('is never taken from a holder that lives, and always from one that died, whatever the clocks say', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 1000 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: -1_000_000, max: 1_000_000 }),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 100, size: 'max' }),
        (milliseconds, beats, skew, pauses) => {
          const every = Math.floor(milliseconds / 3);
          const death = beats * every;
          const beatAt = (time: number) => 1 + Math.floor(Math.min(time, death) / every);
          let watched: WatchedLease | undefined;
          let time = 0;
          for (const pause of pauses) {
            time += pause;
            watched = watchLease(watched, lease('t', beatAt(time)), time + skew);
            const isTaken = isVacant(watched, time + skew, milliseconds);
            if (time < death + milliseconds) expect(isTaken).toBe(false);
            if (time > death + milliseconds + 100) expect(isTaken).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('counts anew when another holds it, and is free where there is none', () => {
    const first = watchLease(undefined, lease('a', 1), 0);
    expect(isVacant(watchLease(first, lease('a', 1), 99), 99, 100)).toBe(false);
    expect(isVacant(watchLease(first, lease('a', 1), 100), 100, 100)).toBe(true);
    expect(isVacant(watchLease(first, lease('b', 1), 100), 100, 100)).toBe(false);
    expect(isVacant(watchLease(first, undefined, 1), 1, 100)).toBe(true);
  });
});
