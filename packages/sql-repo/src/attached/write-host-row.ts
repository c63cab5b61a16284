import {
  CaelusError,
  type Instance,
  type InstanceId,
  type Product,
  type TemplateVersion,
  type Timestamp,
} from '@caelus/core';
import type { SqlValue } from '../sql-executor.ts';
import { SqlConstraintError, type SqlSession } from '../sql-session.ts';
import { findInstance } from '../tables/instances.ts';
import type { HostField } from './attach-options.ts';
import { QUIETLY } from './attached-plan.ts';
import { fieldReadOnly, type HostBinding, rowRefused } from './host-binding.ts';
import { type HostDesiredField, type HostKind, type HostMapping, literal, quoted } from './host-mapping.ts';
import { fingerprintOf, type HostRow, type HostTypes, instantParameter, keyParameter } from './host-row.ts';
import { chartColumns } from './map-host-row.ts';
import { ensureRow, findRow, markMirrorDue, markTakenUp } from './row-records.ts';

/** A column of the host's, and what is written there. */
type Write = readonly [column: string, value: SqlValue];

/**
 * Writes a command's change into the host's row, if that is still the row that the command was decided upon.
 * @throws {CaelusError} `GENERATION_STALE` where the host has changed it meanwhile, `SQL_HOST_FIELD_READ_ONLY`, `SQL_HOST_ROW_REFUSED`
 */
export async function writeDesired(
  binding: HostBinding,
  session: SqlSession,
  before: Instance,
  after: Instance,
): Promise<void> {
  const { mapping, schema } = binding;
  const types = await binding.types(session);
  const table = mapping.tables.deployment;
  const record = await findRow(session, 'deployment', 'id', after.id);
  // Its host row is gone, and its deletion goes on without.
  if (record === undefined || record.isGone || record.fingerprint === null) return;
  const writes = await desiredWrites(binding, session, before, after);
  const key = keyParameter(types, table, record.hostId);
  const assignments = assignmentsOf(mapping, types, writes);
  const sql = `UPDATE ${table.sql} AS d SET ${assignments} WHERE d.${quoted(table.id)} = ${key}
AND ${fingerprintOf(schema, table)} = ? RETURNING ${fingerprintOf(schema, table)} AS fingerprint, ${QUIETLY}`;
  const values = writes.map(([, value]) => value);
  const [row] =
    key === undefined
      ? []
      : (await attempt(session, table.name, record.hostId, sql, [...values, record.hostId, record.fingerprint])).rows;
  if (row === undefined) throw changedMeanwhile(before);
  await markTakenUp(session, 'deployment', after.id, String(row.fingerprint));
}

async function desiredWrites(
  { mapping }: HostBinding,
  session: SqlSession,
  before: Instance,
  after: Instance,
): Promise<readonly Write[]> {
  const { words, column: status } = mapping.status;
  const writes: Write[] = [[status, words[after.status]]];
  const isChanged = (field: keyof Instance) => JSON.stringify(before[field]) !== JSON.stringify(after[field]);
  for (const [name, field] of Object.entries(mapping.desired) as [HostDesiredField, HostField][]) {
    if (!isChanged(name)) continue;
    if (typeof field === 'string') writes.push([field, toText(after[name])]);
    else if ('columns' in field) throw fieldReadOnly(name);
  }
  if (isChanged('desiredTemplateVersionId')) {
    const version = await hostIdOf(session, 'template-version', after.desiredTemplateVersionId);
    writes.push([mapping.desiredTemplateVersionId, version]);
  }
  if (mapping.generation !== undefined) writes.push([mapping.generation, String(after.generation)]);
  if (mapping.deletedAt !== undefined && isChanged('deletedAt')) writes.push([mapping.deletedAt, after.deletedAt]);
  return writes;
}

/**
 * Writes what Caelus knows of an instance into the host's row, in the host's words. A row that the host is writing just now, or has
 * changed since it was taken up, is left for later: the host waits for nobody, and its word stays.
 */
export async function mirror(binding: HostBinding, session: SqlSession, id: InstanceId): Promise<void> {
  const { mapping, schema } = binding;
  const record = await findRow(session, 'deployment', 'id', id);
  const instance = await findInstance(session, id);
  if (record === undefined || instance === undefined || record.isGone || record.fingerprint === null) {
    return markMirrorDue(session, id, false);
  }
  const types = await binding.types(session);
  const table = mapping.tables.deployment;
  const key = keyParameter(types, table, record.hostId);
  if (key === undefined) return markMirrorDue(session, id, false);
  const writes = await mirroredWrites(mapping, session, instance);
  const values = writes.map(([, value]) => value);
  const where = `WHERE d.${quoted(table.id)} = ${key}`;
  const differing = writes.map(([column]) => `${quoted(column)} IS DISTINCT FROM ${valueFor(mapping, types, column)}`);
  const look = `SELECT ${fingerprintOf(schema, table)} AS fingerprint, (${differing.join(' OR ')})::text AS differs
FROM ${table.sql} AS d ${where} FOR NO KEY UPDATE SKIP LOCKED`;
  const [free] = (await session.query(look, [...values, record.hostId])).rows;
  if (free === undefined || free.fingerprint !== record.fingerprint) {
    const exists = `SELECT 1 FROM ${table.sql} AS d ${where}`;
    return markMirrorDue(session, id, (await session.query(exists, [record.hostId])).rows.length > 0);
  }
  if (free.differs === 'true') {
    const sql = `UPDATE ${table.sql} AS d SET ${assignmentsOf(mapping, types, writes)} ${where}
RETURNING ${fingerprintOf(schema, table)} AS fingerprint, ${QUIETLY}`;
    const [row] = (await attempt(session, table.name, record.hostId, sql, [...values, record.hostId])).rows;
    // Another one for a row that cannot be jsonb, and so is compared as a whole.
    if (row !== undefined && row.fingerprint !== record.fingerprint) {
      await markTakenUp(session, 'deployment', id, String(row.fingerprint));
    }
  }
  await markMirrorDue(session, id, false);
}

async function mirroredWrites(
  { mirrored, status }: HostMapping,
  session: SqlSession,
  instance: Instance,
): Promise<readonly Write[]> {
  const applied = instance.appliedTemplateVersionId;
  const known = {
    ...instance,
    appliedTemplateVersionId:
      applied === null || mirrored.appliedTemplateVersionId === undefined
        ? null
        : await hostIdOf(session, 'template-version', applied),
  };
  const columns = Object.entries(mirrored) as [keyof typeof mirrored, string][];
  return [
    [status.column, status.words[instance.status]],
    ...columns.map(([field, column]): Write => [column, toText(known[field])]),
  ];
}

/** Ends the deletion of a row that was to be deleted before Caelus ever took it up: there is nothing to delete. */
export async function writeNeverWas(
  { mapping, schema, ...binding }: HostBinding,
  session: SqlSession,
  row: HostRow,
): Promise<void> {
  const { column, words, meaning } = mapping.status;
  if (meaning.get(row.values[column] ?? '') !== 'Deleting') return;
  const types = await binding.types(session);
  const table = mapping.tables.deployment;
  const id = quoted(table.id);
  const key = keyParameter(types, table, row.id);
  if (key === undefined) return;
  const free = `SELECT ${id} FROM ${table.sql} WHERE ${id} = ${key} FOR NO KEY UPDATE SKIP LOCKED`;
  const sql = `UPDATE ${table.sql} AS d SET ${quoted(column)} = ? WHERE d.${id} IN (${free}) AND ${fingerprintOf(schema, table)} = ?`;
  await attempt(session, table.name, row.id, sql, [words.Deleted, row.id, row.fingerprint]);
}

/**
 * Inserts a row into the host's table, where the host allows it. The key is the host's own where its database makes one.
 * @throws {CaelusError} `SQL_HOST_ROW_REFUSED`
 */
async function insertHostRow(
  binding: HostBinding,
  session: SqlSession,
  kind: HostKind,
  id: string,
  writes: readonly Write[],
): Promise<void> {
  const { mapping, schema } = binding;
  const types = await binding.types(session);
  const table = mapping.tables[kind];
  const makesKey = types[kind].get(table.id)?.hasDefault === true;
  const all: readonly Write[] = makesKey ? writes : [[table.id, id], ...writes];
  const columns = all.map(([column]) => quoted(column)).join(', ');
  const values = all.map(([column]) => valueFor(mapping, types, column, kind)).join(', ');
  const sql = `INSERT INTO ${table.sql} AS d (${columns}) VALUES (${values})
RETURNING d.${quoted(table.id)}::text AS host_id, ${fingerprintOf(schema, table)} AS fingerprint, ${kind === 'deployment' ? QUIETLY : `''`}`;
  const parameters = all.map(([, value]) => value);
  const [row] = (await attempt(session, table.name, id, sql, parameters)).rows;
  // A trigger of the host's may have put the row away.
  if (row === undefined) throw rowRefused(table.name, id, undefined);
  await ensureRow(session, kind, String(row.host_id), id);
  await markTakenUp(session, kind, id, String(row.fingerprint));
}

export async function insertProductRow(binding: HostBinding, session: SqlSession, product: Product): Promise<void> {
  const { slug, name, createdAt } = binding.mapping.product;
  const writes = [
    ...plain('slug', slug, product.slug),
    ...plain('name', name, product.name),
    ...instant(createdAt, product.createdAt),
  ];
  await insertHostRow(binding, session, 'product', product.id, writes);
}

export async function insertTemplateVersionRow(
  binding: HostBinding,
  session: SqlSession,
  templateVersion: TemplateVersion,
): Promise<void> {
  const of = binding.mapping.templateVersion;
  const { version, chart, valuesSchema, lockedValues, capabilities, createdAt, deprecatedAt } = templateVersion;
  await insertHostRow(binding, session, 'template-version', templateVersion.id, [
    [of.productId, await hostIdOf(session, 'product', templateVersion.productId)],
    ...(of.version === binding.mapping.tables['template-version'].id ? [] : plain('version', of.version, version)),
    ...Object.entries(chartColumns(binding.mapping, templateVersion)),
    ...plain('chart', of.chart, chart),
    ...plain('chartName', of.chart === undefined ? of.chartName : undefined, 'chart' in chart ? chart.chart : null),
    ...plain('valuesSchema', of.valuesSchema, valuesSchema),
    ...plain('lockedValues', of.lockedValues, lockedValues),
    ...plain('capabilities', of.capabilities, capabilities),
    ...instant(of.createdAt, createdAt),
    ...instant(of.deprecatedAt, deprecatedAt),
  ]);
}

export async function insertDeploymentRow(
  binding: HostBinding,
  session: SqlSession,
  instance: Instance,
): Promise<void> {
  const { mapping } = binding;
  const desired = Object.entries(mapping.desired) as [HostDesiredField, HostField][];
  await insertHostRow(binding, session, 'deployment', instance.id, [
    [mapping.desiredTemplateVersionId, await hostIdOf(session, 'template-version', instance.desiredTemplateVersionId)],
    ...plain('tenant', mapping.tenant, instance.tenant),
    ...plain('destination', mapping.destination, instance.destination),
    ...desired.flatMap(([name, field]) => plain(name, field, instance[name])),
    ...(mapping.generation === undefined ? [] : [[mapping.generation, String(instance.generation)] as Write]),
    ...instant(mapping.createdAt, instance.createdAt),
    ...instant(mapping.deletedAt, instance.deletedAt),
    ...(await mirroredWrites(mapping, session, instance)),
  ]);
}

/** Takes a template version out of use in the host's row too, where the host has a column for that. */
export async function writeDeprecated(
  binding: HostBinding,
  session: SqlSession,
  id: string,
  at: Timestamp,
): Promise<void> {
  const { mapping } = binding;
  const { deprecatedAt } = mapping.templateVersion;
  const record = await findRow(session, 'template-version', 'id', id);
  if (deprecatedAt === undefined || record === undefined) return;
  const types = await binding.types(session);
  const table = mapping.tables['template-version'];
  const column = quoted(deprecatedAt);
  const value = valueFor(mapping, types, deprecatedAt, 'template-version');
  const key = keyParameter(types, table, record.hostId);
  if (key === undefined) return;
  const sql = `UPDATE ${table.sql} AS d SET ${column} = ${value} WHERE d.${quoted(table.id)} = ${key} AND ${column} IS NULL`;
  await attempt(session, table.name, record.hostId, sql, [at, record.hostId]);
}

const plain = (name: string, field: HostField | undefined, value: unknown): readonly Write[] => {
  if (typeof field === 'string') return [[field, toText(value)]];
  if (field !== undefined && 'columns' in field) throw fieldReadOnly(name);
  return [];
};
const instant = (column: string | undefined, at: Timestamp | null): readonly Write[] =>
  column === undefined ? [] : [[column, at]];

const toText = (value: unknown): SqlValue => {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** The status of a row that is held stays the host's. */
function assignmentsOf(mapping: HostMapping, types: HostTypes, writes: readonly Write[]): string {
  const held = [...mapping.status.held].map(literal).join(', ');
  return writes
    .map(([column]) => {
      const value = valueFor(mapping, types, column);
      if (column !== mapping.status.column || held === '') return `${quoted(column)} = ${value}`;
      const type = types.deployment.get(column)?.type ?? 'text';
      return `${quoted(column)} = CASE WHEN d.${quoted(column)}::text IN (${held}) THEN d.${quoted(column)} ELSE CAST(${value} AS ${type}) END`;
    })
    .join(', ');
}

function valueFor(mapping: HostMapping, types: HostTypes, column: string, kind: HostKind = 'deployment'): string {
  const type = types[kind].get(column)?.type;
  return type?.startsWith('timestamp') ? instantParameter(mapping, type) : '?';
}

/** The host's key of a row that Caelus knows. */
export async function hostIdOf(session: SqlSession, kind: HostKind, id: string): Promise<string> {
  return (await findRow(session, kind, 'id', id))?.hostId ?? id;
}

async function attempt(session: SqlSession, table: string, id: string, sql: string, values: readonly SqlValue[]) {
  try {
    return await session.attempt(sql, values);
  } catch (error) {
    throw error instanceof SqlConstraintError ? rowRefused(table, id, error) : error;
  }
}

function changedMeanwhile({ id: instanceId, generation }: Instance): CaelusError {
  return new CaelusError({
    code: 'GENERATION_STALE',
    message: `The host has changed the row of the instance ${instanceId} after generation ${generation}. Read it again and decide anew.`,
    details: { instanceId, expected: generation, actual: generation + 1 },
  });
}
