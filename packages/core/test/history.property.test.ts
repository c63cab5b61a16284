import {
  blameValue,
  type CommitRecord,
  createLayout,
  instanceAt,
  instanceLog,
  type ProposedChange,
  type StateStore,
} from '@caelus/core';
import { createMemoryStateStore } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byHand, change, instanceId, trailerOf, valuesFile } from './history-samples.ts';

const flat = createLayout('flat');
const numbers = [1, 2, 3];
const number = fc.constantFrom(...numbers);
const replicas = fc.integer({ min: 0, max: 2 });

/** What a commit by hand says of itself: nothing, or a change that it quotes or makes up. */
const claim = fc.option(fc.record({ number, generation: fc.integer({ min: 1, max: 4 }) }), { freq: 2 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('change' as const), number, replicas }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('batch' as const),
      all: fc.uniqueArray(fc.record({ number, replicas }), { selector: (each) => each.number, minLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('edit' as const), number, replicas, claim }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('other' as const), claim }) },
);
const steps = fc.array(step, { size: 'max', maxLength: 14 });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Carries out the steps; a claim of commits by hand is dropped where `honest`. */
async function historyOf(all: readonly Step[], { honest }: { readonly honest: boolean }): Promise<StateStore> {
  const store = createMemoryStateStore();
  const generations = new Map(numbers.map((each) => [each, 0]));
  const next = (each: { readonly number: number; readonly replicas: number }): ProposedChange => {
    const generation = (generations.get(each.number) ?? 0) + 1;
    generations.set(each.number, generation);
    return change({ number: each.number, generation, values: { replicas: each.replicas } });
  };
  for (const [index, one] of all.entries()) {
    if (one.type === 'change') await store.write([next(one)]);
    else if (one.type === 'batch') await store.write(one.all.map(next));
    else {
      const trailers = one.claim === null || honest ? [] : [trailerOf(one.claim.number, one.claim.generation)];
      const edits =
        one.type === 'other' ? { other: String(index) } : { [valuesFile(one.number)]: `replicas: ${one.replicas}\n` };
      await store.write([byHand(edits, { trailers })]);
    }
  }
  return store;
}

async function recordsOf(store: StateStore): Promise<readonly CommitRecord[]> {
  const records: CommitRecord[] = [];
  for await (const record of store.log()) records.push(record);
  return records;
}

/** The values file's text and the user's layer of instance 1, as plainly as can be. */
async function stateAt(store: StateStore, record: CommitRecord | undefined): Promise<unknown> {
  if (record === undefined) return [undefined, undefined];
  const { files, marker } = await instanceAt(store, flat, instanceId(1), record.commit);
  const text = [...files].find(([path]) => path === valuesFile(1))?.[1];
  const user = marker === null || marker === 'invalid' ? undefined : marker.userValues.replicas;
  return [/^replicas: (.*)$/m.exec(new TextDecoder().decode(text))?.[1], user];
}

describe('the history of an instance', () => {
  it('lists in pages of any size what a filter of the log finds', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 6 }),
        async (all, limit, maxCommits) => {
          const store = await historyOf(all, { honest: false });
          const wanted: string[] = [];
          for (const record of await recordsOf(store)) {
            const { marker } = await instanceAt(store, flat, instanceId(1), record.commit);
            const { value } =
              marker === null || marker === 'invalid' ? { value: null } : trailerOf(1, marker.generation);
            if (record.message.split('\n').includes(`Caelus-Change: ${value}`)) wanted.push(record.commit);
          }
          const found: string[] = [];
          for (let cursor: string | null | undefined; cursor !== null; ) {
            const page = await instanceLog(store, flat, instanceId(1), { limit, maxCommits, cursor });
            expect(page.items.length).toBeLessThanOrEqual(limit);
            found.push(...page.items.map(({ commit }) => commit));
            cursor = page.nextCursor;
          }
          expect(found).toEqual(wanted);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('blames the newest commit from which on the value is what it is', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const store = await historyOf(all, { honest: true });
        const records = await recordsOf(store);
        const states = await Promise.all([...records, undefined].map((record) => stateAt(store, record)));
        const index = states.findIndex((state) => JSON.stringify(state) !== JSON.stringify(states[0]));
        const blame = await blameValue(store, flat, instanceId(1), '/replicas');
        if (index === -1) expect(blame).toEqual({ outcome: 'never-set' });
        else {
          const record = records[index - 1];
          const how = record?.author.name === 'Mallory' ? 'by-hand' : 'change';
          expect(blame).toMatchObject({ outcome: 'found', commit: record?.commit, how });
        }
      }),
      { numRuns: 80 },
    );
  });

  it('blames a commit that really made the value what it is, whatever trailers say, however often it has to stop', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (all, maxCommits) => {
        const store = await historyOf(all, { honest: false });
        const records = await recordsOf(store);
        const now = await stateAt(store, records[0]);
        let blame = await blameValue(store, flat, instanceId(1), '/replicas', { maxCommits });
        for (let calls = 0; blame.outcome === 'older'; calls += 1) {
          expect(calls).toBeLessThan(records.length);
          blame = await blameValue(store, flat, instanceId(1), '/replicas', { maxCommits, from: blame.since });
        }
        if (blame.outcome === 'never-set') expect(now).toEqual([undefined, undefined]);
        else {
          const { commit, how } = blame;
          const index = records.findIndex((record) => record.commit === commit);
          expect(await stateAt(store, records[index])).toEqual(now);
          expect(await stateAt(store, records[index + 1])).not.toEqual(now);
          expect(how).toBe(records[index]?.author.name === 'Mallory' ? 'by-hand' : 'change');
        }
      }),
      { numRuns: 80 },
    );
  });
});
