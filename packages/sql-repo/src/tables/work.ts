import {
  type CallOptions,
  type InstanceId,
  type Page,
  type PageRequest,
  parseInstanceId,
  parseTimestamp,
  type TenantId,
  type Timestamp,
  type WorkBacklog,
  type WorkBurial,
  type WorkFilter,
  type WorkItem,
  type WorkRecord,
  type WorkRetry,
  type WorkState,
  workStateOf,
} from '@caelus/core';
import { inParts, rowsOfMarks } from '../many-rows.ts';
import { listPage } from '../ordered-page.ts';
import { findRecord, instantOf, type RecordTable } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

// One row an instance, level-triggered: how often it was asked for, up to which request it is done, and who is at it. Its turn
// is its place among what waits to be claimed; it has none while it waits for a retry, and once it is dead.

interface WorkRow extends Omit<WorkRecord, 'state' | 'tenant'> {
  /** Empty where the instance had no row when it was requested: to a key, NULL is not equal to itself. */
  readonly tenant: string;
  readonly requested: number;
  readonly done: number;
}

const table: RecordTable<WorkRow> = {
  name: 'work',
  columns: {
    instanceId: 'deployment_id',
    tenant: 'tenant',
    requested: 'requested',
    done: 'done',
    reason: 'reason',
    requestedAt: 'requested_at',
    availableAt: 'available_at',
    attempts: 'attempts',
    lastError: 'last_error',
    leaseOwner: 'lease_owner',
    leaseUntil: 'lease_until',
    deadAt: 'dead_at',
  },
  json: [],
  integers: ['requested', 'done', 'attempts'],
  instants: ['requestedAt', 'availableAt', 'leaseUntil', 'deadAt'],
  parse: (input) => {
    // The cast: the table's own types and constraints hold for all but the id.
    const row = input as WorkRow;
    return { ...row, instanceId: parseInstanceId(row.instanceId) };
  },
};

function recordOf({ requested, done, tenant, ...rest }: WorkRow): WorkRecord {
  // The cast: it was a tenant's where it was copied from.
  return {
    ...rest,
    tenant: tenant === '' ? null : (tenant as TenantId),
    state: workStateOf({ ...rest, requested, done }),
  };
}

/** `nextTurn` of the core, of the tenant that an expression gives. Each part is one look into an index. */
export const nextTurnOf = (tenant: string) => `(SELECT COALESCE(MAX(candidate.turn), 1) FROM (
  SELECT served.turn FROM (
    SELECT other.served_turn + CASE WHEN other.tenant < ${tenant} THEN 0 ELSE 1 END AS turn FROM work AS other
    WHERE other.served_turn IS NOT NULL ORDER BY other.served_turn DESC, other.tenant DESC LIMIT 1) AS served
  UNION ALL SELECT MAX(other.turn) + 1 FROM work AS other WHERE other.tenant = ${tenant}
  UNION ALL SELECT MAX(other.served_turn) + 1 FROM work AS other WHERE other.tenant = ${tenant}) AS candidate)`;

const BEGINS_ANEW = '(work.requested = work.done OR work.dead_at IS NOT NULL)';
const IS_SOONER = `(${BEGINS_ANEW} OR excluded.available_at < work.available_at)`;

const REQUEST = `INSERT INTO work
  (deployment_id, tenant, turn, requested, done, reason, requested_at, requested_since_claim_at, available_at, attempts)
SELECT ?, asked.tenant, ${nextTurnOf('asked.tenant')}, 1, 0, ?, ?, ?, ?, 0
FROM (SELECT COALESCE((SELECT tenant FROM deployment WHERE id = ?),
  (SELECT tenant FROM work WHERE deployment_id = ?), '') AS tenant) AS asked WHERE TRUE
ON CONFLICT (deployment_id) DO UPDATE SET
  tenant = excluded.tenant,
  turn = CASE WHEN ${BEGINS_ANEW} OR (work.turn IS NULL AND ${IS_SOONER}) THEN excluded.turn ELSE work.turn END,
  requested = work.requested + 1,
  reason = excluded.reason,
  requested_at = CASE WHEN work.requested = work.done THEN excluded.requested_at ELSE work.requested_at END,
  requested_since_claim_at = COALESCE(work.requested_since_claim_at, excluded.requested_at),
  available_at = CASE WHEN ${IS_SOONER} THEN excluded.available_at ELSE work.available_at END,
  attempts = CASE WHEN work.dead_at IS NOT NULL THEN 0 ELSE work.attempts END,
  dead_at = NULL`;
const REQUEST_OF_THE_LIVING = `${REQUEST} WHERE work.dead_at IS NULL`;

const END_OF_LEASE = 'lease_owner = NULL, lease_token = NULL, lease_until = NULL';

const COMPLETE = `UPDATE work SET
  done = CASE WHEN ? > requested THEN requested WHEN ? > done THEN ? ELSE done END,
  turn = CASE WHEN requested > ? THEN ${nextTurnOf('work.tenant')} ELSE turn END,
  requested_at = COALESCE(requested_since_claim_at, requested_at),
  attempts = 0, last_error = NULL, ${END_OF_LEASE}
WHERE deployment_id = ? AND lease_token = ?`;

/** What {@link COMPLETE} comes to where nothing was requested since the claim. */
const completeMany = (rows: number) => `UPDATE work SET done = requested,
  requested_at = COALESCE(requested_since_claim_at, requested_at), attempts = 0, last_error = NULL, ${END_OF_LEASE}
FROM (VALUES ${rowsOfMarks(rows, 3)}) AS held
WHERE work.deployment_id = held.column1 AND work.lease_token = held.column2
  AND work.requested <= CAST(held.column3 AS bigint)
RETURNING deployment_id`;

const RELEASE = `UPDATE work SET turn = NULL, available_at = ?, attempts = attempts + ?,
  last_error = COALESCE(?, last_error), ${END_OF_LEASE}
WHERE deployment_id = ? AND lease_token = ?`;

/** What is leased is not dead, so `dead_at` is NULL before. */
const BURY = `UPDATE work SET turn = NULL, available_at = ?, last_error = ?,
  attempts = CASE WHEN requested > ? THEN 0 ELSE attempts + 1 END,
  dead_at = CASE WHEN requested > ? THEN dead_at ELSE ? END, ${END_OF_LEASE}
WHERE deployment_id = ? AND lease_token = ?
RETURNING CASE WHEN dead_at IS NULL THEN 'due' ELSE 'dead' END AS outcome`;

const backlogOf = (session: SqlSession) => `SELECT CAST(COUNT(CASE WHEN dead_at IS NULL THEN 1 END) AS TEXT) AS pending,
  CAST(COUNT(CASE WHEN dead_at IS NULL AND attempts > 0 THEN 1 END) AS TEXT) AS failing,
  CAST(COUNT(dead_at) AS TEXT) AS dead,
  ${instantOf(session, 'MIN(CASE WHEN dead_at IS NULL THEN requested_at END)')} AS oldest_requested_at
FROM work WHERE requested > done`;

const OPEN = 'requested > done';
const conditions: Readonly<Record<Exclude<WorkState, 'done'>, string>> = {
  dead: `${OPEN} AND dead_at IS NOT NULL`,
  leased: `${OPEN} AND lease_until IS NOT NULL`,
  failing: `${OPEN} AND dead_at IS NULL AND lease_until IS NULL AND attempts > 0`,
  pending: `${OPEN} AND dead_at IS NULL AND lease_until IS NULL AND attempts = 0`,
};

export async function requestWork(
  session: SqlSession,
  id: InstanceId,
  reason: string,
  at: Timestamp,
  { revive = true }: { readonly revive?: boolean | undefined } = {},
): Promise<void> {
  parseInstanceId(id);
  parseTimestamp(at);
  await session.query(revive ? REQUEST : REQUEST_OF_THE_LIVING, [id, reason, at, at, at, id, id]);
}

export async function completeWork(session: SqlSession, item: WorkItem): Promise<boolean> {
  const { requested, instanceId, leaseToken } = item;
  const parameters = [requested, requested, requested, requested, instanceId, leaseToken];
  return (await session.query(COMPLETE, parameters)).affected > 0;
}

export async function completeWorkMany(session: SqlSession, items: readonly WorkItem[]): Promise<readonly WorkItem[]> {
  const held = new Set<WorkItem>();
  for (const part of inParts(items)) {
    const ids = part.map(({ instanceId }) => instanceId);
    if (session.dialect === 'postgres') {
      // In the order of the ids, so that two who want the same rows do not wait for each other.
      const marks = ids.map(() => '?').join(', ');
      const lock = `SELECT 1 FROM work WHERE deployment_id IN (${marks}) ORDER BY deployment_id FOR NO KEY UPDATE`;
      await session.query(lock, ids);
    }
    const parameters = part.flatMap(({ instanceId, leaseToken, requested }) => [instanceId, leaseToken, requested]);
    const { rows } = await session.query(completeMany(part.length), parameters);
    const done = new Set(rows.map((row) => row.deployment_id));
    for (const item of part) {
      // What was requested since gets its tenant's next turn, which has to be another for each. The rest are lost.
      if (done.has(item.instanceId) || (await completeWork(session, item))) held.add(item);
    }
  }
  return items.filter((item) => held.has(item));
}

export async function releaseWork(session: SqlSession, item: WorkItem, retry: WorkRetry): Promise<boolean> {
  const { availableAt, error } = retry;
  const parameters = [parseTimestamp(availableAt), error === null ? 0 : 1, error, item.instanceId, item.leaseToken];
  return (await session.query(RELEASE, parameters)).affected > 0;
}

export async function buryWork(
  session: SqlSession,
  { instanceId, requested, leaseToken }: WorkItem,
  { at, error }: WorkBurial,
): Promise<'dead' | 'due' | 'lost'> {
  parseTimestamp(at);
  const parameters = [at, error, requested, requested, at, instanceId, leaseToken];
  const [row] = (await session.query(BURY, parameters)).rows;
  if (row === undefined) return 'lost';
  return row.outcome === 'dead' ? 'dead' : 'due';
}

export async function workBacklog(session: SqlSession, options?: CallOptions): Promise<WorkBacklog> {
  const [row] = (await session.query(backlogOf(session), [], options)).rows;
  return {
    pending: Number(row?.pending),
    failing: Number(row?.failing),
    dead: Number(row?.dead),
    // The cast: every instant is checked before it is written.
    oldestRequestedAt: (row?.oldest_requested_at ?? null) as Timestamp | null,
  };
}

export async function findWork(
  session: SqlSession,
  id: InstanceId,
  options?: CallOptions,
): Promise<WorkRecord | undefined> {
  const row = await findRecord(session, table, 'deployment_id = ?', [id], options);
  return row && recordOf(row);
}

export async function listWork(
  session: SqlSession,
  { state }: WorkFilter = {},
  page?: PageRequest,
  options?: CallOptions,
): Promise<Page<WorkRecord>> {
  const { items, nextCursor } = await listPage(
    session,
    {
      name: 'work',
      table,
      key: ['deployment_id'],
      direction: 'ASC',
      index: 'work_open',
      leading: null,
      filters: [],
      condition: state === undefined ? OPEN : conditions[state],
      keyOf: ({ instanceId }) => [instanceId],
    },
    page,
    options,
  );
  return { items: items.map(recordOf), nextCursor };
}
