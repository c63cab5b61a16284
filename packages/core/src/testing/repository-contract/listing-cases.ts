import assert from 'node:assert/strict';
import type { TenantId, TierName } from '../../model/identifier.ts';
import { type Instance, instanceStatuses, syncStatuses } from '../../model/instance.ts';
import {
  type InstanceFilter,
  PAGE_LIMITS,
  type Page,
  type PageRequest,
  type Repository,
} from '../../ports/repository.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import {
  at,
  instanceId,
  productId,
  sampleInstance,
  sampleProduct,
  sampleTemplateVersion,
  seed,
  templateVersionId,
  write,
} from './sample-records.ts';

type Key = readonly [createdAt: string, id: string];
const order = ([firstAt, first]: Key, [secondAt, second]: Key) =>
  firstAt === secondAt ? (first < second ? 1 : -1) : firstAt < secondAt ? 1 : -1;

/** Newest first, and by id downwards where the instants are equal. */
const newestFirst = <T extends { readonly id: string; readonly createdAt: string }>(records: readonly T[]) =>
  records.toSorted((a, b) => order([a.createdAt, a.id], [b.createdAt, b.id]));

/** Every page from the first to the last, with `between` run after each. */
async function pages<T>(
  list: (page: PageRequest) => Promise<Page<T>>,
  limit: number,
  between: (page: number) => Promise<void> = async () => {},
): Promise<readonly T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let number = 0; number < 1000; number++) {
    const page = await list({ limit, cursor });
    assert.ok(page.items.length <= limit, 'a page holds more than its limit');
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    assert.equal(page.items.length, limit, 'a page before the last is not full');
    cursor = page.nextCursor;
    await between(number);
  }
  return assert.fail('the listing never ends');
}

interface Listing {
  readonly name: string;
  readonly list: (repository: Repository, page?: PageRequest) => Promise<Page<unknown>>;
  /** Inserts record `number`; the instants of most are equal. */
  readonly insert: (repository: Repository, number: number) => Promise<unknown>;
  /** All records in the order of the listing. */
  readonly ordered: (records: readonly unknown[]) => readonly unknown[];
}

const instant = (number: number) => at(Math.floor(number / 4));

const listings: readonly Listing[] = [
  {
    name: 'listProducts',
    list: (repository, page) => repository.listProducts(page),
    async insert(repository, number) {
      const product = sampleProduct(number + 10, { createdAt: instant(number) });
      await write(repository, (transaction) => transaction.insertProduct(product));
      return product;
    },
    ordered: (records) => newestFirst([sampleProduct(1), ...(records as ReturnType<typeof sampleProduct>[])]),
  },
  {
    name: 'listTemplateVersions',
    list: (repository, page) => repository.listTemplateVersions({}, page),
    async insert(repository, number) {
      const version = sampleTemplateVersion(number + 10, { createdAt: instant(number) });
      await write(repository, (transaction) => transaction.insertTemplateVersion(version));
      return version;
    },
    ordered: (records) =>
      newestFirst([sampleTemplateVersion(1), ...(records as ReturnType<typeof sampleTemplateVersion>[])]),
  },
  {
    name: 'listInstances',
    list: (repository, page) => repository.listInstances({}, page),
    async insert(repository, number) {
      const instance = sampleInstance(number, { createdAt: instant(number) });
      await write(repository, (transaction) => transaction.insertInstance(instance));
      return instance;
    },
    ordered: (records) => newestFirst(records as Instance[]),
  },
  {
    name: 'listDrift',
    list: (repository, page) => repository.listDrift(page),
    async insert(repository, number) {
      const drift = { instanceId: instanceId(number), kind: 'missing', detectedAt: instant(number) } as const;
      await write(repository, (transaction) => transaction.putDrift(drift.instanceId, drift.kind, drift.detectedAt));
      return drift;
    },
    ordered: (records) =>
      (records as { instanceId: string }[]).toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1)),
  },
];

const badCursors = ['', ' ', 'x', '0', 'AAAA', '-1', '[]', `' OR 1=1 --`, '\u0000', '\ud800', 'ü', 'x'.repeat(5000)];

const everyPageOnce = listings.map(
  ({ name, list, insert, ordered }): ContractCase => ({
    name: `${name} gives every record once and in order, whatever the page size`,
    async run({ repository }) {
      await seed(repository);
      const records: unknown[] = [];
      for (let number = 0; number < 11; number++) records.push(await insert(repository, number));
      const expected = ordered(records);
      for (const limit of [1, 2, 3, expected.length - 1, expected.length, expected.length + 1]) {
        assert.deepEqual(await pages((page) => list(repository, page), limit), expected, `limit ${limit}`);
      }
      assert.deepEqual(await list(repository), { items: expected, nextCursor: null });
    },
  }),
);

const pagesWhileInserting = listings.map(
  ({ name, list, insert }): ContractCase => ({
    name: `${name} loses and doubles nothing while records are inserted`,
    async run({ repository }) {
      await seed(repository);
      const before: unknown[] = [];
      // Even numbers first; the odd ones come in between, before and behind the cursor.
      for (let number = 0; number < 20; number += 2) before.push(await insert(repository, number));
      const listed = await pages(
        (page) => list(repository, page),
        2,
        async (page) => {
          if (page < 10) await insert(repository, 2 * page + 1);
        },
      );
      const texts = listed.map((record) => JSON.stringify(record));
      assert.equal(new Set(texts).size, texts.length, 'a record came twice');
      assert.deepEqual(
        before.filter((record) => !texts.includes(JSON.stringify(record))),
        [],
      );
    },
  }),
);

const refusedPages = listings.map(
  ({ name, list, insert }, index): ContractCase => ({
    name: `${name} refuses limits outside 1 to 500 and cursors that are not its own`,
    async run({ repository }) {
      await seed(repository);
      for (let number = 0; number < 3; number++) await insert(repository, number);
      for (const limit of [0, -1, 501, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assertRefused(list(repository, { limit }), 'INVALID_INPUT');
      }
      for (const cursor of badCursors) {
        await assertRefused(list(repository, { cursor }), 'CURSOR_INVALID');
      }
      const foreign = listings[(index + 1) % listings.length];
      for (let number = 10; number < 13; number++) await foreign?.insert(repository, number);
      const page = await foreign?.list(repository, { limit: 1 });
      assert.ok(page?.nextCursor);
      await assertRefused(list(repository, { cursor: page.nextCursor }), 'CURSOR_INVALID');
    },
  }),
);

const filters: readonly InstanceFilter[] = [
  {},
  { tenant: 'acme' as TenantId },
  { tenant: 'nobody' as TenantId },
  { productId: productId(2) },
  { templateVersionId: templateVersionId(2) },
  { tier: 'gold' as TierName },
  { status: [] },
  { status: ['Running'] },
  { status: ['Deleted', 'Failed', 'Running'] },
  { status: ['Running', 'Running'] },
  { status: instanceStatuses },
  { syncStatus: [] },
  { syncStatus: ['OutOfSync'] },
  { syncStatus: ['Synced', 'Error'] },
  { syncStatus: syncStatuses },
  { status: ['Running', 'Failed'], syncStatus: ['Synced', 'Error'] },
  { tenant: 'acme' as TenantId, status: ['Running', 'Pending'] },
  { productId: productId(1), templateVersionId: templateVersionId(1) },
  { productId: productId(2), templateVersionId: templateVersionId(1) },
  { productId: productId(1), tier: 'gold' as TierName, status: ['Running', 'Failed'] },
  { tier: 'standard' as TierName, syncStatus: ['Synced', 'OutOfSync'] },
  {
    tenant: 'acme' as TenantId,
    productId: productId(1),
    templateVersionId: templateVersionId(1),
    tier: 'standard' as TierName,
    status: ['Pending', 'Running', 'Failed'],
    syncStatus: ['Synced'],
  },
];

/** What the filter says, in one line each. */
const passes = (instance: Instance, filter: InstanceFilter) =>
  [
    filter.tenant === undefined || filter.tenant === instance.tenant,
    filter.productId === undefined || filter.productId === instance.productId,
    filter.templateVersionId === undefined || filter.templateVersionId === instance.desiredTemplateVersionId,
    filter.tier === undefined || filter.tier === instance.tier,
    filter.status === undefined || filter.status.some((status) => status === instance.status),
    filter.syncStatus === undefined || filter.syncStatus.some((status) => status === instance.syncStatus),
  ].every(Boolean);

/** A mixture in which every filter finds some and leaves some. */
const mixture: readonly Instance[] = Array.from({ length: 60 }, (_, number) =>
  sampleInstance(number, {
    tenant: (number % 3 === 0 ? 'globex' : 'acme') as TenantId,
    tier: (number % 5 < 2 ? 'gold' : 'standard') as TierName,
    productId: productId(number % 7 === 0 ? 2 : 1),
    desiredTemplateVersionId: templateVersionId(number % 4 === 0 ? 2 : 1),
    status: instanceStatuses[number % instanceStatuses.length] ?? 'Pending',
    syncStatus: [...syncStatuses, null][number % 4] ?? null,
    createdAt: at(number % 10),
  }),
);

export const listingCases: readonly ContractCase[] = [
  ...everyPageOnce,
  ...pagesWhileInserting,
  ...refusedPages,
  {
    name: 'a page holds 50 where nothing is said, and up to 500',
    async run({ repository }) {
      const count = PAGE_LIMITS.most + 1;
      const instances = Array.from({ length: count }, (_, number) => sampleInstance(number, { createdAt: at(1) }));
      await seed(repository, ...instances);
      assert.equal((await repository.listInstances()).items.length, PAGE_LIMITS.usual);
      const most = await repository.listInstances({}, { limit: PAGE_LIMITS.most });
      assert.equal(most.items.length, PAGE_LIMITS.most);
      assert.ok(most.nextCursor);
      const rest = await repository.listInstances({}, { limit: PAGE_LIMITS.most, cursor: most.nextCursor });
      assert.equal(rest.items.length, 1);
      assert.equal(rest.nextCursor, null);
    },
  },
  {
    name: 'listInstances keeps to every filter, alone and together, on every page',
    async run({ repository }) {
      await seed(repository);
      await write(repository, async (transaction) => {
        await transaction.insertProduct(sampleProduct(2));
        await transaction.insertTemplateVersion(sampleTemplateVersion(2));
        for (const instance of mixture) await transaction.insertInstance(instance);
      });
      for (const filter of filters) {
        const expected = newestFirst(mixture.filter((instance) => passes(instance, filter)));
        for (const limit of [4, 500]) {
          const found = await pages((page) => repository.listInstances(filter, page), limit);
          assert.deepEqual(found, expected, JSON.stringify(filter));
        }
      }
    },
  },
  {
    name: 'listTemplateVersions keeps to its filters',
    async run({ repository }) {
      await seed(repository);
      const later = Array.from({ length: 12 }, (_, number) =>
        sampleTemplateVersion(number + 2, {
          productId: productId(number % 3 === 0 ? 2 : 1),
          deprecatedAt: number % 2 === 0 ? at(99) : null,
        }),
      );
      await write(repository, async (transaction) => {
        await transaction.insertProduct(sampleProduct(2));
        for (const version of later) await transaction.insertTemplateVersion(version);
      });
      const all = newestFirst([sampleTemplateVersion(1), ...later]);
      for (const filter of [
        {},
        { includeDeprecated: true },
        { includeDeprecated: false },
        { productId: productId(2) },
        { productId: productId(2), includeDeprecated: false },
        { productId: productId(3) },
      ]) {
        const expected = all.filter(
          (version) =>
            (filter.productId === undefined || filter.productId === version.productId) &&
            (filter.includeDeprecated !== false || version.deprecatedAt === null),
        );
        const found = await pages((page) => repository.listTemplateVersions(filter, page), 3);
        assert.deepEqual(found, expected, JSON.stringify(filter));
      }
    },
  },
];
