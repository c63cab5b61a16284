import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextWatchStep, WATCH_START, type WatchOutcome, type WatchPatience, type WatchProgress } from './watch-step.ts';

const patience: WatchPatience = { baseMilliseconds: 100, mostMilliseconds: 1000, failures: 5 };
const arbitraryOutcome: fc.Arbitrary<WatchOutcome> = fc.oneof(
  fc.nat(9).map((version) => ({ type: 'listed' as const, resourceVersion: String(version) })),
  fc.nat(9).map((version) => ({ type: 'advanced' as const, resourceVersion: String(version) })),
  fc.constant({ type: 'ended' as const }),
  fc.constant({ type: 'expired' as const }),
  fc.option(fc.nat(100), { nil: undefined }).map((waitSeconds) => ({ type: 'failed' as const, waitSeconds })),
);

const arbitraryOutcomes = fc.array(arbitraryOutcome, { maxLength: 50, size: 'max' });

/** Every step of a history of outcomes, until it gives up. */
function stepsOf(outcomes: readonly WatchOutcome[]) {
  let progress: WatchProgress = WATCH_START;
  const steps = [];
  for (const outcome of outcomes) {
    const step = nextWatchStep(progress, outcome, patience);
    steps.push({ before: progress, outcome, step });
    if (step.type === 'give-up') break;
    progress = step.progress;
  }
  return steps;
}

describe('the steps of a watch', () => {
  it('watch from a known moment, list without one, and list after the moment is forgotten', () => {
    void fc.assert(
      fc.property(arbitraryOutcomes, (outcomes) => {
        for (const { outcome, step } of stepsOf(outcomes)) {
          if (step.type === 'give-up') continue;
          expect(step.type === 'watch').toBe(step.progress.resourceVersion !== undefined);
          if (outcome.type === 'expired') expect(step.type).toBe('list');
          if ('resourceVersion' in outcome) expect(step.progress.resourceVersion).toBe(outcome.resourceVersion);
        }
      }),
    );
  });

  it('wait within bounds, and not at all while the watch gets on', () => {
    void fc.assert(
      fc.property(arbitraryOutcomes, (outcomes) => {
        for (const { outcome, step } of stepsOf(outcomes)) {
          if (step.type === 'give-up') continue;
          const { least, random } = step.wait;
          expect(least).toBeLessThanOrEqual(patience.mostMilliseconds);
          expect(random).toBeLessThanOrEqual(patience.mostMilliseconds);
          if (outcome.type === 'failed') expect(random).toBeGreaterThan(0);
          if (['listed', 'advanced', 'ended'].includes(outcome.type)) expect(least + random).toBe(0);
        }
      }),
    );
  });

  it('give up after too many failures that nothing came between, and never before', () => {
    void fc.assert(
      fc.property(arbitraryOutcomes, (outcomes) => {
        let failures = 0;
        for (const { outcome, step } of stepsOf(outcomes)) {
          if (outcome.type === 'advanced' || outcome.type === 'ended') failures = 0;
          else if (outcome.type !== 'listed') failures += 1;
          expect(step.type === 'give-up').toBe(failures > patience.failures);
        }
      }),
    );
  });

  it('forget a moment that failed twice', () => {
    const failed = { type: 'failed' } as const;
    const [, once, twice] = stepsOf([{ type: 'listed', resourceVersion: '7' }, failed, failed]);
    expect(once?.step).toMatchObject({ type: 'watch', progress: { resourceVersion: '7' } });
    expect(twice?.step).toMatchObject({ type: 'list' });
  });

  it('double the wait up to its limit, and take the longer one that the server asks for', () => {
    const waits = stepsOf(Array.from({ length: 5 }, () => ({ type: 'failed', waitSeconds: 0.2 }) as const));
    const bounds = waits.map(({ step }) => (step.type === 'give-up' ? undefined : step.wait));
    expect(bounds.map((wait) => wait?.random)).toEqual([100, 200, 400, 800, 1000]);
    expect(bounds[0]?.least).toBe(200);
  });
});
