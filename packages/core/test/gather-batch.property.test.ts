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

  it('leaves of each subject the newest generation that does not fail, and asks no older one', async () => {
    const change = fc.record({
      subject: fc.constantFrom('a', 'b', 'c'),
      generation: fc.nat(5),
      fails: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12, size: 'max' }), async (list) => {
        const store = createMemoryStateStore();
        const asked: number[] = [];
        const receipts = await store.write(
          list.map(({ subject, generation, fails }, index) => ({
            subject,
            generation,
            async propose() {
              asked.push(index);
              if (fails) throw new Error('refused');
              const bytes = new TextEncoder().encode(String(generation));
              return { edits: [{ path: parseRepoPath(subject), bytes }], summary: 'x', trailers: [], actor: null };
            },
          })),
        );
        const snapshot = await store.snapshot();
        for (const subject of ['a', 'b', 'c']) {
          const good = list.filter((each) => each.subject === subject && !each.fails);
          const newest = Math.max(...good.map(({ generation }) => generation));
          const bytes = await snapshot.readFile(parseRepoPath(subject));
          expect(bytes && new TextDecoder().decode(bytes)).toBe(good.length === 0 ? undefined : String(newest));
          for (const [index, each] of list.entries()) {
            if (each.subject !== subject) continue;
            const isOld = good.length > 0 && each.generation < newest;
            expect(asked.filter((other) => other === index)).toHaveLength(isOld ? 0 : 1);
            expect(receipts[index]).toMatchObject(
              isOld
                ? { outcome: 'superseded', by: newest, commit: snapshot.commit }
                : { outcome: each.fails ? 'failed' : 'written', generation: each.generation },
            );
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
