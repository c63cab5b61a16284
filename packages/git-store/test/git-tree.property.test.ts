import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObject } from '../src/git-object.ts';
import { editTree, type NewTreeEntry } from '../src/git-tree.ts';
import { git, temporaryDirectory } from './git-command.ts';

const TYPES: Readonly<Record<string, string>> = { '40000': 'tree', '160000': 'commit' };

describe('a tree that is edited again and again', () => {
  const entry = fc.record({
    mode: fc.constantFrom('100644', '100755', '120000', '40000', '160000'),
    id: fc.constantFrom('1', '2', 'a').map((digit) => digit.repeat(40)),
  });
  const names = fc.oneof(
    fc.nat(400).map((number) => `entry-${number}`),
    // What a directory is ordered by is its name and a slash, so these change places with it.
    fc.tuple(fc.nat(400), fc.constantFrom('.yaml', '-', '0', '!')).map(([number, end]) => `entry-${number}${end}`),
  );
  const edits = fc.array(fc.tuple(names, fc.option(entry)), { maxLength: 60, size: 'max' });

  it('is the one that stock Git makes of the same entries', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '.']);
    await fc.assert(
      fc.asyncProperty(fc.array(edits, { minLength: 1, maxLength: 8, size: 'max' }), async (all) => {
        const model = new Map<string, NewTreeEntry>();
        let tree: Buffer = Buffer.alloc(0);
        for (const each of all) {
          tree = editTree(tree, new Map(each));
          for (const [name, value] of new Map(each)) {
            if (value === null) model.delete(name);
            else model.set(name, value);
          }
        }
        const lines = [...model].map(([name, { mode, id }]) => `${mode} ${TYPES[mode] ?? 'blob'} ${id}\t${name}\n`);
        const expected = await git(root.path, ['mktree', '--missing'], lines.join(''));
        expect(createObject('tree', tree).id).toBe(expected.trim());
      }),
      { numRuns: 40 },
    );
  });
});
