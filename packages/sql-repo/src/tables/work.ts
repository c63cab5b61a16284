import {
  type CallOptions,
  type IdSource,
  type InstanceId,
  parseInstanceId,
  parseTimestamp,
  parseWorkClaim,
  type Timestamp,
  type WorkBacklog,
  type WorkClaim,
  type WorkItem,
  type WorkRetry,
} from '@caelus/core';
import { columnsOf, instantOf, type RecordTable, readRecord } from '../record-table.ts';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';

// One row an instance, level-triggered: how often it was asked for, up to which request it is done, and who is at it.

/** The instant orders what was claimed at once. */
type Claimed = WorkItem & { readonly requestedAt: Timestamp };

const table: RecordTable<Claimed> = {
  name: 'work',
  columns: {
    instanceId: 'deployment_id',
    requested: 'requested',
    attempts: 'attempts',
    reason: 'reason',
    leaseToken: 'lease_token',
    requestedAt: 'requested_at',
  },
  json: [],
  integers: ['requested', 'attempts'],
  instants: ['requestedAt'],
  parse: (input) => {
    // The cast: the table's own types and constraints hold for all but the id.
    const item = input as Claimed;
    return { ...item, instanceId: parseInstanceId(item.instanceId) };
  },
};

const REQUEST = `INSERT INTO work
  (deployment_id, requested, done, reason, requested_at, requested_since_claim_at, available_at, attempts)
VALUES (?, 1, 0, ?, ?, ?, ?, 0)
ON CONFLICT (deployment_id) DO UPDATE SET
  requested = work.requested + 1,
  reason = excluded.reason,
  requested_at = CASE WHEN work.requested = work.done THEN excluded.requested_at ELSE work.requested_at END,
  requested_since_claim_at = COALESCE(work.requested_since_claim_at, excluded.requested_at),
  available_at = CASE WHEN work.requested = work.done OR excluded.available_at < work.available_at
    THEN excluded.available_at ELSE work.available_at END`;

/**
 * Of those who claim at once in PostgreSQL, each takes what the others have not locked. There the inner query is materialized:
 * the subquery of a condition may be run more than once, and would lease more than its `LIMIT` says.
 */
function claimOf(session: SqlSession): string {
  const isShared = session.dialect === 'postgres';
  return `WITH due AS ${isShared ? 'MATERIALIZED ' : ''}(
  SELECT deployment_id FROM work
  WHERE requested > done AND available_at <= ? AND (lease_until IS NULL OR lease_until <= ?)
  ORDER BY requested_at, deployment_id LIMIT ?${isShared ? ' FOR UPDATE SKIP LOCKED' : ''})
UPDATE work SET lease_owner = ?, lease_token = ?, lease_until = ?, requested_since_claim_at = NULL
WHERE deployment_id IN (SELECT deployment_id FROM due)
RETURNING ${columnsOf(session, table)}`;
}

const COMPLETE = `UPDATE work SET
  done = CASE WHEN ? > requested THEN requested WHEN ? > done THEN ? ELSE done END,
  requested_at = COALESCE(requested_since_claim_at, requested_at),
  attempts = 0, last_error = NULL, lease_owner = NULL, lease_token = NULL, lease_until = NULL
WHERE deployment_id = ? AND lease_token = ?`;

const RELEASE = `UPDATE work SET available_at = ?, attempts = attempts + ?, last_error = COALESCE(?, last_error),
  lease_owner = NULL, lease_token = NULL, lease_until = NULL
WHERE deployment_id = ? AND lease_token = ?`;

const backlogOf = (session: SqlSession) => `SELECT CAST(COUNT(*) AS TEXT) AS pending,
  CAST(COUNT(CASE WHEN attempts > 0 THEN 1 END) AS TEXT) AS failing,
  ${instantOf(session, 'MIN(requested_at)')} AS oldest_requested_at FROM work WHERE requested > done`;

export async function requestWork(session: SqlSession, id: InstanceId, reason: string, at: Timestamp): Promise<void> {
  parseTimestamp(at);
  await session.query(REQUEST, [parseInstanceId(id), reason, at, at, at]);
}

export async function claimWork(
  database: SqlDatabase,
  ids: IdSource,
  claim: WorkClaim,
  options?: CallOptions,
): Promise<readonly WorkItem[]> {
  const { owner, limit, now, leaseUntil } = parseWorkClaim(claim);
  const token = ids.uuid();
  const { rows } = await database.transaction(
    (session) => session.query(claimOf(session), [now, now, limit, owner, token, leaseUntil]),
    options,
  );
  // RETURNING keeps no order.
  const age = ({ requestedAt, instanceId }: Claimed) => `${requestedAt} ${instanceId}`;
  return rows
    .map((row) => readRecord(table, row))
    .toSorted((a, b) => (age(a) < age(b) ? -1 : 1))
    .map(({ requestedAt: _, ...item }) => item);
}

export async function completeWork(session: SqlSession, item: WorkItem): Promise<boolean> {
  const { requested, instanceId, leaseToken } = item;
  const { affected } = await session.query(COMPLETE, [requested, requested, requested, instanceId, leaseToken]);
  return affected > 0;
}

export async function releaseWork(session: SqlSession, item: WorkItem, retry: WorkRetry): Promise<boolean> {
  const { availableAt, error } = retry;
  const parameters = [parseTimestamp(availableAt), error === null ? 0 : 1, error, item.instanceId, item.leaseToken];
  return (await session.query(RELEASE, parameters)).affected > 0;
}

export async function workBacklog(session: SqlSession, options?: CallOptions): Promise<WorkBacklog> {
  const [row] = (await session.query(backlogOf(session), [], options)).rows;
  return {
    pending: Number(row?.pending),
    failing: Number(row?.failing),
    // The cast: every instant is checked before it is written.
    oldestRequestedAt: (row?.oldest_requested_at ?? null) as Timestamp | null,
  };
}
