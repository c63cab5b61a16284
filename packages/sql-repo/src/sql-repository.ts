import {
  type IdSource,
  parseTimestamp,
  type Repository,
  type RepositoryReader,
  type RepositoryTransaction,
  type StoreId,
} from '@caelus/core';
import type { AttachedRows } from './attached/attached-rows.ts';
import type { HostRows, JoinedHostRows } from './attached/host-rows.ts';
import type { OpenedDatabase } from './opened-database.ts';
import type { SqlExecutor } from './sql-executor.ts';
import type { SqlDatabase, SqlSession } from './sql-session.ts';
import { findBranchState, putBranchState } from './tables/branch-state.ts';
import { findDrift, listDrift, putDrift } from './tables/drift.ts';
import { appendEvent, appendEvents, eventHead, hasChange, listEvents } from './tables/events.ts';
import { findGitState, findGitStates, putGitState } from './tables/git-states.ts';
import { findIdempotencyRecord, purgeIdempotencyRecords, putIdempotencyRecord } from './tables/idempotency-records.ts';
import {
  findInstance,
  findInstanceByArgoAppName,
  findInstances,
  findInstancesByArgoAppNames,
  insertInstance,
  listInstances,
  updateDesired,
  updateObserved,
  updateObservedMany,
} from './tables/instances.ts';
import { findLease, replaceLease } from './tables/leases.ts';
import { findProduct, findProductBySlug, insertProduct, listProducts } from './tables/products.ts';
import { pruneEvents } from './tables/pruned-events.ts';
import {
  deprecateTemplateVersion,
  findTemplateVersion,
  insertTemplateVersion,
  listTemplateVersions,
} from './tables/template-versions.ts';
import {
  buryWork,
  completeWork,
  completeWorkMany,
  findWork,
  listWork,
  releaseWork,
  requestWork,
  workBacklog,
} from './tables/work.ts';
import { claimWork, renewWork } from './tables/work-claims.ts';

/** A repository in SQL, which a host's own transaction can join. */
export interface SqlRepository extends Repository {
  /**
   * The same rows, seen and written inside a host's open transaction on the same database: what is written commits with the
   * host's rows, or vanishes with them. An error in a call leaves the host's transaction as it was before the call. PostgreSQL
   * only. One call at a time, and not beyond the end of the host's transaction; nothing is repeated on a deadlock or a
   * serialization failure, which is for whoever owns the transaction.
   *
   * @throws {CaelusError} `SQL_DATABASE_UNSUPPORTED`; its calls also `SQL_TRANSACTION_MISSING`
   *
   * @example
   * ```ts
   * await db.transaction().execute(async (transaction) => {
   *   await transaction.insertInto('customer').values(customer).execute();
   *   await repository.in(fromKysely(transaction, 'postgres')).transaction((rows) => rows.insertInstance(instance));
   * });
   * ```
   */
  in(executor: SqlExecutor): JoinedRepository;
}

/** A repository inside a host's transaction. */
export type JoinedRepository = RepositoryReader & Pick<Repository, 'name' | 'storeId' | 'transaction'>;

/** A repository over a host's own tables. */
export interface AttachedRepository extends SqlRepository {
  /** What only a repository over a host's tables can do. */
  readonly host: HostRows;
  /** As that of every repository; `host` says what the host has written, in the host's own transaction. */
  in(executor: SqlExecutor): JoinedRepository & { readonly host: JoinedHostRows };
}

export interface RepositoryParts
  extends Pick<OpenedDatabase, 'name' | 'capabilities' | 'database' | 'join' | 'listen'> {
  readonly storeId: StoreId;
  readonly ids: IdSource;
  /** What is different over a host's tables. */
  readonly attached?: AttachedRows | undefined;
}

/** The repository over a database that has the schema. */
export function repositoryOver(parts: RepositoryParts): SqlRepository {
  const { name, capabilities, storeId, ids, database, join, listen, attached } = parts;
  const listeners = new Set<() => Promise<void>>();
  return {
    name,
    capabilities,
    storeId,
    ...readerOn(database, attached),
    transaction: transactionsOn(database, attached),
    async claimWork(claim, options) {
      await attached?.beforeClaim(database, parseTimestamp(claim.now), options);
      return claimWork(database, ids, claim, options);
    },
    renewWork: (items, renewal, options) => renewWork(database, items, renewal, options),
    ...(attached && { refresh: attached.refresh(database), host: attached.host(database) }),
    in(executor) {
      const joined = join(executor);
      return {
        name,
        storeId,
        ...readerOn(joined, attached),
        transaction: transactionsOn(joined, attached),
        ...(attached && { host: attached.joinedHost(joined) }),
      };
    },
    ...(listen && {
      async onNews(callback) {
        const end = await listen(callback);
        const stop = async () => {
          if (listeners.delete(stop)) await end();
        };
        listeners.add(stop);
        return stop;
      },
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...listeners].map((stop) => stop()));
      await database[Symbol.asyncDispose]();
    },
  };
}

const transactionsOn = (database: SqlDatabase, attached: AttachedRows | undefined): Repository['transaction'] => {
  const rowsOf = (session: SqlSession) =>
    attached?.transaction(session, transactionOf(session)) ?? transactionOf(session);
  return (body, options) => database.transaction((session) => body(rowsOf(session)), options);
};

const readerOn = (database: SqlDatabase, attached: AttachedRows | undefined): RepositoryReader =>
  attached?.reader(database, readerOf(database)) ?? readerOf(database);

function readerOf(session: SqlSession): RepositoryReader {
  return {
    findProduct: (id, options) => findProduct(session, id, options),
    findProductBySlug: (slug, options) => findProductBySlug(session, slug, options),
    listProducts: (page, options) => listProducts(session, page, options),
    findTemplateVersion: (id, options) => findTemplateVersion(session, id, options),
    listTemplateVersions: (filter, page, options) => listTemplateVersions(session, filter, page, options),
    findInstance: (id, options) => findInstance(session, id, options),
    findInstanceByArgoAppName: (name, options) => findInstanceByArgoAppName(session, name, options),
    findInstances: (ids, options) => findInstances(session, ids, options),
    findInstancesByArgoAppNames: (names, options) => findInstancesByArgoAppNames(session, names, options),
    listInstances: (filter, page, options) => listInstances(session, filter, page, options),
    findGitState: (id, options) => findGitState(session, id, options),
    findGitStates: (ids, options) => findGitStates(session, ids, options),
    findDrift: (id, options) => findDrift(session, id, options),
    listDrift: (page, options) => listDrift(session, page, options),
    hasChange: (id, changeId, options) => hasChange(session, id, changeId, options),
    listEvents: (query, options) => listEvents(session, query, options),
    eventHead: (options) => eventHead(session, options),
    workBacklog: (options) => workBacklog(session, options),
    findBranchState: (options) => findBranchState(session, options),
    findWork: (id, options) => findWork(session, id, options),
    listWork: (filter, page, options) => listWork(session, filter, page, options),
    findLease: (name, options) => findLease(session, name, options),
  };
}

function transactionOf(session: SqlSession): RepositoryTransaction {
  return {
    ...readerOf(session),
    insertProduct: (product) => insertProduct(session, product),
    insertTemplateVersion: (templateVersion) => insertTemplateVersion(session, templateVersion),
    deprecateTemplateVersion: (id, at) => deprecateTemplateVersion(session, id, at),
    insertInstance: (instance) => insertInstance(session, instance),
    updateDesired: (id, expected, update) => updateDesired(session, id, expected, update),
    updateObserved: (id, observed, at) => updateObserved(session, id, observed, at),
    updateObservedMany: (updates, at) => updateObservedMany(session, updates, at),
    putGitState: (state) => putGitState(session, state),
    putBranchState: (state) => putBranchState(session, state),
    putDrift: (id, kind, at) => putDrift(session, id, kind, at),
    appendEvent: (event) => appendEvent(session, event),
    appendEvents: (events) => appendEvents(session, events),
    pruneEvents: (pruning) => pruneEvents(session, pruning),
    requestWork: (id, reason, at, options) => requestWork(session, id, reason, at, options),
    completeWork: (item) => completeWork(session, item),
    completeWorkMany: (items) => completeWorkMany(session, items),
    releaseWork: (item, retry) => releaseWork(session, item, retry),
    buryWork: (item, burial) => buryWork(session, item, burial),
    replaceLease: (name, seen, next) => replaceLease(session, name, seen, next),
    findIdempotencyRecord: (scope, key) => findIdempotencyRecord(session, scope, key),
    putIdempotencyRecord: (record) => putIdempotencyRecord(session, record),
    purgeIdempotencyRecords: (now) => purgeIdempotencyRecords(session, now),
  };
}
