import { applyChange, type Edit, type ProposedChange, parseRepoPath, type RepoTree } from '@caelus/core';
import { createMemoryBranch, createMemoryStateStore } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

// Few names, so that files and directories collide often.
const name = fc.constantFrom('a', 'b');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((segments) => parseRepoPath(segments.join('/')));
const edit = fc.record({
  path,
  bytes: fc.option(fc.constantFrom('0', '1').map((text) => new TextEncoder().encode(text))),
});
const edits: fc.Arbitrary<Edit[]> = fc.uniqueArray(edit, { selector: (each) => each.path, maxLength: 4 });
const batches = fc.array(fc.array(edits, { maxLength: 4 }), { maxLength: 8, size: 'max' });

const asText = (tree: RepoTree) => [...tree].map(([key, bytes]) => `${key}=${new TextDecoder().decode(bytes)}`).sort();

describe('a batch', () => {
  it('makes of the tip what its receipts say, and a tree that Git can hold', async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (list) => {
        const shared = createMemoryBranch();
        const store = createMemoryStateStore({ shared });
        let tree: RepoTree = new Map();
        for (const batch of list) {
          const changes = batch.map(
            (wanted, index): ProposedChange => ({
              subject: String(index),
              propose: async () => ({ edits: wanted, summary: 'change', trailers: [], actor: null }),
            }),
          );
          const before = tree;
          const receipts = await store.write(changes);
          for (const [index, receipt] of receipts.entries()) {
            if (receipt.outcome === 'written') tree = applyChange(tree, receipt.edits);
            if (receipt.outcome === 'unchanged') {
              // It has what it wanted, in the tip that it was asked of.
              expect(asText(applyChange(before, batch[index] ?? []))).toEqual(asText(before));
            }
          }
          const tip = shared.tip === null ? undefined : shared.commits.get(shared.tip);
          const found = tip?.tree ?? new Map();
          expect(asText(found)).toEqual(asText(tree));
          for (const key of found.keys()) {
            expect([...found.keys()].some((other) => other.startsWith(`${key}/`))).toBe(false);
          }
          for (const [index, receipt] of receipts.entries()) {
            if (receipt.outcome !== 'written') continue;
            for (const wanted of batch[index] ?? []) {
              const bytes = found.get(wanted.path) ?? null;
              expect(bytes === null ? null : [...bytes]).toEqual(wanted.bytes === null ? null : [...wanted.bytes]);
            }
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});
