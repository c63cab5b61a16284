import assert from 'node:assert/strict';
import type { Lease, Repository, RepositoryNews } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import { at, hostileTexts, instanceId, sampleEvent, uuid, write } from './sample-records.ts';

const NAME = 'writer of main';

const holding = (number: number, other: Partial<Lease> = {}) => ({
  owner: `host/${number}`,
  token: uuid(number),
  beat: 1,
  renewedAt: at(number),
  ...other,
});
type Next = ReturnType<typeof holding> | undefined;
const replace = (repository: Repository, seen: Lease | undefined, next: Next, name = NAME) =>
  write(repository, (transaction) => transaction.replaceLease(name, seen, next));

/** Replaces, and reads what is there then. */
async function take(repository: Repository, seen: Lease | undefined, next: Next): Promise<Lease> {
  assert.equal(await replace(repository, seen, next), true);
  const lease = await repository.findLease(NAME);
  assert.ok(lease);
  return lease;
}

/** Waits for `isEnough`, which news lead to, without a clock. */
async function heard(repository: Repository, wanted: RepositoryNews, cause: () => Promise<unknown>): Promise<void> {
  let hear = () => {};
  const news = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const stop = await repository.onNews?.((what) => {
    if (what === wanted) hear();
  });
  await cause();
  await news;
  await stop?.();
}

export const leaseCases: readonly ContractCase[] = [
  {
    name: 'a lease is taken, renewed and given back by whoever has seen it as it is',
    async run({ repository }) {
      assert.equal(await repository.findLease(NAME), undefined);
      const first = await take(repository, undefined, holding(1));
      assert.deepEqual(first, { name: NAME, ...holding(1) });
      assert.equal(await replace(repository, undefined, holding(2)), false);
      const renewed = await take(repository, first, holding(1, { beat: 2, renewedAt: at(9) }));
      assert.equal(await replace(repository, first, holding(2)), false);
      assert.equal(await replace(repository, first, undefined), false);
      const second = await take(repository, renewed, holding(2));
      assert.equal(await replace(repository, renewed, holding(1, { beat: 3 })), false);
      assert.equal(await replace(repository, second, undefined), true);
      assert.equal(await repository.findLease(NAME), undefined);
      assert.equal(await replace(repository, second, holding(2, { beat: 2 })), false);
      assert.equal(await replace(repository, undefined, undefined), true);
    },
  },
  {
    name: 'of many who take a lease at once, one gets it',
    async run({ repository }) {
      const race = async (seen: Lease | undefined, from: number) => {
        const takers = Array.from({ length: 8 }, (_, index) => replace(repository, seen, holding(from + index)));
        return (await Promise.all(takers)).filter((taken) => taken).length;
      };
      assert.equal(await race(undefined, 1), 1);
      assert.equal(await race(await repository.findLease(NAME), 20), 1);
    },
  },
  {
    name: 'leases of different names have nothing to do with each other, whatever the names hold',
    async run({ repository }) {
      const names = hostileTexts.filter((text) => text !== '').concat('x'.repeat(500));
      for (const [number, name] of names.entries()) {
        assert.equal(await replace(repository, undefined, holding(number), name), true);
      }
      for (const [number, name] of names.entries()) {
        assert.deepEqual(await repository.findLease(name), { name, ...holding(number) });
      }
      for (const name of ['', 'x'.repeat(501)]) {
        await assertRefused(replace(repository, undefined, holding(1), name), 'INVALID_INPUT');
      }
      await assertRefused(replace(repository, undefined, holding(1, { beat: 0 })), 'INVALID_INPUT');
      await assertRefused(replace(repository, undefined, holding(1, { token: '' })), 'INVALID_INPUT');
    },
  },
  {
    name: 'a lease that is taken in a transaction that failed is nobody’s',
    async run({ repository }) {
      const failing = write(repository, async (transaction) => {
        assert.equal(await transaction.replaceLease(NAME, undefined, holding(1)), true);
        throw new Error('the body failed');
      });
      await assert.rejects(failing, /the body failed/);
      assert.equal(await repository.findLease(NAME), undefined);
    },
  },
  {
    name: 'two repositories on one database see the same lease',
    needs: 'multiProcess',
    async run({ repository, reopen }) {
      const other = await reopen();
      const lease = await take(repository, undefined, holding(1));
      assert.deepEqual(await other.findLease(NAME), lease);
      assert.equal(await replace(other, undefined, holding(2)), false);
      assert.equal(await replace(other, lease, holding(2)), true);
      assert.equal(await replace(repository, lease, holding(1, { beat: 2 })), false);
    },
  },
  {
    name: 'news of work, of leases and of events are heard, where the repository tells any, until one stops listening',
    async run({ repository }) {
      if (repository.onNews === undefined) return;
      await heard(repository, 'work', () =>
        write(repository, (transaction) => transaction.requestWork(instanceId(1), 'created', at(0))),
      );
      await heard(repository, 'event', () =>
        write(repository, (transaction) => transaction.appendEvent(sampleEvent(1))),
      );
      const lease = await take(repository, undefined, holding(1));
      await heard(repository, 'lease', () => replace(repository, lease, undefined));
      const late: RepositoryNews[] = [];
      const stop = await repository.onNews((news) => void late.push(news));
      await stop();
      await heard(repository, 'event', () =>
        write(repository, (transaction) => transaction.appendEvent(sampleEvent(2))),
      );
      assert.deepEqual(late, []);
    },
  },
];
