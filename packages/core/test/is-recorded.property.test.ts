import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type DecideInput, decide, isRecorded } from '../src/decide/decide.ts';
import type { GitState } from '../src/model/git-state.ts';
import type { ChangeId, StoreId } from '../src/model/identifier.ts';
import type { Marker } from '../src/render/marker.ts';

// Few values of each, so that those that have to be equal often are.
const changeId = fc.constantFrom('c1' as ChangeId, 'c2' as ChangeId);
const generation = fc.integer({ min: 1, max: 2 });
const hash = fc.constantFrom('h1', 'h2');
const storeId = 's' as StoreId;

const gitState: fc.Arbitrary<GitState> = fc.record({
  instanceId: fc.constant('i' as GitState['instanceId']),
  generation,
  changeId,
  contentHash: hash,
  specHash: hash,
  commit: fc.constant('0'.repeat(40) as GitState['commit']),
  phase: fc.constantFrom('present', 'application-removed', 'removed'),
  writtenAt: fc.constant('2026-01-01T00:00:00.000Z' as GitState['writtenAt']),
});

/** A wanted row, and every file of it in Git as it is rendered now: all that is left to differ is what was recorded, and the rest. */
const asRendered: fc.Arbitrary<DecideInput> = fc
  .record({
    row: fc.record({ generation, changeId, wanted: fc.constant(true), contentHash: hash }),
    gitState: fc.option(gitState),
    applicationGone: fc.boolean(),
    editIsExpressible: fc.boolean(),
    policy: fc.record({
      manualEdit: fc.constantFrom('repair', 'report', 'accept'),
      missing: fc.constantFrom('restore', 'report'),
    }),
  })
  .map((input) => ({
    ...input,
    storeId,
    git: {
      marker: { ...input.row, storeId } as unknown as Marker,
      tombstone: null,
      contentHash: input.row.contentHash,
      hasDirectory: true,
      hasApplicationFile: true,
    },
    // The engine knows the row's own change without a look.
    knowsChange: (asked) => asked === input.row.changeId,
  }));

it('is recorded where, and only where, decide has nothing to do about what lies in Git as it is rendered', () => {
  const found = { recorded: 0, other: 0 };
  fc.assert(
    fc.property(asRendered, (input) => {
      const recorded = isRecorded(input.git.marker as Marker, input.gitState);
      found[recorded ? 'recorded' : 'other'] += 1;
      expect(decide(input).action === 'none').toBe(recorded);
    }),
    { numRuns: 20_000 },
  );
  expect(Math.min(found.recorded, found.other)).toBeGreaterThan(500);
});
