import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editTree, findEntry, type NewTreeEntry, sortKey, treeEntries } from './git-tree.ts';

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
  /** Enough that it is worth remembering where the entries are. */
  const many = Array.from({ length: 100 }, (_, index): [string, NewTreeEntry] => [
    `a${index}`,
    { mode: index % 2 === 0 ? '100644' : '40000', id: '3'.repeat(40) },
  ]);

  it('is what is made of all its entries put in order', () => {
    fc.assert(
      fc.property(fc.array(edits, { minLength: 1, maxLength: 4 }), fc.constantFrom([], many), (all, first) => {
        const model = new Map(first);
        let tree = editTree(Buffer.alloc(0), model);
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
        for (const name of [...model.keys(), ...all.flat().map(([edited]) => edited), 'a5', '', 'zzz']) {
          const found = model.get(name);
          // Where the entries are is known of the one, and read from the other.
          for (const each of [tree, Buffer.from(tree)]) {
            expect(findEntry(each, name)).toEqual(found && { name, ...found });
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  it('is refused where its entries are not in order', () => {
    const parts = ['a', 'b', 'c'].map((name) =>
      editTree(Buffer.alloc(0), new Map([[name, { mode: '100644', id: '1'.repeat(40) }]])),
    );
    const [a = Buffer.alloc(0), b = a, c = a] = parts;
    expect(findEntry(Buffer.concat([a, b, c]), 'c')).toBeDefined();
    for (const tree of [Buffer.concat([a, c, b]), Buffer.concat([a, b, b])]) {
      for (const use of [() => findEntry(tree, 'c'), () => editTree(tree, new Map([['c', null]]))]) {
        expect(use).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
      }
    }
  });
});
