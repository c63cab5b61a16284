import assert from 'node:assert/strict';
import type { Repository, WorkClaim, WorkItem, WorkRetry } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import { at, hostileTexts, instanceId, sampleClaim, uuid, write } from './sample-records.ts';

const request = (repository: Repository, number: number, second: number, reason = `reason ${second}`) =>
  write(repository, (transaction) => transaction.requestWork(instanceId(number), reason, at(second)));
const claim = (repository: Repository, second: number, other: Partial<WorkClaim> = {}) =>
  repository.claimWork(sampleClaim(at(second), other));
const complete = (repository: Repository, item: WorkItem) =>
  write(repository, (transaction) => transaction.completeWork(item));
const release = (repository: Repository, item: WorkItem, retry: WorkRetry) =>
  write(repository, (transaction) => transaction.releaseWork(item, retry));
const ids = (items: readonly WorkItem[]) => items.map((item) => item.instanceId);

/** Claims, and expects exactly one item. */
async function claimOne(repository: Repository, second: number): Promise<WorkItem> {
  const items = await claim(repository, second);
  assert.equal(items.length, 1, `expected one item at second ${second}`);
  return items[0] as WorkItem;
}

const idle = { pending: 0, failing: 0, oldestRequestedAt: null };

export const workCases: readonly ContractCase[] = [
  {
    name: 'work that is requested is claimed once, and is done once it is complete',
    async run({ repository }) {
      assert.deepEqual(await repository.workBacklog(), idle);
      assert.deepEqual(await claim(repository, 1), []);
      await request(repository, 1, 1, 'created');
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, oldestRequestedAt: at(1) });
      const item = await claimOne(repository, 1);
      const { leaseToken, ...rest } = item;
      assert.deepEqual(rest, { instanceId: instanceId(1), requested: 1, attempts: 0, reason: 'created' });
      assert.notEqual(leaseToken, '');
      assert.deepEqual(await claim(repository, 2), []);
      assert.equal((await repository.workBacklog()).pending, 1);
      assert.equal(await complete(repository, item), true);
      assert.deepEqual(await repository.workBacklog(), idle);
      assert.deepEqual(await claim(repository, 1000), []);
      assert.equal(await complete(repository, item), false);
    },
  },
  {
    name: 'many requests make one piece of work, with the newest reason and the oldest instant',
    async run({ repository }) {
      for (let second = 1; second <= 5; second++) await request(repository, 1, second);
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, oldestRequestedAt: at(1) });
      const item = await claimOne(repository, 9);
      assert.equal(item.requested, 5);
      assert.equal(item.reason, 'reason 5');
      await complete(repository, item);
      await request(repository, 1, 20);
      assert.equal((await claimOne(repository, 20)).requested, 6);
    },
  },
  {
    name: 'a request that is made while the work is leased leaves it due',
    async run({ repository }) {
      await request(repository, 1, 1);
      const first = await claimOne(repository, 2);
      await request(repository, 1, 3);
      await request(repository, 1, 4);
      assert.deepEqual(await claim(repository, 5), []);
      assert.equal(await complete(repository, first), true);
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, oldestRequestedAt: at(3) });
      const second = await claimOne(repository, 5);
      assert.deepEqual([second.requested, second.reason], [3, 'reason 4']);
      assert.equal(await complete(repository, second), true);
      assert.deepEqual(await repository.workBacklog(), idle);
    },
  },
  {
    name: 'completing says nothing of what was not requested yet',
    async run({ repository }) {
      await request(repository, 1, 1);
      const item = await claimOne(repository, 1);
      assert.equal(await complete(repository, { ...item, requested: 100 }), true);
      await request(repository, 1, 2);
      assert.equal((await claimOne(repository, 2)).requested, 2);
    },
  },
  {
    name: 'work is claimed oldest first, up to the limit',
    async run({ repository }) {
      for (const [number, second] of [
        [1, 30],
        [2, 10],
        [3, 20],
        [4, 10],
        [5, 40],
      ] as const) {
        await request(repository, number, second);
      }
      await request(repository, 5, 50);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 1 })), [instanceId(2)]);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 2 })), [instanceId(4), instanceId(3)]);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 9 })), [instanceId(1), instanceId(5)]);
      assert.deepEqual(await repository.workBacklog(), { pending: 5, failing: 0, oldestRequestedAt: at(10) });
    },
  },
  {
    name: 'work is not due before the instant it is requested for',
    async run({ repository }) {
      await request(repository, 1, 10);
      assert.deepEqual(await claim(repository, 9), []);
      assert.equal((await claim(repository, 10)).length, 1);
    },
  },
  {
    name: 'no two callers hold the same work',
    async run({ repository }) {
      for (let number = 0; number < 20; number++) await request(repository, number, number);
      const batches = await Promise.all(Array.from({ length: 8 }, () => claim(repository, 60, { limit: 4 })));
      const claimed = batches.flatMap(ids);
      assert.equal(claimed.length, 20);
      assert.equal(new Set(claimed).size, 20);
    },
  },
  {
    name: 'a lease that has ended is given to the next, and its holder can no longer complete or release',
    async run({ repository }) {
      await request(repository, 1, 0);
      const [first] = await claim(repository, 0, { leaseMilliseconds: 10_000 });
      assert.ok(first);
      assert.deepEqual(await claim(repository, 9), []);
      const second = await claimOne(repository, 10);
      assert.notEqual(second.leaseToken, first.leaseToken);
      assert.equal(second.attempts, 0);
      assert.equal(await complete(repository, first), false);
      assert.equal(await release(repository, first, { availableAt: at(0), error: 'late' }), false);
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, oldestRequestedAt: at(0) });
      assert.equal(await complete(repository, second), true);
      assert.deepEqual(await repository.workBacklog(), idle);
    },
  },
  {
    name: 'a lease that has ended, and that nobody took, is still its holder’s',
    async run({ repository }) {
      await request(repository, 1, 0);
      const [item] = await claim(repository, 0, { leaseMilliseconds: 1 });
      assert.ok(item);
      assert.equal(await complete(repository, item), true);
    },
  },
  {
    name: 'a foreign or made-up lease completes and releases nothing',
    async run({ repository }) {
      await request(repository, 1, 0);
      await request(repository, 2, 0);
      const [one, two] = await claim(repository, 0);
      assert.ok(one && two);
      for (const forged of [
        { ...one, leaseToken: uuid(99) },
        { ...one, leaseToken: '' },
        { ...one, instanceId: instanceId(9) },
      ]) {
        assert.equal(await complete(repository, forged), false);
        assert.equal(await release(repository, forged, { availableAt: at(0), error: null }), false);
      }
      assert.equal((await repository.workBacklog()).pending, 2);
    },
  },
  {
    name: 'work that is released with an error is due at the retry, and counts an attempt',
    async run({ repository }) {
      await request(repository, 1, 0);
      for (let attempt = 1; attempt <= 3; attempt++) {
        const item = await claimOne(repository, attempt * 10);
        assert.equal(item.attempts, attempt - 1);
        assert.equal(await release(repository, item, { availableAt: at(attempt * 10 + 5), error: 'refused' }), true);
        assert.equal(await release(repository, item, { availableAt: at(0), error: 'again' }), false);
        assert.deepEqual(await claim(repository, attempt * 10 + 4), []);
        assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 1, oldestRequestedAt: at(0) });
      }
      const last = await claimOne(repository, 40);
      assert.equal(last.attempts, 3);
      await complete(repository, last);
      assert.deepEqual(await repository.workBacklog(), idle);
      await request(repository, 1, 50);
      assert.equal((await claimOne(repository, 50)).attempts, 0);
    },
  },
  {
    name: 'work that is released to wait is due at the retry, and counts no attempt',
    async run({ repository }) {
      await request(repository, 1, 0);
      const first = await claimOne(repository, 0);
      await release(repository, first, { availableAt: at(5), error: 'refused' });
      const second = await claimOne(repository, 5);
      assert.equal(await release(repository, second, { availableAt: at(20), error: null }), true);
      assert.deepEqual(await claim(repository, 19), []);
      assert.equal((await claimOne(repository, 20)).attempts, 1);
    },
  },
  {
    name: 'a new request ends the wait for a retry, and keeps the attempts',
    async run({ repository }) {
      await request(repository, 1, 0);
      const first = await claimOne(repository, 0);
      await release(repository, first, { availableAt: at(1000), error: 'refused' });
      assert.deepEqual(await claim(repository, 10), []);
      await request(repository, 1, 10, 'changed');
      const second = await claimOne(repository, 10);
      assert.deepEqual([second.attempts, second.reason, second.requested], [1, 'changed', 2]);
      await release(repository, second, { availableAt: at(20), error: null });
      await request(repository, 1, 500);
      assert.equal((await claim(repository, 20)).length, 1);
    },
  },
  {
    name: 'a claim outside its limits is refused',
    async run({ repository }) {
      await request(repository, 1, 0);
      const day = 24 * 60 * 60 * 1000;
      for (const limit of [0, -1, 1.5]) await assertRefused(claim(repository, 1, { limit }), 'INVALID_INPUT');
      for (const leaseMilliseconds of [0, -1, 0.5, day + 1, Number.POSITIVE_INFINITY]) {
        await assertRefused(claim(repository, 1, { leaseMilliseconds }), 'INVALID_INPUT');
      }
      assert.equal((await claim(repository, 1, { limit: 1, leaseMilliseconds: day })).length, 1);
    },
  },
  {
    name: 'a request for what cannot be an instance is refused, and leaves the others claimable',
    async run({ repository }) {
      const bad = '../x' as ReturnType<typeof instanceId>;
      await assertRefused(
        write(repository, (transaction) => transaction.requestWork(bad, 'reason', at(1))),
        'ID_INVALID',
      );
      const never = 'soon' as ReturnType<typeof at>;
      await assertRefused(
        write(repository, (transaction) => transaction.requestWork(instanceId(1), 'reason', never)),
        'INVALID_INPUT',
      );
      await request(repository, 1, 1);
      assert.equal((await claim(repository, 1)).length, 1);
    },
  },
  {
    name: 'what is requested in a transaction that failed is not due',
    async run({ repository }) {
      const failing = write(repository, async (transaction) => {
        await transaction.requestWork(instanceId(1), 'created', at(0));
        throw new Error('the body failed');
      });
      await assert.rejects(failing, /the body failed/);
      assert.deepEqual(await claim(repository, 9), []);
      await request(repository, 1, 1);
      const item = await claimOne(repository, 1);
      const undone = write(repository, async (transaction) => {
        assert.equal(await transaction.completeWork(item), true);
        throw new Error('the body failed');
      });
      await assert.rejects(undone, /the body failed/);
      assert.equal(await complete(repository, item), true);
    },
  },
  {
    name: 'reasons, errors and owners survive whatever they hold',
    async run({ repository }) {
      for (const [number, text] of hostileTexts.entries()) {
        await request(repository, number, 0, text);
        const [item] = await claim(repository, number * 10, { owner: text });
        assert.equal(item?.reason, text);
        assert.equal(item.instanceId, instanceId(number));
        assert.equal(await release(repository, item, { availableAt: at(100_000), error: text }), true);
      }
      assert.equal((await repository.workBacklog()).failing, hostileTexts.length);
    },
  },
  {
    name: 'two repositories on one database never hold the same work',
    needs: 'multiProcess',
    async run({ repository, reopen }) {
      const other = await reopen();
      for (let number = 0; number < 30; number++) await request(repository, number, 0);
      const batches = await Promise.all(
        Array.from({ length: 12 }, (_, index) => claim(index % 2 === 0 ? repository : other, 1, { limit: 3 })),
      );
      const claimed = batches.flatMap(ids);
      assert.equal(claimed.length, 30);
      assert.equal(new Set(claimed).size, 30);
    },
  },
];
