import assert from 'node:assert/strict';
import type { NewCaelusEvent } from '../../model/caelus-event.ts';
import { eventTypes } from '../../model/caelus-event.ts';
import type { EventQuery, Repository } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import {
  at,
  changeId,
  hostileValues,
  instanceId,
  sampleEvent,
  sampleGitState,
  sampleInstance,
  sampleUpdate,
  seed,
  write,
} from './sample-records.ts';

const append = (repository: Repository, ...events: readonly NewCaelusEvent[]) =>
  write(repository, async (transaction) => {
    for (const event of events) await transaction.appendEvent(event);
  });

const numbers = async (repository: Repository, query: EventQuery = {}) =>
  (await repository.listEvents(query)).map(({ data }) => data.number);

/** The numbers of all events, read in pages by the cursor of the last. */
async function stream(repository: Repository, query: EventQuery, between = async () => {}): Promise<unknown[]> {
  const found: unknown[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await repository.listEvents({ ...query, after });
    const last = page.at(-1);
    if (last === undefined) return found;
    found.push(...page.map(({ data }) => data.number));
    after = last.cursor;
    await between();
  }
}

const mixture = Array.from({ length: 40 }, (_, number) =>
  sampleEvent(number, {
    type: eventTypes[number % eventTypes.length] ?? 'instance-created',
    instanceId: number % 3 === 0 ? null : instanceId(number % 3),
  }),
);

export const eventCases: readonly ContractCase[] = [
  {
    name: 'an event is read back as it was appended',
    async run({ repository }) {
      const full = sampleEvent(1, {
        type: 'instance-created',
        instanceId: instanceId(1),
        generation: 4,
        changeId: changeId(1),
        commit: sampleGitState(1).commit,
        actor: { name: 'Zoë O’Neill \'"; --', email: 'zoe@example.com' },
        data: hostileValues(),
      });
      const events = [full, sampleEvent(2), sampleEvent(3, { actor: { name: 'no mail' }, data: {} })];
      await append(repository, ...events);
      await write(repository, (transaction) => transaction.appendEvents(events));
      await write(repository, (transaction) => transaction.appendEvents([]));
      const read = await repository.listEvents();
      assert.deepEqual(
        read.map(({ cursor: _, ...event }) => event),
        [...events, ...events],
      );
      assert.equal(new Set(read.map(({ cursor }) => cursor)).size, 6);
    },
  },
  {
    name: 'events come in the order in which they became visible, whatever their instants',
    async run({ repository }) {
      await append(repository, sampleEvent(3), sampleEvent(1));
      await append(repository, sampleEvent(2));
      assert.deepEqual(await numbers(repository), [3, 1, 2]);
      const first = (await repository.listEvents({ limit: 1 }))[0];
      await append(repository, sampleEvent(0));
      assert.deepEqual(await numbers(repository, { after: first?.cursor }), [1, 2, 0]);
    },
  },
  {
    name: 'an event of a transaction that failed is never seen, and leaves no trap for those who page',
    async run({ repository }) {
      await append(repository, sampleEvent(1));
      const failing = write(repository, async (transaction) => {
        await transaction.appendEvent(sampleEvent(2));
        throw new Error('the body failed');
      });
      await assert.rejects(failing, /the body failed/);
      const last = (await repository.listEvents()).at(-1);
      await append(repository, sampleEvent(3));
      assert.deepEqual(await numbers(repository), [1, 3]);
      assert.deepEqual(await numbers(repository, { after: last?.cursor }), [3]);
    },
  },
  {
    name: 'events keep to every filter, alone and together, on every page',
    async run({ repository }) {
      await append(repository, ...mixture);
      const queries: readonly EventQuery[] = [
        {},
        { instanceId: instanceId(1) },
        { instanceId: instanceId(7) },
        { types: [] },
        { types: ['instance-created'] },
        { types: ['drift-resolved', 'instance-created', 'instance-created'] },
        { types: eventTypes },
        { instanceId: instanceId(2), types: ['instance-updated', 'drift-detected', 'instance-deleted'] },
      ];
      for (const query of queries) {
        const expected = mixture
          .filter((event) => query.instanceId === undefined || event.instanceId === query.instanceId)
          .filter((event) => query.types === undefined || query.types.includes(event.type))
          .map(({ data }) => data.number);
        for (const limit of [1, 3, 500]) {
          assert.deepEqual(await stream(repository, { ...query, limit }), expected, JSON.stringify(query));
        }
      }
    },
  },
  {
    name: 'paging by cursor misses and doubles nothing while events are appended',
    async run({ repository }) {
      await append(repository, ...mixture.slice(0, 6));
      let next = 6;
      const found = await stream(repository, { limit: 2 }, async () => {
        if (next < 12)
          await Promise.all([append(repository, sampleEvent(next++)), append(repository, sampleEvent(next++))]);
      });
      assert.deepEqual(
        found.toSorted((a, b) => Number(a) - Number(b)),
        Array.from({ length: 12 }, (_, number) => number),
      );
    },
  },
  {
    name: 'events have limits from 1 to 500, usually 50, and refuse cursors that are not theirs',
    async run({ repository }) {
      await append(repository, ...Array.from({ length: 501 }, (_, number) => sampleEvent(number)));
      assert.equal((await repository.listEvents()).length, 50);
      assert.equal((await repository.listEvents({ limit: 1 })).length, 1);
      const most = await repository.listEvents({ limit: 500 });
      assert.equal(most.length, 500);
      for (const limit of [0, 501, 1.5, -1]) await assertRefused(repository.listEvents({ limit }), 'INVALID_INPUT');
      for (const after of ['', 'x', ' 1', '1 ', '1.5', '-1', '0x1', '1e3', '9'.repeat(400), `1' OR '1`, '\u0000']) {
        await assertRefused(repository.listEvents({ after }), 'CURSOR_INVALID');
      }
      assert.deepEqual(await numbers(repository, { after: most.at(-1)?.cursor }), [500]);
      const end = (await repository.listEvents({ after: most.at(-1)?.cursor })).at(-1);
      assert.deepEqual(await numbers(repository, { after: end?.cursor }), []);
    },
  },
  {
    name: 'an event that is not valid is refused',
    async run({ repository }) {
      const type = 'instance-exploded' as 'instance-created';
      await assertRefused(append(repository, sampleEvent(1, { type })), 'INVALID_INPUT');
      await assertRefused(append(repository, sampleEvent(1, { actor: { name: 'a\nb' } })), 'NAME_INVALID');
      assert.deepEqual(await numbers(repository), []);
    },
  },
  {
    name: 'hasChange knows every change that a row or an event ever recorded, of that instance alone',
    async run({ repository }) {
      await seed(repository, sampleInstance(1), sampleInstance(2));
      const known = (instance: number, change: number) => repository.hasChange(instanceId(instance), changeId(change));
      assert.equal(await known(1, 1), true);
      assert.equal(await known(1, 2), false);
      assert.equal(await known(3, 1), false);
      for (const generation of [1, 2]) {
        const change = sampleUpdate(generation + 10);
        await write(repository, (transaction) => transaction.updateDesired(instanceId(1), generation, change));
      }
      for (const change of [1, 11, 12]) assert.equal(await known(1, change), true, `change ${change}`);
      assert.equal(await known(2, 11), false);
      await append(repository, sampleEvent(1, { instanceId: instanceId(9), changeId: changeId(30) }));
      await append(repository, sampleEvent(1, { instanceId: instanceId(9), changeId: changeId(30), at: at(2) }));
      assert.equal(await known(9, 30), true);
      const failing = write(repository, async (transaction) => {
        await transaction.updateDesired(instanceId(2), 1, sampleUpdate(40));
        throw new Error('the body failed');
      });
      await assert.rejects(failing, /the body failed/);
      assert.equal(await known(2, 40), false);
    },
  },
];
