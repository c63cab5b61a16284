import assert from 'node:assert/strict';
import { PRUNING_LIMITS } from '../../ports/event-stream.ts';
import type { EventPruning, EventQuery, Repository } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import { at, changeId, instanceId, sampleEvent, sampleInstance, sampleUpdate, seed, write } from './sample-records.ts';

/** Appends events that happened at these seconds, and are numbered by them. */
const append = (repository: Repository, ...seconds: readonly number[]) =>
  write(repository, async (transaction) => {
    for (const second of seconds) await transaction.appendEvent(sampleEvent(second));
  });

const prune = (repository: Repository, pruning: EventPruning) =>
  repository.transaction((transaction) => transaction.pruneEvents(pruning));

const numbers = async (repository: Repository, query: EventQuery = {}) =>
  (await repository.listEvents(query)).map(({ data }) => data.number);

export const pruningCases: readonly ContractCase[] = [
  {
    name: 'pruning by age takes the oldest events, up to the first that is not older',
    async run({ repository }) {
      await append(repository, 3, 1, 2, 7, 4, 5);
      assert.equal(await prune(repository, { before: at(1) }), 0);
      assert.equal(await prune(repository, { before: at(3) }), 0, 'the oldest is not older');
      assert.equal(await prune(repository, { before: at(5) }), 3);
      assert.deepEqual(await numbers(repository), [7, 4, 5], '4 is older, and behind one that is not');
      assert.equal(await prune(repository, { before: at(5) }), 0);
      assert.equal(await prune(repository, { before: at(8) }), 3);
      assert.deepEqual(await numbers(repository), []);
      assert.equal(await prune(repository, { before: at(8) }), 0);
    },
  },
  {
    name: 'pruning by number keeps the newest, and with both limits what either of them keeps',
    async run({ repository }) {
      await append(repository, 1, 2, 3, 4, 5, 6);
      for (const keep of [7, 6]) assert.equal(await prune(repository, { keep }), 0);
      assert.equal(await prune(repository, { keep: 5 }), 1);
      assert.equal(await prune(repository, { keep: 3, before: at(3) }), 1);
      assert.equal(await prune(repository, { keep: 3, before: at(9) }), 1);
      assert.deepEqual(await numbers(repository), [4, 5, 6]);
      assert.equal(await prune(repository, { keep: 0 }), 3);
      assert.deepEqual(await numbers(repository), []);
    },
  },
  {
    name: 'pruning takes so many at once as it is told, and refuses what makes no sense',
    async run({ repository }) {
      await append(repository, 1, 2, 3, 4, 5);
      assert.equal(await prune(repository, { keep: 1, limit: 1 }), 1);
      assert.equal(await prune(repository, { keep: 1, limit: 2 }), 2);
      assert.equal(await prune(repository, { keep: 1, limit: PRUNING_LIMITS.most }), 1);
      const refused: readonly EventPruning[] = [
        {},
        { limit: 5 },
        { keep: -1 },
        { keep: 0.5 },
        { keep: 0, limit: 0 },
        { keep: 0, limit: 1.5 },
        { keep: 0, limit: PRUNING_LIMITS.most + 1 },
        { before: 'yesterday' as never },
      ];
      for (const pruning of refused) await assertRefused(prune(repository, pruning), 'INVALID_INPUT');
      assert.deepEqual(await numbers(repository), [5]);
    },
  },
  {
    name: 'a reader goes on from where events were pruned up to, and from nowhere before',
    async run({ repository }) {
      const before = await repository.eventHead();
      await append(repository, 1, 2, 3, 4, 5);
      const cursors = (await repository.listEvents()).map(({ cursor }) => cursor);
      assert.equal(await repository.eventHead(), cursors[4]);
      assert.deepEqual(await numbers(repository, { after: before }), [1, 2, 3, 4, 5]);
      await prune(repository, { keep: 2 });
      for (const [index, after] of [before, ...cursors].entries()) {
        const filters: readonly EventQuery[] = [{}, { types: ['instance-updated'] }, { types: ['drift-detected'] }];
        for (const filter of filters) {
          const page = numbers(repository, { ...filter, after });
          if (index < 3) {
            await assertRefused(page, 'CURSOR_EXPIRED');
            continue;
          }
          const expected = [4, 5].filter((number) => number > index);
          assert.deepEqual(await page, filter.types?.[0] === 'drift-detected' ? [] : expected);
        }
      }
      assert.deepEqual(await numbers(repository), [4, 5]);
      const error = await repository.listEvents({ after: cursors[0] }).catch((reason: unknown) => reason);
      assert.deepEqual((error as { details?: unknown }).details, { cursor: cursors[0], reason: 'pruned' });
    },
  },
  {
    name: 'where everything was pruned, the stream goes on behind it',
    async run({ repository }) {
      const empty = await repository.eventHead();
      await append(repository, 1, 2);
      const last = (await repository.listEvents()).at(-1)?.cursor;
      await prune(repository, { keep: 0 });
      assert.equal(await repository.eventHead(), last);
      assert.deepEqual(await numbers(repository, { after: last }), []);
      await assertRefused(repository.listEvents({ after: empty }), 'CURSOR_EXPIRED');
      await append(repository, 3);
      assert.deepEqual(await numbers(repository, { after: last }), [3]);
      assert.deepEqual(await numbers(repository), [3]);
      const [third] = await repository.listEvents();
      assert.notEqual(third?.cursor, last);
      assert.equal(await repository.eventHead(), third?.cursor);
    },
  },
  {
    name: 'pruning in a transaction that fails prunes nothing, and refuses no reader',
    async run({ repository }) {
      await append(repository, 1, 2, 3);
      const first = (await repository.listEvents())[0]?.cursor;
      const failing = repository.transaction(async (transaction) => {
        assert.equal(await transaction.pruneEvents({ keep: 1 }), 2);
        throw new Error('the body failed');
      });
      await assert.rejects(failing, /the body failed/);
      assert.deepEqual(await numbers(repository, { after: first }), [2, 3]);
    },
  },
  {
    name: 'of several that prune at once, each event is counted by one',
    async run({ repository }) {
      await append(repository, ...Array.from({ length: 20 }, (_, number) => number));
      const counts = await Promise.all([1, 2, 3, 4].map(() => prune(repository, { keep: 2, limit: 6 })));
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        18,
      );
      assert.deepEqual(await numbers(repository), [18, 19]);
    },
  },
  {
    name: 'hasChange knows what the events that were pruned have told, and what rows once had',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      await write(repository, (transaction) => transaction.updateDesired(instanceId(1), 1, sampleUpdate(2)));
      await write(repository, async (transaction) => {
        await transaction.appendEvent(sampleEvent(1, { instanceId: instanceId(1), changeId: changeId(3) }));
        // Of an instance without a row: what a tombstone in Git may name.
        await transaction.appendEvent(sampleEvent(2, { instanceId: instanceId(9), changeId: changeId(4) }));
      });
      await prune(repository, { keep: 0 });
      assert.deepEqual(await repository.listEvents(), []);
      const known = (instance: number, change: number) => repository.hasChange(instanceId(instance), changeId(change));
      assert.deepEqual(await Promise.all([known(1, 1), known(1, 2), known(1, 3), known(9, 4), known(9, 1)]), [
        true,
        true,
        true,
        true,
        false,
      ]);
    },
  },
];
