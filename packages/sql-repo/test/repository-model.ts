import assert from 'node:assert/strict';
import {
  type CaelusEventType,
  driftKinds,
  eventTypes,
  instanceStatuses,
  isCaelusError,
  type Repository,
  type RepositoryTransaction,
  syncStatuses,
  type Timestamp,
  type WorkItem,
} from '@caelus/core';
import { createMemoryRepository, sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import fc from 'fast-check';

// The same random sequence of operations is run on the repository in memory, whose code is a few lines of plain maps, and on
// one in SQL: every answer, every refusal and what is stored at the end must be the same.

/** One of the two, and the leases it gave, in the order in which both gave them. */
interface Side {
  readonly repository: Repository;
  readonly leases: WorkItem[];
  /** Where each reader of events has come to. */
  readonly cursors: (string | undefined)[];
}

interface Operation {
  readonly name: string;
  run(transaction: RepositoryTransaction, side: Side): Promise<unknown>;
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString() as Timestamp;
// Few of each, so that they meet.
const few = fc.integer({ min: 1, max: 3 });
const second = fc.integer({ min: 0, max: 40 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const text = fc.string({ unit: 'binary', maxLength: 6 });
const json = fc
  .dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 })
  .map((value) => JSON.parse(JSON.stringify(value)));
const hostname = (number: number) => `host-${number}.example.com` as never;

const given = <T extends object>(record: T): T =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T;
const operation = (name: string, run: Operation['run']): Operation => ({ name, run });

const insertProduct = fc
  .record({ id: few, slug: few, second })
  .map(({ id, slug, second }) =>
    operation(`insertProduct ${id} slug ${slug}`, (transaction) =>
      transaction.insertProduct(sampleProduct(id, { slug: `slug-${slug}` as never, createdAt: at(second) })),
    ),
  );
const insertTemplateVersion = fc
  .record({ id: few, product: few, version: few, values: json, second })
  .map(({ id, product, version, values, second }) =>
    operation(`insertTemplateVersion ${id} of ${product} named ${version}`, (transaction) =>
      transaction.insertTemplateVersion(
        sampleTemplateVersion(id, {
          productId: sampleProduct(product).id,
          version: `${version}`,
          defaultValues: values,
          createdAt: at(second),
        }),
      ),
    ),
  );
const deprecate = fc
  .record({ id: few, second })
  .map(({ id, second }) =>
    operation(`deprecateTemplateVersion ${id}`, (transaction) =>
      transaction.deprecateTemplateVersion(sampleTemplateVersion(id).id, at(second)),
    ),
  );
const insertInstance = fc
  .record({
    id: few,
    name: few,
    namespace: few,
    host: maybe(few),
    product: few,
    version: few,
    tenant: fc.constantFrom('a', 'b'),
    status: fc.constantFrom(...instanceStatuses),
    syncStatus: fc.constantFrom(...syncStatuses, null),
    second,
  })
  .map(({ id, name, namespace, host, product, version, tenant, status, syncStatus, second }) =>
    operation(`insertInstance ${id} named ${name} in ${namespace}, host ${host}, ${status}`, (transaction) =>
      transaction.insertInstance(
        sampleInstance(id, {
          tenant: tenant as never,
          argoAppName: `app-${name}`,
          namespace: `ns-${namespace}`,
          hostname: host === undefined ? null : hostname(host),
          productId: sampleProduct(product).id,
          desiredTemplateVersionId: sampleTemplateVersion(version).id,
          status,
          syncStatus,
          createdAt: at(second),
        }),
      ),
    ),
  );
const updateDesired = fc
  .record({
    id: few,
    stale: fc.integer({ min: 0, max: 4 }),
    host: maybe(fc.option(few)),
    version: maybe(few),
    values: maybe(json),
    status: fc.constantFrom('Pending' as const, 'Deleting' as const),
    reason: text,
    second,
  })
  .map(({ id, stale, host, version, values, status, reason, second }) =>
    operation(
      `updateDesired ${id}, host ${host}, template version ${version}, ${stale === 0 ? 'stale' : 'fresh'}`,
      async (transaction) => {
        const instance = await transaction.findInstance(sampleInstance(id).id);
        const generation = (instance?.generation ?? 1) + (stale === 0 ? 1 : 0);
        return transaction.updateDesired(
          sampleInstance(id).id,
          generation,
          given({
            changeId: `00000000-0000-4000-9000-${String(generation).padStart(12, '0')}` as never,
            changedBy: null,
            updatedAt: at(second),
            status,
            statusReason: reason,
            hostname: host === undefined || host === null ? host : hostname(host),
            desiredTemplateVersionId: version === undefined ? undefined : sampleTemplateVersion(version).id,
            userValues: values,
          }) as never,
        );
      },
    ),
  );
const updateObserved = fc
  .record({
    id: few,
    status: maybe(fc.constantFrom(...instanceStatuses)),
    syncStatus: maybe(fc.constantFrom(...syncStatuses, null)),
    applied: maybe(few),
    error: maybe(fc.option(text)),
    second,
  })
  .map(({ id, status, syncStatus, applied, error, second }) =>
    operation(`updateObserved ${id}, ${status}`, (transaction) =>
      transaction.updateObserved(
        sampleInstance(id).id,
        given({
          status,
          syncStatus,
          lastError: error,
          appliedTemplateVersionId: applied === undefined ? undefined : sampleTemplateVersion(applied).id,
        }) as never,
        at(second),
      ),
    ),
  );
const requestWork = fc
  .record({ id: few, reason: text, second, revive: maybe(fc.boolean()) })
  .map(({ id, reason, second, revive }) =>
    operation(`requestWork ${id} at ${second}, revive ${revive}`, (transaction) =>
      transaction.requestWork(sampleInstance(id).id, reason, at(second), { revive }),
    ),
  );
const endLease = fc
  .record({
    index: fc.nat({ max: 30 }),
    end: fc.constantFrom('complete', 'release', 'bury'),
    error: fc.option(text),
    second,
  })
  .map(({ index, end, error, second }) =>
    operation(`${end} lease ${index} at ${second}`, async (transaction, { leases }) => {
      const item = leases[index % (leases.length || 1)];
      if (item === undefined) return 'no lease';
      if (end === 'complete') return transaction.completeWork(item);
      if (end === 'bury') return transaction.buryWork(item, { at: at(second), error: error ?? '' });
      return transaction.releaseWork(item, { availableAt: at(second), error });
    }),
  );
const replaceLease = fc
  .record({ name: few, fresh: fc.boolean(), token: few, beat: few, giveBack: fc.boolean(), second })
  .map(({ name, fresh, token, beat, giveBack, second }) =>
    operation(`${giveBack ? 'give back' : 'take'} the lease ${name}`, async (transaction) => {
      const found = await transaction.findLease(`${name}`);
      const seen = fresh || found === undefined ? found : { ...found, beat: found.beat + 1 };
      const next = { owner: 'o', token: `${token}`, beat, renewedAt: at(second) };
      return [found, await transaction.replaceLease(`${name}`, seen, giveBack ? undefined : next)];
    }),
  );
const putDrift = fc
  .record({ id: few, kind: fc.option(fc.constantFrom(...driftKinds)), second })
  .map(({ id, kind, second }) =>
    operation(`putDrift ${id} ${kind}`, (transaction) => transaction.putDrift(sampleInstance(id).id, kind, at(second))),
  );
const appendEvent = fc
  .record({
    type: fc.constantFrom<CaelusEventType>(...eventTypes),
    id: fc.option(few),
    change: fc.option(few),
    data: json,
    second,
  })
  .map(({ type, id, change, data, second }) =>
    operation(`appendEvent ${type}`, (transaction) =>
      transaction.appendEvent({
        at: at(second),
        type,
        instanceId: id === null ? null : sampleInstance(id).id,
        generation: null,
        changeId: change === null ? null : (`00000000-0000-4000-9000-00000000000${change}` as never),
        actor: null,
        data,
      }),
    ),
  );
const pruneEvents = fc
  .record({ before: maybe(second), keep: maybe(fc.nat({ max: 5 })), limit: few })
  .map(({ before, keep, limit }) =>
    operation(`pruneEvents before ${before}, keep ${keep}, limit ${limit}`, (transaction) =>
      transaction.pruneEvents({ before: before === undefined ? undefined : at(before), keep, limit }),
    ),
  );
const idempotency = fc
  .record({ scope: text, key: few, response: json, second, purge: fc.boolean() })
  .map(({ scope, key, response, second, purge }) =>
    operation(purge ? `purge before ${second}` : `putIdempotencyRecord ${key}`, async (transaction) => {
      if (purge) return transaction.purgeIdempotencyRecords(at(second));
      const before = await transaction.findIdempotencyRecord(scope, `${key}`);
      await transaction.putIdempotencyRecord({
        scope,
        key: `${key}`,
        requestHash: scope,
        response,
        expiresAt: at(second),
      });
      return [before, await transaction.findIdempotencyRecord(scope, `${key}`)];
    }),
  );

const anyOperation = fc.oneof(
  { weight: 2, arbitrary: insertProduct },
  { weight: 3, arbitrary: insertTemplateVersion },
  deprecate,
  { weight: 4, arbitrary: insertInstance },
  { weight: 4, arbitrary: updateDesired },
  { weight: 3, arbitrary: updateObserved },
  { weight: 3, arbitrary: requestWork },
  { weight: 3, arbitrary: endLease },
  replaceLease,
  putDrift,
  { weight: 3, arbitrary: appendEvent },
  idempotency,
);

/** What a call gave: its value, or the code and details of its refusal. */
async function outcomeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    (value) => ({ value }),
    (error: unknown) => {
      if (isCaelusError(error)) return { code: error.code, details: error.details };
      if (error instanceof Error && error.message === 'undone') return { undone: true };
      throw error;
    },
  );
}

/** Runs the same on both sides and compares what they give. */
async function same(memory: Side, sql: Side, run: (side: Side) => Promise<unknown>): Promise<void> {
  assert.deepEqual(await outcomeOf(run(sql)), await outcomeOf(run(memory)));
}

type Command = fc.AsyncCommand<Side, Side>;

function command(name: string, run: (side: Side) => Promise<unknown>): Command {
  return { check: () => true, run: (memory, sql) => same(memory, sql, run), toString: () => name };
}

const transactions = fc
  .record({ operations: fc.array(anyOperation, { minLength: 1, maxLength: 4, size: 'max' }), undo: fc.nat({ max: 5 }) })
  .map(({ operations, undo }) =>
    command(`{ ${operations.map(({ name }) => name).join('; ')} }${undo === 0 ? ' undone' : ''}`, (side) =>
      side.repository.transaction(async (transaction) => {
        const outcomes: unknown[] = [];
        for (const { run } of operations) outcomes.push(await outcomeOf(run(transaction, side)));
        if (undo === 0) throw new Error('undone');
        return outcomes;
      }),
    ),
  );

const claims = fc
  .record({ limit: fc.integer({ min: 1, max: 3 }), lease: fc.integer({ min: 1, max: 20 }), second })
  .map(({ limit, lease, second }) =>
    command(`claim ${limit} at ${second} for ${lease} s`, async ({ repository, leases }) => {
      const items = await repository.claimWork({ owner: 'o', limit, leaseMilliseconds: lease * 1000, now: at(second) });
      leases.push(...items);
      return items.map(({ leaseToken: _, ...item }) => item);
    }),
  );

const renewals = fc
  .record({ first: fc.nat({ max: 10 }), lease: fc.integer({ min: 1, max: 20 }), second })
  .map(({ first, lease, second }) =>
    command(`renew from lease ${first} at ${second} for ${lease} s`, async ({ repository, leases }) => {
      const some = leases.slice(first);
      const held = await repository.renewWork(some, { leaseMilliseconds: lease * 1000, now: at(second) });
      return some.map((item) => held.includes(item));
    }),
  );

const filters = fc.record(
  {
    productId: few.map((number) => sampleProduct(number).id),
    templateVersionId: few.map((number) => sampleTemplateVersion(number).id),
    status: fc.subarray([...instanceStatuses]),
    syncStatus: fc.subarray([...syncStatuses]),
  },
  { requiredKeys: [] },
);

const listings = fc
  .record({ filter: filters, limit: few, id: few, types: fc.subarray([...eventTypes]) })
  .map(({ filter, limit, id, types }) =>
    command(`list ${JSON.stringify(filter)} by ${limit}`, async ({ repository }) => {
      const pages: unknown[] = [];
      let cursor: string | undefined;
      do {
        const page = await repository.listInstances(filter, { limit, cursor });
        pages.push(page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      const events = await repository.listEvents({ types, instanceId: sampleInstance(id).id });
      const { id: _, name: __ } = sampleProduct(id);
      return [
        pages,
        events.map(({ cursor: ___, ...event }) => event),
        await repository.findInstanceByArgoAppName(`app-${id}`),
        await repository.hasChange(sampleInstance(id).id, sampleInstance(id).changeId),
        (await repository.listWork({}, { limit: 500 })).items,
      ];
    }),
  );

/** In a transaction of its own: what the same transaction has appended is not settled in PostgreSQL. */
const prunings = pruneEvents.map(({ name, run }) =>
  command(name, (side) => side.repository.transaction((transaction) => run(transaction, side))),
);

/** A reader that goes on from where it stopped, and begins anew where it cannot. */
const readings = fc
  .record({ reader: fc.nat({ max: 2 }), limit: few, types: maybe(fc.subarray([...eventTypes], { minLength: 1 })) })
  .map(({ reader, limit, types }) =>
    command(`reader ${reader} reads ${limit}`, async ({ repository, cursors }) => {
      const after = cursors[reader];
      try {
        const page = await repository.listEvents({ after, limit, types });
        cursors[reader] = page.at(-1)?.cursor ?? after;
        const head = await repository.eventHead();
        return [page.map(({ cursor: _, ...event }) => event), head === cursors[reader]];
      } catch (error) {
        if (!isCaelusError(error, 'CURSOR_EXPIRED')) throw error;
        cursors[reader] = undefined;
        return error.details.reason;
      }
    }),
  );

async function everything({ repository }: Side): Promise<unknown> {
  const page = { limit: 500 };
  return [
    (await repository.listProducts(page)).items,
    (await repository.listTemplateVersions({}, page)).items,
    (await repository.listInstances({}, page)).items,
    (await repository.listDrift(page)).items,
    (await repository.listEvents(page)).map(({ cursor: _, ...event }) => event),
    await repository.workBacklog(),
    await Promise.all([1, 2, 3].map((number) => repository.findWork(sampleInstance(number).id))),
    await repository
      .claimWork({ owner: 'o', limit: 100, leaseMilliseconds: 1, now: at(100_000) })
      .then((items) => items.map(({ leaseToken: _, ...item }) => item)),
  ];
}

/** Runs random sequences of operations on the repository in memory and on one in SQL, and compares all that they give. */
export async function proveModel(
  open: () => Promise<Repository>,
  { numRuns, maxCommands }: { readonly numRuns: number; readonly maxCommands: number },
): Promise<void> {
  const commands = fc.commands([transactions, transactions, claims, renewals, listings, prunings, readings, readings], {
    maxCommands,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(commands, async (sequence) => {
      const memory: Side = { repository: createMemoryRepository(), leases: [], cursors: [] };
      await using repository = await open();
      const sql: Side = { repository, leases: [], cursors: [] };
      await fc.asyncModelRun(() => ({ model: memory, real: sql }), sequence);
      await same(memory, sql, everything);
    }),
    { numRuns },
  );
}
