import { join } from 'node:path';
import { type ProposedChange, parseRepoPath } from '@caelus/core';
import { createGitStore, nativeGit } from '@caelus/git-store';
import fc from 'fast-check';
import { createFsFromVolume, Volume } from 'memfs';
import { expect, it } from 'vitest';
import { fsck, temporaryDirectory } from './git-command.ts';

// Names that sort differently as files and as directories, and that lie in each other's way.
const segment = fc.constantFrom('a', 'a.b', 'a-b', 'a0', 'b', 'B', 'values.yaml');
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => parseRepoPath(segments.join('/')));
const bytes = fc.option(fc.uint8Array({ maxLength: 200, size: 'max' }), { nil: null, freq: 3 });
const edits = fc.uniqueArray(fc.record({ path, bytes }), { minLength: 1, maxLength: 6, selector: (edit) => edit.path });
const actor = fc.option(
  fc.record({
    name: fc.constantFrom('Ann', 'Jürgen Groß', '山田 太郎', 'O’Neil, "J."'),
    email: fc.constant('a@example.com'),
  }),
  { nil: null },
);
const change = fc.record({ edits, actor, summary: fc.string({ unit: 'binary', maxLength: 80 }) }).map(
  ({ edits, actor, summary }): ProposedChange => ({
    subject: 'x',
    propose: async () => ({ edits, actor, summary, trailers: [{ key: 'Caelus-Change', value: 'x 1 y' }] }),
  }),
);
const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8, size: 'max' });

it('makes the same commits as the store without the git binary', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (sequence) => {
      await using root = await temporaryDirectory();
      const directory = join(root.path, 'store.git');
      let seconds = 1_700_000_000;
      const now = () => new Date(seconds * 1000);
      await using native = await createGitStore({ directory, now, transport: nativeGit() });
      await using plain = await createGitStore({ directory: '/store.git', now, fs: createFsFromVolume(new Volume()) });
      for (const batch of sequence) {
        seconds += 1;
        // Receipts name the commit, and the errors of those that were refused.
        expect(await native.write(batch)).toEqual(await plain.write(batch));
      }
      expect((await native.snapshot()).commit).toBe((await plain.snapshot()).commit);
      await fsck(directory);
    }),
    { numRuns: 40 },
  );
});
