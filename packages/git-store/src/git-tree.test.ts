import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editTree, type NewTreeEntry, sortKey, treeEntries } from './git-tree.ts';

describe('a tree that is edited', () => {
  const entry = fc.record({
    mode: fc.constantFrom('100644', '40000', '160000'),
    id: fc.constantFrom('1', '2', 'a').map((digit) => digit.repeat(40)),
  });
  const names = fc.oneof(
    fc.constantFrom('a', 'a-', 'a.', 'a.b', 'a0', 'aa', 'ab', 'b', 'zz'),
    fc.stringMatching(/^[a-b.0-]{1,4}$/),
  );
  const edits = fc.array(fc.tuple(names, fc.option(entry)), { maxLength: 30, size: 'max' });

  it('is what is made of all its entries put in order', () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 1, maxLength: 4 }), (all) => {
        const model = new Map<string, NewTreeEntry>();
        let tree: Buffer = Buffer.alloc(0);
        for (const each of all) {
          tree = editTree(tree, new Map(each));
          for (const [name, value] of new Map(each)) {
            if (value === null) model.delete(name);
            else model.set(name, value);
          }
        }
        const expected = [...model]
          .map(([name, value]) => ({ name, ...value }))
          .sort((a, b) => (sortKey(a.name, a.mode) < sortKey(b.name, b.mode) ? -1 : 1));
        expect([...treeEntries(tree)]).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });
});
