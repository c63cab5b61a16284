import assert from 'node:assert/strict';
import type { TenantId } from '../../model/identifier.ts';
import type { Repository, WorkClaim, WorkItem, WorkRecord, WorkRetry, WorkState } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import { at, hostileTexts, instanceId, sampleClaim, sampleInstance, seed, uuid, write } from './sample-records.ts';

const request = (repository: Repository, number: number, second: number, reason = `reason ${second}`) =>
  write(repository, (transaction) => transaction.requestWork(instanceId(number), reason, at(second)));
const claim = (repository: Repository, second: number, other: Partial<WorkClaim> = {}) =>
  repository.claimWork(sampleClaim(at(second), other));
const complete = (repository: Repository, item: WorkItem) =>
  write(repository, (transaction) => transaction.completeWork(item));
const release = (repository: Repository, item: WorkItem, retry: WorkRetry) =>
  write(repository, (transaction) => transaction.releaseWork(item, retry));
const bury = (repository: Repository, item: WorkItem, second: number) =>
  write(repository, (transaction) => transaction.buryWork(item, { at: at(second), error: 'buried' }));
const ids = (items: readonly WorkItem[]) => items.map((item) => item.instanceId);

/** Claims, and expects exactly one item. */
async function claimOne(repository: Repository, second: number): Promise<WorkItem> {
  const items = await claim(repository, second);
  assert.equal(items.length, 1, `expected one item at second ${second}`);
  return items[0] as WorkItem;
}

const idle = { pending: 0, failing: 0, dead: 0, oldestRequestedAt: null };

export const workCases: readonly ContractCase[] = [
  {
    name: 'work that is requested is claimed once, and is done once it is complete',
    async run({ repository }) {
      assert.deepEqual(await repository.workBacklog(), idle);
      assert.deepEqual(await claim(repository, 1), []);
      await request(repository, 1, 1, 'created');
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, dead: 0, oldestRequestedAt: at(1) });
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
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, dead: 0, oldestRequestedAt: at(1) });
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
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, dead: 0, oldestRequestedAt: at(3) });
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
    name: 'work is claimed in the order in which it was requested, up to the limit',
    async run({ repository }) {
      for (const [number, second] of [
        [2, 10],
        [4, 10],
        [3, 20],
        [1, 30],
        [5, 40],
      ] as const) {
        await request(repository, number, second);
      }
      await request(repository, 3, 50);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 1 })), [instanceId(2)]);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 2 })), [instanceId(4), instanceId(3)]);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 9 })), [instanceId(1), instanceId(5)]);
      assert.deepEqual(await repository.workBacklog(), { pending: 5, failing: 0, dead: 0, oldestRequestedAt: at(10) });
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
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, dead: 0, oldestRequestedAt: at(0) });
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
        assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 1, dead: 0, oldestRequestedAt: at(0) });
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
    name: 'many are completed at once: those whose lease is the caller’s, and up to what was requested then',
    async run({ repository }) {
      for (const number of [1, 2, 3, 4, 5]) await request(repository, number, 0);
      const items = await claim(repository, 1, { limit: 5 });
      assert.equal(items.length, 5);
      const [again, lost, ...rest] = items as [WorkItem, WorkItem, ...WorkItem[]];
      await write(repository, (transaction) => transaction.requestWork(again.instanceId, 'once more', at(2)));
      await release(repository, lost, { availableAt: at(3), error: null });
      const held = await write(repository, (transaction) => transaction.completeWorkMany(items));
      assert.deepEqual(ids(held).toSorted(), ids([again, ...rest]).toSorted());
      assert.deepEqual(await write(repository, (transaction) => transaction.completeWorkMany(items)), []);
      assert.deepEqual(await write(repository, (transaction) => transaction.completeWorkMany([])), []);
      for (const { instanceId: id } of rest) assert.equal((await repository.findWork(id))?.state, 'done');
      const left = await claim(repository, 10, { limit: 5 });
      assert.deepEqual(ids(left).toSorted(), ids([again, lost]).toSorted());
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
  {
    name: 'tenants take turns, and one that comes late comes next',
    async run({ repository }) {
      const tenants = ['many', 'many', 'many', 'many', 'few', 'few', 'late'];
      await seed(
        repository,
        ...tenants.map((tenant, number) => sampleInstance(number, { tenant: tenant as TenantId })),
      );
      for (const number of [0, 1, 2, 3]) await request(repository, number, number);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 1 })), [0].map(instanceId));
      for (const number of [4, 5]) await request(repository, number, 50);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 2 })), [4, 1].map(instanceId));
      await request(repository, 6, 60);
      assert.deepEqual(ids(await claim(repository, 60, { limit: 2 })), [5, 6].map(instanceId));
      assert.deepEqual(ids(await claim(repository, 60)), [2, 3].map(instanceId));
    },
  },
  {
    name: 'a tenant with a long backlog does not keep another waiting, whatever the limit',
    async run({ repository }) {
      const one = sampleInstance(5000, { tenant: 'other' as TenantId });
      const backlog = Array.from({ length: 300 }, (_, number) => sampleInstance(number));
      await seed(repository, ...backlog, one);
      await write(repository, async (transaction) => {
        for (const { id } of backlog) await transaction.requestWork(id, 'upgrade', at(0));
      });
      await claim(repository, 1, { limit: 50 });
      await request(repository, 5000, 2);
      assert.ok(ids(await claim(repository, 2, { limit: 2 })).includes(one.id));
    },
  },
  {
    name: 'work that failed and waited long enough takes its turn behind its tenant’s, and not before all others',
    async run({ repository }) {
      const tenants = ['a', 'a', 'a', 'b'];
      await seed(
        repository,
        ...tenants.map((tenant, number) => sampleInstance(number, { tenant: tenant as TenantId })),
      );
      for (const number of [0, 1, 2]) await request(repository, number, 0);
      for (const item of await claim(repository, 0))
        await release(repository, item, { availableAt: at(5), error: 'no' });
      await request(repository, 3, 5);
      assert.deepEqual(ids(await claim(repository, 5)), [3, 0, 1, 2].map(instanceId));
    },
  },
  {
    name: 'the work of an instance is shown with its tenant, its state and what went wrong',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      assert.equal(await repository.findWork(instanceId(1)), undefined);
      await request(repository, 1, 1, 'created');
      const requested = {
        instanceId: instanceId(1),
        tenant: sampleInstance(1).tenant,
        state: 'pending',
        reason: 'created',
        requestedAt: at(1),
        availableAt: at(1),
        attempts: 0,
        lastError: null,
        leaseOwner: null,
        leaseUntil: null,
        deadAt: null,
      } as const;
      assert.deepEqual(await repository.findWork(instanceId(1)), requested);
      const first = await claimOne(repository, 2);
      const leased = { ...requested, state: 'leased', leaseOwner: 'host/1', leaseUntil: at(62) } as const;
      assert.deepEqual(await repository.findWork(instanceId(1)), leased);
      await release(repository, first, { availableAt: at(9), error: 'refused' });
      const failing = {
        ...requested,
        state: 'failing',
        availableAt: at(9),
        attempts: 1,
        lastError: 'refused',
      } as const;
      assert.deepEqual(await repository.findWork(instanceId(1)), failing);
      const second = await claimOne(repository, 9);
      assert.equal((await repository.findWork(instanceId(1)))?.state, 'leased');
      assert.equal(await bury(repository, second, 10), 'dead');
      const dead = { ...failing, state: 'dead', availableAt: at(10), attempts: 2, lastError: 'buried', deadAt: at(10) };
      assert.deepEqual(await repository.findWork(instanceId(1)), dead);
      await request(repository, 1, 20, 'again');
      const third = await claimOne(repository, 20);
      await complete(repository, third);
      const done = await repository.findWork(instanceId(1));
      assert.deepEqual([done?.state, done?.attempts, done?.lastError, done?.deadAt], ['done', 0, null, null]);
      await request(repository, 2, 30);
      assert.equal((await repository.findWork(instanceId(2)))?.tenant, null);
    },
  },
  {
    name: 'work that is dead is claimed by nobody, until it is requested again and begins anew',
    async run({ repository }) {
      await request(repository, 1, 0);
      const first = await claimOne(repository, 0);
      await release(repository, first, { availableAt: at(5), error: 'refused' });
      assert.equal(await bury(repository, await claimOne(repository, 5), 6), 'dead');
      assert.deepEqual(await claim(repository, 100_000), []);
      assert.deepEqual(await repository.workBacklog(), { pending: 0, failing: 0, dead: 1, oldestRequestedAt: null });
      await write(repository, (transaction) =>
        transaction.requestWork(instanceId(1), 'sweep', at(10), { revive: false }),
      );
      assert.deepEqual(await claim(repository, 100_000), []);
      assert.equal((await repository.findWork(instanceId(1)))?.reason, 'reason 0');
      await request(repository, 1, 20, 'changed');
      assert.deepEqual(await repository.workBacklog(), { pending: 1, failing: 0, dead: 0, oldestRequestedAt: at(0) });
      const revived = await claimOne(repository, 20);
      assert.deepEqual([revived.attempts, revived.reason], [0, 'changed']);
      assert.equal(await complete(repository, revived), true);
      assert.deepEqual(await repository.workBacklog(), idle);
    },
  },
  {
    name: 'a request that asks for no revival counts like any other where nothing is dead',
    async run({ repository }) {
      const gently = (second: number) =>
        write(repository, (transaction) =>
          transaction.requestWork(instanceId(1), 'sweep', at(second), { revive: false }),
        );
      await gently(1);
      await gently(2);
      assert.equal((await claimOne(repository, 2)).requested, 2);
    },
  },
  {
    name: 'work that was requested since it was claimed cannot be buried, and is due at once',
    async run({ repository }) {
      await request(repository, 1, 0);
      const first = await claimOne(repository, 0);
      await request(repository, 1, 1, 'changed');
      assert.equal(await bury(repository, first, 2), 'due');
      assert.equal(await bury(repository, first, 2), 'lost');
      const second = await claimOne(repository, 2);
      assert.deepEqual([second.attempts, second.reason, second.requested], [0, 'changed', 2]);
      assert.equal(await bury(repository, { ...second, leaseToken: uuid(99) }, 3), 'lost');
      assert.equal((await repository.workBacklog()).dead, 0);
    },
  },
  {
    name: 'work that is not done is listed by state, page by page',
    async run({ repository }) {
      for (let number = 0; number < 9; number++) await request(repository, number, 0);
      for (const item of await claim(repository, 0, { limit: 8 })) {
        const number = Number.parseInt(item.instanceId.slice(-1), 16);
        if (number < 2) await complete(repository, item);
        else if (number < 4) await bury(repository, item, 1);
        else if (number < 6) await release(repository, item, { availableAt: at(50), error: 'refused' });
        else if (number === 6) await release(repository, item, { availableAt: at(50), error: null });
      }
      const listed = async (state?: Exclude<WorkState, 'done'>) => {
        const found: WorkRecord[] = [];
        let cursor: string | undefined;
        do {
          const page = await repository.listWork({ state }, { limit: 2, cursor });
          assert.ok(page.items.length <= 2);
          found.push(...page.items);
          cursor = page.nextCursor ?? undefined;
        } while (cursor !== undefined);
        return found.map((record) => [record.instanceId, record.state]);
      };
      const expected = [2, 3, 4, 5, 6, 7, 8].map((number) => [
        instanceId(number),
        ['dead', 'dead', 'failing', 'failing', 'pending', 'leased', 'pending'][number - 2],
      ]);
      assert.deepEqual(await listed(), expected);
      for (const state of ['dead', 'failing', 'leased', 'pending'] as const) {
        const ofState = expected.filter((entry) => entry[1] === state);
        assert.deepEqual(await listed(state), ofState);
      }
      await assertRefused(repository.listWork({}, { cursor: 'made up' }), 'CURSOR_INVALID');
    },
  },
  {
    name: 'a lease is renewed by its holder alone, and then runs longer',
    async run({ repository }) {
      for (const number of [1, 2, 3]) await request(repository, number, 0);
      const items = await claim(repository, 0, { leaseMilliseconds: 10_000 });
      const [one, two, three] = items;
      assert.ok(one && two && three);
      await complete(repository, three);
      const renew = (second: number) => repository.renewWork(items, { leaseMilliseconds: 10_000, now: at(second) });
      assert.deepEqual(ids(await renew(8)), ids([one, two]));
      assert.deepEqual(await claim(repository, 17), []);
      const [taken] = await claim(repository, 18, { limit: 1 });
      assert.equal(taken?.instanceId, one.instanceId);
      assert.deepEqual(ids(await renew(18)), ids([two]));
      assert.deepEqual(await claim(repository, 27), []);
      assert.deepEqual(await repository.renewWork([], { leaseMilliseconds: 1, now: at(0) }), []);
      assert.deepEqual(
        await repository.renewWork([{ ...two, leaseToken: '' }], { leaseMilliseconds: 1, now: at(0) }),
        [],
      );
      for (const leaseMilliseconds of [0, 24 * 60 * 60 * 1000 + 1]) {
        await assertRefused(repository.renewWork(items, { leaseMilliseconds, now: at(0) }), 'INVALID_INPUT');
      }
    },
  },
  {
    name: 'more leases than a statement can name are renewed',
    async run({ repository }) {
      await write(repository, async (transaction) => {
        for (let number = 0; number < 1100; number++) await transaction.requestWork(instanceId(number), 'r', at(0));
      });
      const items = await claim(repository, 0, { limit: 1100, leaseMilliseconds: 1000 });
      assert.equal((await repository.renewWork(items, { leaseMilliseconds: 5000, now: at(1) })).length, 1100);
      assert.deepEqual(await claim(repository, 5), []);
    },
  },
];
