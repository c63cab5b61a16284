import assert from 'node:assert/strict';
import type { Labels } from '../../model/labels.ts';
import type { Repository, RepositoryTransaction } from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import {
  at,
  changeId,
  instanceId,
  sampleClaim,
  sampleEvent,
  sampleGitState,
  sampleInstance,
  sampleProduct,
  sampleTemplateVersion,
  sampleUpdate,
  seed,
} from './sample-records.ts';

/** A promise that the test settles. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Lets everything else that is ready run first. */
async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

const slugs = async (repository: Repository) => (await repository.listProducts()).items.map(({ slug }) => slug);

/** One write to every table. */
async function writeEverything(transaction: RepositoryTransaction): Promise<void> {
  await transaction.insertProduct(sampleProduct(1));
  await transaction.insertTemplateVersion(sampleTemplateVersion(1));
  await transaction.insertInstance(sampleInstance(1));
  await transaction.updateDesired(instanceId(1), 1, sampleUpdate(2));
  await transaction.putGitState(sampleGitState(1));
  await transaction.putDrift(instanceId(1), 'missing', at(1));
  await transaction.appendEvent(sampleEvent(1));
  await transaction.requestWork(instanceId(1), 'created', at(1));
  await transaction.putIdempotencyRecord({ scope: 's', key: 'k', requestHash: 'h', response: 1, expiresAt: at(9) });
}

/** How much of {@link writeEverything} is there. */
async function readEverything(repository: Repository): Promise<readonly unknown[]> {
  return [
    (await repository.listProducts()).items.length,
    (await repository.listTemplateVersions()).items.length,
    (await repository.findInstance(instanceId(1)))?.generation ?? 0,
    (await repository.findGitState(instanceId(1))) === undefined ? 0 : 1,
    (await repository.listDrift()).items.length,
    (await repository.listEvents()).length,
    (await repository.workBacklog()).pending,
    await repository.hasChange(instanceId(1), changeId(2)),
    await repository.transaction(async (transaction) => (await transaction.findIdempotencyRecord('s', 'k'))?.response),
  ];
}

const nothing = [0, 0, 0, 0, 0, 0, 0, false, undefined];
const everything = [1, 1, 2, 1, 1, 1, 1, true, 1];

export const transactionCases: readonly ContractCase[] = [
  {
    name: 'a transaction keeps all of its writes and returns what its body returns',
    async run({ repository }) {
      const result = { answer: 42 };
      const returned = await repository.transaction(async (transaction) => {
        await writeEverything(transaction);
        return result;
      });
      assert.equal(returned, result);
      assert.deepEqual(await readEverything(repository), everything);
    },
  },
  {
    name: 'a transaction whose body throws keeps nothing and rethrows the very error',
    async run({ repository }) {
      for (const reason of [new Error('the body failed'), undefined, 'a text']) {
        const call = repository.transaction(async (transaction) => {
          await writeEverything(transaction);
          throw reason;
        });
        await call.then(
          () => assert.fail('the transaction succeeded'),
          (error: unknown) => assert.equal(error, reason),
        );
        assert.deepEqual(await readEverything(repository), nothing);
      }
      await repository.transaction(writeEverything);
      assert.deepEqual(await readEverything(repository), everything);
    },
  },
  {
    name: 'a body sees its own writes',
    async run({ repository }) {
      await repository.transaction(async (transaction) => {
        await writeEverything(transaction);
        assert.equal((await transaction.findInstance(instanceId(1)))?.generation, 2);
        assert.equal((await transaction.listProducts()).items.length, 1);
        assert.equal((await transaction.listEvents()).length, 1);
        assert.equal(await transaction.hasChange(instanceId(1), changeId(2)), true);
        assert.equal((await transaction.findIdempotencyRecord('s', 'k'))?.response, 1);
      });
    },
  },
  {
    name: 'nobody sees half of a transaction',
    async run({ repository }) {
      const seen = new Set<number>();
      let running = true;
      const watch = async () => {
        while (running) {
          seen.add((await repository.listProducts()).items.length);
          await turns(1);
        }
      };
      const watching = watch();
      for (let round = 0; round < 5; round++) {
        const insert = repository.transaction(async (transaction) => {
          await transaction.insertProduct(sampleProduct(2 * round));
          await turns();
          await transaction.insertProduct(sampleProduct(2 * round + 1));
          await turns();
        });
        await insert;
      }
      running = false;
      await watching;
      assert.deepEqual(
        [...seen].filter((count) => count % 2 === 1),
        [],
      );
      assert.equal((await repository.listProducts()).items.length, 10);
    },
  },
  {
    name: 'nobody sees what a transaction wrote before it failed',
    async run({ repository }) {
      const written = gate();
      const fail = gate();
      const failing = repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        written.open();
        await fail.opened;
        throw new Error('the body failed');
      });
      const failed = assert.rejects(failing, /the body failed/);
      await written.opened;
      // A repository may answer from before the transaction, or wait for its end.
      const reading = slugs(repository);
      await turns();
      fail.open();
      assert.deepEqual(await reading, []);
      await failed;
      assert.deepEqual(await slugs(repository), []);
    },
  },
  {
    name: 'transactions that run at once do not lose one another’s writes',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      const writers = Array.from({ length: 12 }, (_, writer) =>
        repository.transaction(async (transaction) => {
          const found = await transaction.findInstance(instanceId(1));
          assert.ok(found);
          await turns(1);
          const labels: Labels = { ...found.labels, [`writer-${writer}`]: 'was-here' };
          await transaction.updateDesired(found.id, found.generation, sampleUpdate(writer, { labels }));
        }),
      );
      await Promise.all(writers);
      const found = await repository.findInstance(instanceId(1));
      assert.equal(found?.generation, 13);
      assert.equal(Object.keys(found.labels).length, 12);
    },
  },
  {
    name: 'a body that catches a refusal goes on with its transaction',
    async run({ repository }) {
      await seed(repository, sampleInstance(1));
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(2));
        await assertRefused(
          transaction.insertProduct(sampleProduct(3, { slug: sampleProduct(2).slug })),
          'PRODUCT_EXISTS',
        );
        await assertRefused(transaction.insertInstance(sampleInstance(1)), 'INSTANCE_EXISTS');
        await assertRefused(transaction.updateDesired(instanceId(1), 7, sampleUpdate(1)), 'GENERATION_STALE');
        await transaction.insertInstance(sampleInstance(2));
      });
      assert.deepEqual(await slugs(repository), ['slug-2', 'slug-1']);
      assert.equal((await repository.listInstances()).items.length, 2);
      assert.equal((await repository.findInstance(instanceId(1)))?.generation, 1);
    },
  },
  {
    name: 'a transaction refuses to be used after its end',
    async run({ repository }) {
      let kept: RepositoryTransaction | undefined;
      await repository.transaction(async (transaction) => {
        kept = transaction;
      });
      assert.ok(kept);
      await assertRefused(kept.insertProduct(sampleProduct(1)), 'UNAVAILABLE');
      await assertRefused(kept.findProduct(sampleProduct(1).id), 'UNAVAILABLE');
      assert.deepEqual(await slugs(repository), []);
    },
  },
  {
    name: 'a signal that is aborted already stops every call before it does anything',
    async run({ repository }) {
      const reason = new Error('stopped by the test');
      const signal = AbortSignal.abort(reason);
      const options = { signal };
      await seed(repository);
      let ran = false;
      const calls: readonly (() => Promise<unknown>)[] = [
        () =>
          repository.transaction(async () => {
            ran = true;
          }, options),
        () => repository.claimWork(sampleClaim(at(9)), options),
        () => repository.findProduct(sampleProduct(1).id, options),
        () => repository.findProductBySlug(sampleProduct(1).slug, options),
        () => repository.listProducts({}, options),
        () => repository.findTemplateVersion(sampleTemplateVersion(1).id, options),
        () => repository.listTemplateVersions({}, {}, options),
        () => repository.findInstance(instanceId(1), options),
        () => repository.findInstanceByArgoAppName('app-1', options),
        () => repository.listInstances({}, {}, options),
        () => repository.findGitState(instanceId(1), options),
        () => repository.findDrift(instanceId(1), options),
        () => repository.listDrift({}, options),
        () => repository.hasChange(instanceId(1), changeId(1), options),
        () => repository.listEvents({}, options),
        () => repository.workBacklog(options),
      ];
      for (const call of calls) await assert.rejects(call, (error) => error === reason);
      assert.equal(ran, false);
    },
  },
  {
    name: 'a signal that is aborted while the body runs undoes the transaction, and the next one goes on',
    async run({ repository }) {
      const controller = new AbortController();
      const reason = new Error('stopped by the test');
      const never = new Promise<never>(() => {});
      const stuck = repository.transaction(
        async (transaction) => {
          await transaction.insertProduct(sampleProduct(1));
          controller.abort(reason);
          await never;
        },
        { signal: controller.signal },
      );
      await assert.rejects(stuck, (error) => error === reason);
      await repository.transaction((transaction) => transaction.insertProduct(sampleProduct(2)));
      assert.deepEqual(await slugs(repository), ['slug-2']);
    },
  },
  {
    name: 'a signal that is aborted while the body is about to end undoes the transaction',
    async run({ repository }) {
      const controller = new AbortController();
      const call = repository.transaction(
        async (transaction) => {
          await transaction.insertProduct(sampleProduct(1));
          controller.abort(new Error('stopped by the test'));
        },
        { signal: controller.signal },
      );
      await assert.rejects(call, /stopped by the test/);
      assert.deepEqual(await slugs(repository), []);
    },
  },
  {
    name: 'a transaction that is stopped while it waits never runs, and those behind it do',
    async run({ repository }) {
      const hold = gate();
      const controller = new AbortController();
      const first = repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        await hold.opened;
      });
      const second = repository.transaction(
        async (transaction) => {
          // Where transactions run beside one another, this one waits here.
          await hold.opened;
          await transaction.insertProduct(sampleProduct(2));
        },
        { signal: controller.signal },
      );
      const stopped = assert.rejects(second, /stopped by the test/);
      const third = repository.transaction((transaction) => transaction.insertProduct(sampleProduct(3)));
      await turns();
      controller.abort(new Error('stopped by the test'));
      await stopped;
      hold.open();
      await Promise.all([first, third]);
      assert.deepEqual(await slugs(repository), ['slug-3', 'slug-1']);
    },
  },
  {
    name: 'a repository that was disposed refuses to be used, and may be disposed again',
    async run({ repository }) {
      await seed(repository);
      await repository[Symbol.asyncDispose]();
      await repository[Symbol.asyncDispose]();
      await assertRefused(repository.listProducts(), 'UNAVAILABLE');
      await assertRefused(repository.claimWork(sampleClaim(at(1))), 'UNAVAILABLE');
      await assertRefused(
        repository.transaction(async () => {}),
        'UNAVAILABLE',
      );
    },
  },
  {
    name: 'disposing waits for the transaction that runs',
    async run({ repository }) {
      const hold = gate();
      const running = repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        await hold.opened;
        await transaction.insertProduct(sampleProduct(2));
        return (await transaction.listProducts()).items.length;
      });
      await turns();
      const disposing = repository[Symbol.asyncDispose]();
      await turns();
      hold.open();
      assert.equal(await running, 2);
      await disposing;
    },
  },
  {
    name: 'what was committed, and the store id, outlive the repository',
    needs: 'durable',
    async run({ repository, reopen }) {
      await repository.transaction(writeEverything);
      await repository[Symbol.asyncDispose]();
      const again = await reopen();
      assert.deepEqual(await readEverything(again), everything);
      assert.equal(again.storeId, repository.storeId);
    },
  },
  {
    name: 'two repositories on one database see each other’s commits and share the store id',
    needs: 'multiProcess',
    async run({ repository, reopen }) {
      const other = await reopen();
      assert.equal(other.storeId, repository.storeId);
      await repository.transaction(writeEverything);
      assert.deepEqual(await readEverything(other), everything);
      const both = [repository, other].flatMap((one, index) =>
        Array.from({ length: 5 }, (_, round) =>
          one.transaction(async (transaction) => {
            await transaction.insertProduct(sampleProduct(10 + 2 * round + index));
            await turns(2);
          }),
        ),
      );
      await Promise.all(both);
      assert.equal((await slugs(other)).length, 11);
      assert.deepEqual(await slugs(repository), await slugs(other));
    },
  },
];
