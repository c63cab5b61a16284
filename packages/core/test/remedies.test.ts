import { driftKinds, explainFinding, type FindingKind, type RemedyFacts, remediesOf } from '@caelus/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const kinds: readonly FindingKind[] = [
  ...driftKinds,
  'git-behind',
  'unrecorded',
  'git-rewound',
  'unexaminable',
  'catalogue-edited',
  'catalogue-behind',
  'catalogue-conflict',
  'catalogue-orphan',
];
const facts: fc.Arbitrary<RemedyFacts> = fc.record({
  kind: fc.constantFrom(...kinds),
  hasRow: fc.boolean(),
  isWanted: fc.boolean(),
  isExpressible: fc.boolean(),
  ownsRows: fc.boolean(),
});
const namesOf = (given: RemedyFacts) => remediesOf(given).map(({ name }) => name);

describe('the remedies of a finding', () => {
  it('are each named once, and say what they do in sentences', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const remedies = remediesOf(given);
        expect(new Set(remedies.map(({ name }) => name)).size).toBe(remedies.length);
        for (const { effect } of remedies) expect(effect).toMatch(/^[A-Z].{20,}\.$/);
        expect(explainFinding(given.kind)).toMatch(/^[A-Z].{20,}\.$/);
      }),
    );
  });

  it('insert no row where only a host can, and let the database win only where it has one', () => {
    fc.assert(
      fc.property(facts, (given) => {
        const names = namesOf(given);
        if (!given.hasRow) expect(names).not.toContain('database-wins');
        if (!given.hasRow && !given.ownsRows) expect(names.filter((name) => name !== 'reconcile')).toEqual([]);
      }),
    );
  });

  it('are there for whatever is flagged of a row of ours', () => {
    const ours = kinds.filter(
      (kind) => !['foreign', 'unexaminable', 'orphan', 'tombstone-orphan', 'catalogue-orphan'].includes(kind),
    );
    for (const kind of ours) {
      const given = { kind, hasRow: true, isWanted: true, isExpressible: false, ownsRows: false };
      expect(namesOf(given), kind).not.toEqual([]);
    }
    for (const kind of ['foreign', 'unexaminable'] as const) {
      expect(namesOf({ kind, hasRow: true, isWanted: true, isExpressible: true, ownsRows: true })).toEqual([]);
    }
  });

  it('let Git win over a row that is wanted, where a row can say what Git says', () => {
    const given = { kind: 'manual-edit', hasRow: true, isWanted: true, ownsRows: true } as const;
    expect(namesOf({ ...given, isExpressible: true })).toEqual(['database-wins', 'git-wins']);
    expect(namesOf({ ...given, isExpressible: false })).toEqual(['database-wins']);
    expect(namesOf({ ...given, kind: 'deleted-in-git', isExpressible: false, isWanted: false })).toEqual([
      'database-wins',
    ]);
  });
});
