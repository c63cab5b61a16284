import {
  CaelusError,
  type CallOptions,
  type DesiredUpdate,
  desiredChanges,
  type Instance,
  type InstanceFilter,
  type InstanceId,
  type InstanceObserved,
  type ObservedUpdate,
  type ObservedWrite,
  observedChanges,
  observedWrites,
  type Page,
  type PageRequest,
  parseInstance,
  parseKeys,
  type Timestamp,
} from '@caelus/core';
import { inParts, rowsOfMarks } from '../many-rows.ts';
import { type Condition, listPage } from '../ordered-page.ts';
import { findRecord, findRecords, insertion, lockOf, type RecordTable, toColumns } from '../record-table.ts';
import type { SqlValue } from '../sql-executor.ts';
import { SqlConstraintError, type SqlSession } from '../sql-session.ts';
import { findProduct } from './products.ts';
import { findTemplateVersion } from './template-versions.ts';
import { instanceUnknown, productUnknown, templateVersionUnknown } from './unknown.ts';

const table: RecordTable<Instance> = {
  name: 'deployment',
  columns: {
    id: 'id',
    productId: 'product_id',
    tenant: 'tenant',
    tier: 'tier',
    destination: 'destination',
    namespace: 'namespace',
    argoAppName: 'argo_app_name',
    releaseName: 'release_name',
    gitPath: 'git_path',
    desiredTemplateVersionId: 'desired_template_version_id',
    appliedTemplateVersionId: 'applied_template_version_id',
    userValues: 'user_values',
    platformValues: 'platform_values',
    hostname: 'hostname',
    labels: 'labels',
    deletionPolicy: 'deletion_policy',
    generation: 'generation',
    observedGeneration: 'observed_generation',
    changeId: 'change_id',
    changedBy: 'changed_by',
    status: 'status',
    statusReason: 'status_reason',
    syncStatus: 'sync_status',
    healthStatus: 'health_status',
    lastSyncedAt: 'last_synced_at',
    lastError: 'last_error',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
    deletedAt: 'deleted_at',
  },
  json: ['destination', 'userValues', 'platformValues', 'labels', 'changedBy'],
  integers: ['generation', 'observedGeneration'],
  instants: ['lastSyncedAt', 'createdAt', 'updatedAt', 'deletedAt'],
  parse: parseInstance,
};

export async function findInstance(
  session: SqlSession,
  id: InstanceId,
  options?: CallOptions,
): Promise<Instance | undefined> {
  return findRecord(session, table, `id = ?${lockOf(session)}`, [id], options);
}

export async function findInstanceByArgoAppName(
  session: SqlSession,
  argoAppName: string,
  options?: CallOptions,
): Promise<Instance | undefined> {
  return findRecord(session, table, `argo_app_name = ? AND status <> 'Deleted'`, [argoAppName], options);
}

export async function findInstances(
  session: SqlSession,
  ids: readonly InstanceId[],
  options?: CallOptions,
): Promise<readonly Instance[]> {
  return findRecords(session, table, 'id', parseKeys(ids), { lock: lockOf(session), options });
}

export async function findInstancesByArgoAppNames(
  session: SqlSession,
  argoAppNames: readonly string[],
  options?: CallOptions,
): Promise<readonly Instance[]> {
  const where = ` AND status <> 'Deleted'`;
  return findRecords(session, table, 'argo_app_name', parseKeys(argoAppNames), { where, options });
}

export function listInstances(
  session: SqlSession,
  filter: InstanceFilter = {},
  page?: PageRequest,
  options?: CallOptions,
): Promise<Page<Instance>> {
  // The first that is given chooses the index: those that leave the fewest rows come first.
  const given: readonly (readonly [column: string, index: string, values: readonly SqlValue[] | undefined])[] = [
    ['tenant', 'deployment_by_tenant', one(filter.tenant)],
    ['desired_template_version_id', 'deployment_by_template_version', one(filter.templateVersionId)],
    ['product_id', 'deployment_by_product', one(filter.productId)],
    ['tier', 'deployment_by_tier', one(filter.tier)],
    ['status', 'deployment_by_status', filter.status],
    ['sync_status', 'deployment_by_sync_status', filter.syncStatus],
  ];
  const conditions = given.flatMap(([column, index, values]) =>
    values === undefined ? [] : [{ column, index, values }],
  );
  const [leading, ...filters]: (Condition & { readonly index: string })[] = conditions;
  return listPage(
    session,
    {
      name: 'instance',
      table,
      key: ['created_at', 'id'],
      direction: 'DESC',
      index: leading?.index ?? 'deployment_by_age',
      leading: leading ?? null,
      filters,
      keyOf: ({ createdAt, id }) => [createdAt, id],
    },
    page,
    options,
  );
}

const one = (value: string | undefined) => (value === undefined ? undefined : [value]);

export async function insertInstance(session: SqlSession, input: Instance): Promise<void> {
  const instance = parseInstance(input);
  try {
    await session.attempt(...insertion(table.name, toColumns(table, instance)));
  } catch (error) {
    if (!(error instanceof SqlConstraintError)) throw error;
    if ((await findInstance(session, instance.id)) === undefined) throw await refusal(session, instance, error);
    throw new CaelusError({
      code: 'INSTANCE_EXISTS',
      message: `There is an instance ${instance.id} already.`,
      details: { instanceId: instance.id },
      cause: error,
    });
  }
}

export async function updateDesired(
  session: SqlSession,
  id: InstanceId,
  expectedGeneration: number,
  update: DesiredUpdate,
): Promise<void> {
  const current = await existing(session, id);
  await writeChanges(session, current, desiredChanges(current, expectedGeneration, update));
}

export async function updateObserved(
  session: SqlSession,
  id: InstanceId,
  observed: Partial<InstanceObserved>,
  at: Timestamp,
): Promise<void> {
  const current = await existing(session, id);
  await writeChanges(session, current, observedChanges(current, observed, at));
}

export async function updateObservedMany(
  session: SqlSession,
  updates: readonly ObservedUpdate[],
  at: Timestamp,
): Promise<readonly InstanceId[]> {
  const written: InstanceId[] = [];
  for (const part of inParts(observedWrites(updates, at))) written.push(...(await writeObserved(session, part)));
  return written;
}

async function writeObserved(session: SqlSession, writes: readonly ObservedWrite[]): Promise<readonly InstanceId[]> {
  const isPostgres = session.dialect === 'postgres';
  if (isPostgres) {
    // In the order of the ids, which an UPDATE does not keep to. What it sees is what they are once they are locked.
    const marks = writes.map(() => '?').join(', ');
    const lock = `SELECT 1 FROM deployment WHERE id IN (${marks}) ORDER BY id${lockOf(session)}`;
    await session.query(
      lock,
      writes.map(({ current }) => current.id),
    );
  }
  const instant = (expression: string) => (isPostgres ? `CAST(${expression} AS timestamptz)` : expression);
  const number = (expression: string) => (isPostgres ? `CAST(${expression} AS bigint)` : expression);
  const rows = writes.map(({ current, fields }) => {
    const { id, changeId, updatedAt, status } = current;
    return [id, changeId, updatedAt, status, ...toColumns(table, fields).map(([, value]) => value)];
  });
  const columns = writes[0] === undefined ? [] : toColumns(table, writes[0].fields).map(([column]) => column);
  const assignments = columns.map((column, index) => {
    const value = `seen.column${index + 5}`;
    if (column === 'last_synced_at' || column === 'updated_at') return `${column} = ${instant(value)}`;
    return `${column} = ${column === 'observed_generation' ? number(value) : value}`;
  });
  // To the millisecond, because a row that somebody else wrote may say more, and is read without.
  const updated = isPostgres ? `date_trunc('milliseconds', deployment.updated_at)` : 'deployment.updated_at';
  const sql = `UPDATE deployment SET ${assignments.join(', ')}
FROM (VALUES ${rowsOfMarks(rows.length, columns.length + 4)}) AS seen
WHERE deployment.id = seen.column1 AND deployment.change_id = seen.column2
  AND ${updated} = ${instant('seen.column3')} AND deployment.status = seen.column4
RETURNING id`;
  try {
    // The cast: they were ids when they were written.
    return (await session.attempt(sql, rows.flat())).rows.map(({ id }) => id as InstanceId);
  } catch (error) {
    if (!(error instanceof SqlConstraintError)) throw error;
    for (const { current, fields } of writes) {
      const refused = await refusal(session, { ...current, ...fields }, error);
      if (refused !== error) throw refused;
    }
    throw error;
  }
}

async function existing(session: SqlSession, id: InstanceId): Promise<Instance> {
  const instance = await findInstance(session, id);
  if (instance === undefined) throw instanceUnknown(id);
  return instance;
}

/** Writes the changed columns alone, so that what another side has written meanwhile stays. */
async function writeChanges(session: SqlSession, current: Instance, changes: Partial<Instance>): Promise<void> {
  const entries = toColumns(table, changes);
  const assignments = entries.map(([column]) => `${column} = ?`).join(', ');
  const values = entries.map(([, value]) => value);
  try {
    await session.attempt(`UPDATE deployment SET ${assignments} WHERE id = ?`, [...values, current.id]);
  } catch (error) {
    if (!(error instanceof SqlConstraintError)) throw error;
    throw await refusal(session, { ...current, ...changes }, error);
  }
}

/** Which reference is missing, or which name is taken, where the database did not take an instance. */
async function refusal(session: SqlSession, instance: Instance, cause: SqlConstraintError): Promise<Error> {
  const { id, productId, desiredTemplateVersionId, appliedTemplateVersionId, hostname } = instance;
  if ((await findProduct(session, productId)) === undefined) return productUnknown(productId, cause);
  for (const version of [desiredTemplateVersionId, appliedTemplateVersionId]) {
    if (version !== null && (await findTemplateVersion(session, version)) === undefined) {
      return templateVersionUnknown(version, cause);
    }
  }
  const destination = JSON.stringify(instance.destination);
  const isTaken = async (condition: string, ...values: readonly SqlValue[]) => {
    const sql = `SELECT 1 FROM deployment WHERE status <> 'Deleted' AND id <> ? AND ${condition}`;
    return (await session.query(sql, [id, ...values])).rows.length > 0;
  };
  if (await isTaken('argo_app_name = ?', instance.argoAppName)) return nameTaken(instance.argoAppName, cause);
  if (await isTaken('destination = ? AND namespace = ?', destination, instance.namespace)) {
    return nameTaken(instance.namespace, cause);
  }
  if (hostname === null || !(await isTaken('hostname = ?', hostname))) return cause;
  return new CaelusError({
    code: 'HOSTNAME_TAKEN',
    message: `Another instance has the hostname ${hostname}. Choose another one.`,
    details: { hostname },
    cause,
  });
}

function nameTaken(name: string, cause: unknown): CaelusError {
  return new CaelusError({
    code: 'INSTANCE_NAME_TAKEN',
    message: `Another instance has the name ${name}. Choose another one.`,
    details: { name },
    cause,
  });
}
