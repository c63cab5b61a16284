import {
  CaelusError,
  type CallOptions,
  type InstanceId,
  isCaelusError,
  type Page,
  type PageRequest,
  parseInstanceId,
  type RefreshReport,
  type Timestamp,
} from '@caelus/core';
import { listPage } from '../ordered-page.ts';
import type { RecordTable } from '../record-table.ts';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';
import { findInstance } from '../tables/instances.ts';
import { requestWork } from '../tables/work.ts';
import { type BackfillOptions, type BackfillReport, backfill } from './backfill.ts';
import type { HostBinding } from './host-binding.ts';
import { type HostKind, type HostTable, quoted } from './host-mapping.ts';
import { fingerprintOf, keyParameter } from './host-row.ts';
import { drainInbox, findRow, markProblem, putIntoInbox } from './row-records.ts';
import { takeUpDeployment, tryTakeUpTemplateVersion } from './take-up.ts';
import { mirror } from './write-host-row.ts';

/** A host's row that could not be taken up as it is. */
export interface HostProblem {
  readonly kind: HostKind;
  /** Caelus's id of the row. */
  readonly id: string;
  /** The host's key of the row. */
  readonly hostId: string;
  /** The code of an error, and what to do. Never what is in the row. */
  readonly problem: string;
  /** When it was first found. */
  readonly at: string;
}

/** A row that the host has given another key. */
export interface RekeyedRow {
  readonly kind: HostKind;
  readonly from: string;
  readonly to: string;
}

/** What a host says of a row of its own. */
export interface InstanceRequest {
  /** Whether the row is deleted, or will be in this transaction. Default `false`. */
  readonly isGone?: boolean | undefined;
  /** Who has changed it: becomes the author of the commit. */
  readonly actor?: string | undefined;
}

/** What can be said and asked inside a host's own transaction. */
export interface JoinedHostRows {
  /**
   * Says that a row of the host's deployments was inserted, changed or deleted: what the trigger says where there is one. Takes effect
   * with the commit.
   * @param hostId The host's key of the row, as text.
   */
  requestInstance(hostId: string, request?: InstanceRequest): Promise<void>;
  /** Caelus's id of a row, which is the key that it had when it was first seen; `undefined` before. */
  instanceIdOf(hostId: string, options?: CallOptions): Promise<InstanceId | undefined>;
}

/** A host's own tables, seen from Caelus: what only attached mode has. */
export interface HostRows extends JoinedHostRows {
  /** The rows that could not be taken up. By kind and id. @throws {CaelusError} `CURSOR_INVALID` */
  problems(page?: PageRequest, options?: CallOptions): Promise<Page<HostProblem>>;
  /**
   * Follows a host that has given its rows other keys. Instances keep their ids, their names and their places in Git. All of the
   * rows or none.
   * @throws {CaelusError} `SQL_HOST_REKEY_REFUSED` where Caelus does not know `from`, or knows `to` as another row
   */
  rekey(rows: readonly RekeyedRow[], options?: CallOptions): Promise<void>;
  /** Deployments that seem to have another key: the key that Caelus knows is gone, and one row of another key has the instance's name. At most 1,000. */
  findRekeyed(options?: CallOptions): Promise<readonly RekeyedRow[]>;
  /**
   * Fills in where the charts of versions lie that were there before Caelus came. What has a value is left alone.
   * @throws {CaelusError} `INVALID_INPUT`, `SQL_HOST_MISMATCH`, `SQL_HOST_ROW_REFUSED`
   */
  backfill(options: BackfillOptions): Promise<BackfillReport>;
}

/** How many rows of the host's one statement compares. */
const PAGE = 5_000;
/** How many rows are moved on at once. */
const BATCH = 500;
/** How many rows that are not there any more are looked at in one refresh. */
const ABSENT = 1_000;

export function createHostRows(binding: HostBinding, database: SqlDatabase): HostRows {
  return {
    ...joinedHostRows(binding, database),
    problems: (page, options) =>
      listPage(
        database,
        {
          name: 'host-problem',
          table: problemTable,
          key: ['kind', 'id'],
          direction: 'ASC',
          index: null,
          leading: null,
          filters: [],
          condition: 'problem IS NOT NULL',
          keyOf: ({ kind, id }) => [kind, id],
        },
        page,
        options,
      ),
    rekey: (rows, options) => database.transaction((session) => rekey(binding, session, rows), options),
    findRekeyed: (options) => findRekeyed(binding, database, options),
    backfill: (options) => backfill(binding, database, options),
  };
}

const problemTable: RecordTable<HostProblem> = {
  name: 'attached_row',
  columns: { kind: 'kind', id: 'id', hostId: 'host_id', problem: 'problem', at: 'problem_at' },
  json: [],
  instants: ['at'],
  // The cast: the table's own types and constraints hold.
  parse: (input) => input as HostProblem,
};

export function joinedHostRows({ schema }: Pick<HostBinding, 'schema'>, database: SqlDatabase): JoinedHostRows {
  return {
    async requestInstance(hostId, { isGone = false, actor } = {}) {
      const text = String(hostId);
      await database.transaction(async (session) => {
        await putIntoInbox(session, text, isGone, actor ?? null);
        await session.query(`SELECT pg_notify(?, 'work')::text`, [`${schema}_news`]);
      });
    },
    async instanceIdOf(hostId, options) {
      const found = await findRow(database, 'deployment', 'host_id', String(hostId), options);
      return found && (await findInstance(database, found.id as InstanceId, options))?.id;
    },
  };
}

/** Moves on what the host has told, and writes to its rows what could not be written when they were locked. */
export async function attendHost(
  binding: HostBinding,
  database: SqlDatabase,
  at: Timestamp,
  options?: CallOptions,
): Promise<void> {
  const waiting = `SELECT EXISTS (SELECT 1 FROM attached_inbox)::text AS told,
  EXISTS (SELECT 1 FROM attached_row WHERE mirror_due)::text AS due`;
  const [row] = (await database.query(waiting, [], options)).rows;
  if (row?.told === 'true') {
    await takeUpNew(binding, database, options);
    await database.transaction((session) => moveOn(session, BATCH, at), options);
  }
  if (row?.due !== 'true') return;
  const { rows } = await database.query(
    `SELECT id FROM attached_row WHERE mirror_due ORDER BY id LIMIT ${BATCH}`,
    [],
    options,
  );
  for (const { id } of rows) {
    await database.transaction((session) => mirror(binding, session, String(id) as InstanceId), options);
  }
}

/** Takes up the rows that are new, so that it is known whose turn it is before work is requested. */
async function takeUpNew(binding: HostBinding, database: SqlDatabase, options?: CallOptions): Promise<void> {
  const sql = `SELECT DISTINCT ON (told.host_id) COALESCE(r.id, told.host_id) AS id, told.actor
FROM (SELECT seq, host_id, actor FROM attached_inbox ORDER BY seq LIMIT ${BATCH}) AS told
LEFT JOIN attached_row AS r ON r.kind = 'deployment' AND r.host_id = told.host_id
LEFT JOIN deployment AS i ON i.id = r.id WHERE i.id IS NULL ORDER BY told.host_id, told.seq DESC`;
  for (const { id, actor } of (await database.query(sql, [], options)).rows) {
    const by = actor as string | null;
    try {
      await database.transaction((session) => takeUpDeployment(binding, session, String(id), by), options);
    } catch (error) {
      // The projector takes it up again, and reports what it meets.
      if (!isCaelusError(error, 'SQL_STATEMENT_FAILED')) throw error;
    }
  }
}

/** Returns how many rows were moved on. */
async function moveOn(session: SqlSession, limit: number, at: Timestamp): Promise<number> {
  const ids = await drainInbox(session, limit);
  for (const id of ids) {
    try {
      await requestWork(session, parseInstanceId(id), 'host', at);
    } catch (error) {
      if (!isCaelusError(error, 'ID_INVALID')) throw error;
      await markProblem(session, 'deployment', id, `${error.code}: ${error.message}`, null, at);
    }
  }
  return ids.length;
}

/** Finds every row of the host's that is not as it was taken up, and asks for it. */
export async function refreshHost(
  binding: HostBinding,
  database: SqlDatabase,
  options: CallOptions = {},
): Promise<RefreshReport> {
  await refreshCatalogue(binding, database, options);
  while ((await database.transaction((session) => moveOn(session, BATCH, binding.now()), options)) > 0);
  let checked = 0;
  let requested = 0;
  for await (const page of duePages(binding, database, binding.mapping.tables.deployment, options)) {
    checked += page.checked;
    requested += page.due.length;
    if (page.due.length === 0) continue;
    const marks = page.due.map(() => '(?)').join(', ');
    const sql = `INSERT INTO attached_inbox (host_id, is_gone) SELECT key, false FROM (VALUES ${marks}) AS told (key)`;
    await database.query(sql, page.due, options);
  }
  while ((await database.transaction((session) => moveOn(session, BATCH, binding.now()), options)) > 0);
  requested += await requestAbsent(binding, database, options);
  return { checked, requested };
}

/** Template versions, and with them their products. Those with a fault keep it with them, and the others go on. */
async function refreshCatalogue(binding: HostBinding, database: SqlDatabase, options: CallOptions): Promise<void> {
  for await (const { due } of duePages(binding, database, binding.mapping.tables['template-version'], options)) {
    for (const hostId of due) {
      await database.transaction(async (session) => {
        await tryTakeUpTemplateVersion(binding, session, hostId, true);
      }, options);
    }
  }
}

interface DuePage {
  readonly checked: number;
  /** The host's keys of rows that are new, changed, or had a problem. */
  readonly due: readonly string[];
}

/** Reads a table of the host's in the order of its key, some thousand rows at a time. */
async function* duePages(
  binding: HostBinding,
  database: SqlDatabase,
  table: HostTable,
  options: CallOptions,
): AsyncGenerator<DuePage> {
  const types = await binding.types(database);
  const id = quoted(table.id);
  let last: string | undefined;
  for (;;) {
    const after = last === undefined ? '' : `WHERE ${id} > ${keyParameter(types, table, last)}`;
    const sql = `WITH page AS MATERIALIZED (
  SELECT d.${id}::text AS host_id, ${fingerprintOf(binding.schema, table)} AS fingerprint,
    row_number() OVER (ORDER BY d.${id}) AS place
  FROM (SELECT * FROM ${table.sql} ${after} ORDER BY ${id} LIMIT ${PAGE}) AS d),
compared AS (
  SELECT page.host_id, page.place, (r.fingerprint IS DISTINCT FROM page.fingerprint OR r.problem IS NOT NULL) AS due
  FROM page LEFT JOIN attached_row AS r ON r.kind = '${table.kind}' AND r.host_id = page.host_id)
SELECT host_id, place::text AS place, due::text AS due FROM compared
WHERE due OR place = (SELECT max(place) FROM page) ORDER BY compared.place`;
    const { rows } = await database.query(sql, last === undefined ? [] : [last], options);
    const end = rows.at(-1);
    if (end === undefined) return;
    const due = rows.filter((row) => row.due === 'true').map((row) => String(row.host_id));
    yield { checked: Number(end.place), due };
    if (Number(end.place) < PAGE) return;
    last = String(end.host_id);
  }
}

/**
 * Rows that the host had, and has no more. Where a trigger would have told of a deletion, it was none: they are looked at, and flagged.
 * Without a trigger they count as deleted, unless none of the rows that are known is left.
 */
async function requestAbsent(binding: HostBinding, database: SqlDatabase, options: CallOptions): Promise<number> {
  const table = binding.mapping.tables.deployment;
  const id = quoted(table.id);
  const known = `FROM attached_row AS r JOIN deployment AS i ON i.id = r.id
WHERE r.kind = 'deployment' AND NOT r.is_gone AND i.status NOT IN ('Deleting', 'Deleted')`;
  const there = `EXISTS (SELECT 1 FROM ${table.sql} AS d WHERE d.${id}::text = r.host_id)`;
  const { rows } = await database.query(
    `SELECT r.id ${known} AND NOT ${there} ORDER BY r.id LIMIT ${ABSENT}`,
    [],
    options,
  );
  if (rows.length === 0) return 0;
  const isLeft = async () =>
    (await database.query(`SELECT 1 ${known} AND ${there} LIMIT 1`, [], options)).rows.length > 0;
  const isGone = !binding.mapping.installsTriggers && (await isLeft());
  await database.transaction(async (session) => {
    const at = binding.now();
    for (const row of rows) {
      const mark = `UPDATE attached_row SET is_gone = true WHERE kind = 'deployment' AND id = ?`;
      if (isGone) await session.query(mark, [String(row.id)]);
      await requestWork(session, parseInstanceId(row.id), 'host', at);
    }
  }, options);
  return rows.length;
}

async function rekey(binding: HostBinding, session: SqlSession, rows: readonly RekeyedRow[]): Promise<void> {
  const at = binding.now();
  for (const { kind, from, to } of rows) {
    const record = await findRow(session, kind, 'host_id', from);
    if (record === undefined) throw rekeyRefused(kind, from, to, 'Caelus knows no row of the old key.');
    if (from === to) continue;
    const other = await findRow(session, kind, 'host_id', to);
    if (other !== undefined && (await isTakenUp(session, kind, other.id))) {
      throw rekeyRefused(kind, from, to, 'Caelus knows another row of the new key.');
    }
    await session.query('DELETE FROM attached_row WHERE kind = ? AND host_id = ?', [kind, to]);
    const sql = `UPDATE attached_row SET host_id = ?, fingerprint = NULL, problem = NULL, problem_at = NULL, is_gone = false
WHERE kind = ? AND id = ?`;
    await session.query(sql, [to, kind, record.id]);
    if (kind === 'deployment') await requestWork(session, parseInstanceId(record.id), 'host', at);
  }
}

async function isTakenUp(session: SqlSession, kind: HostKind, id: string): Promise<boolean> {
  const tables = {
    product: 'product',
    'template-version': 'product_template_version',
    deployment: 'deployment',
  } as const;
  return (await session.query(`SELECT 1 FROM ${tables[kind]} WHERE id = ?`, [id])).rows.length > 0;
}

async function findRekeyed(
  { mapping }: HostBinding,
  database: SqlDatabase,
  options?: CallOptions,
): Promise<readonly RekeyedRow[]> {
  const table = mapping.tables.deployment;
  const id = quoted(table.id);
  const name = quoted(mapping.names.argoAppName);
  const sql = `SELECT r.host_id AS old_key, min(d.${id}::text) AS new_key
FROM attached_row AS r JOIN deployment AS i ON i.id = r.id JOIN ${table.sql} AS d ON d.${name} = i.argo_app_name
WHERE r.kind = 'deployment' AND i.status <> 'Deleted'
  AND NOT EXISTS (SELECT 1 FROM ${table.sql} AS e WHERE e.${id}::text = r.host_id)
GROUP BY r.host_id HAVING COUNT(*) = 1 ORDER BY r.host_id LIMIT ${ABSENT}`;
  const { rows } = await database.query(sql, [], options);
  return rows.map((row) => ({ kind: 'deployment', from: String(row.old_key), to: String(row.new_key) }));
}

function rekeyRefused(kind: HostKind, from: string, to: string, reason: string): CaelusError {
  return new CaelusError({
    code: 'SQL_HOST_REKEY_REFUSED',
    message: `The ${kind} ${from} cannot become ${to}. ${reason} Look at repository.host.findRekeyed and at the problems.`,
    details: { kind, from, to },
  });
}
