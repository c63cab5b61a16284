import type {
  IdSource,
  Repository,
  RepositoryCapabilities,
  RepositoryReader,
  RepositoryTransaction,
  StoreId,
} from '@caelus/core';
import type { SqlExecutor, SqlSession } from './sql-executor.ts';
import { findDrift, listDrift, putDrift } from './tables/drift.ts';
import { appendEvent, hasChange, listEvents } from './tables/events.ts';
import { findGitState, putGitState } from './tables/git-states.ts';
import { findIdempotencyRecord, purgeIdempotencyRecords, putIdempotencyRecord } from './tables/idempotency-records.ts';
import {
  findInstance,
  findInstanceByArgoAppName,
  insertInstance,
  listInstances,
  updateDesired,
  updateObserved,
} from './tables/instances.ts';
import { findProduct, findProductBySlug, insertProduct, listProducts } from './tables/products.ts';
import {
  deprecateTemplateVersion,
  findTemplateVersion,
  insertTemplateVersion,
  listTemplateVersions,
} from './tables/template-versions.ts';
import { claimWork, completeWork, releaseWork, requestWork, workBacklog } from './tables/work.ts';

export interface RepositoryParts {
  readonly name: string;
  readonly capabilities: RepositoryCapabilities;
  readonly storeId: StoreId;
  readonly ids: IdSource;
  readonly executor: SqlExecutor & AsyncDisposable;
}

/** The repository over a database that has the schema. */
export function repositoryOver({ name, capabilities, storeId, ids, executor }: RepositoryParts): Repository {
  return {
    name,
    capabilities,
    storeId,
    ...readerOf(executor),
    transaction: (body, options) => executor.transaction((session) => body(transactionOf(session)), options),
    claimWork: (claim, options) => claimWork(executor, ids, claim, options),
    [Symbol.asyncDispose]: () => executor[Symbol.asyncDispose](),
  };
}

function readerOf(session: SqlSession): RepositoryReader {
  return {
    findProduct: (id, options) => findProduct(session, id, options),
    findProductBySlug: (slug, options) => findProductBySlug(session, slug, options),
    listProducts: (page, options) => listProducts(session, page, options),
    findTemplateVersion: (id, options) => findTemplateVersion(session, id, options),
    listTemplateVersions: (filter, page, options) => listTemplateVersions(session, filter, page, options),
    findInstance: (id, options) => findInstance(session, id, options),
    findInstanceByArgoAppName: (name, options) => findInstanceByArgoAppName(session, name, options),
    listInstances: (filter, page, options) => listInstances(session, filter, page, options),
    findGitState: (id, options) => findGitState(session, id, options),
    findDrift: (id, options) => findDrift(session, id, options),
    listDrift: (page, options) => listDrift(session, page, options),
    hasChange: (id, changeId, options) => hasChange(session, id, changeId, options),
    listEvents: (query, options) => listEvents(session, query, options),
    workBacklog: (options) => workBacklog(session, options),
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
    putGitState: (state) => putGitState(session, state),
    putDrift: (id, kind, at) => putDrift(session, id, kind, at),
    appendEvent: (event) => appendEvent(session, event),
    requestWork: (id, reason, at) => requestWork(session, id, reason, at),
    completeWork: (item) => completeWork(session, item),
    releaseWork: (item, retry) => releaseWork(session, item, retry),
    findIdempotencyRecord: (scope, key) => findIdempotencyRecord(session, scope, key),
    putIdempotencyRecord: (record) => putIdempotencyRecord(session, record),
    purgeIdempotencyRecords: (now) => purgeIdempotencyRecords(session, now),
  };
}
