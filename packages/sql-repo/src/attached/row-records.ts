import type { CallOptions, Timestamp } from '@caelus/core';
import type { SqlSession } from '../sql-session.ts';
import type { HostKind } from './host-mapping.ts';

// What Caelus keeps of each row of a host's that it has looked at: by which key the host knows it, and what was found.

/** The record of one host row. `id` is Caelus's and stays; `hostId` is the host's, which may change it. */
export interface RowRecord {
  readonly id: string;
  readonly hostId: string;
  /** Of the row as it was taken up; `null` where it never was. */
  readonly fingerprint: string | null;
  /** Why the row could not be taken up. */
  readonly problem: string | null;
  /** Whether somebody said that the host's row was deleted. */
  readonly isGone: boolean;
  /** Who the host says has changed it. */
  readonly actor: string | null;
}

const COLUMNS = `id, host_id, fingerprint, problem, is_gone::text AS is_gone, actor`;

const toRecord = (row: Readonly<Record<string, unknown>>): RowRecord => ({
  id: String(row.id),
  hostId: String(row.host_id),
  fingerprint: row.fingerprint as string | null,
  problem: row.problem as string | null,
  isGone: row.is_gone === 'true',
  actor: row.actor as string | null,
});

export async function findRow(
  session: SqlSession,
  kind: HostKind,
  by: 'id' | 'host_id',
  key: string,
  options?: CallOptions,
): Promise<RowRecord | undefined> {
  const lock = session.isTransaction ? ' FOR UPDATE' : '';
  const sql = `SELECT ${COLUMNS} FROM attached_row WHERE kind = ? AND ${by} = ?${lock}`;
  const [row] = (await session.query(sql, [kind, key], options)).rows;
  return row && toRecord(row);
}

/**
 * The id of a row that is new to Caelus: the host's key. Where another row had that key before the host gave it a new one, the id is
 * still that one's.
 */
const NEW_ID = `CASE WHEN EXISTS (SELECT 1 FROM attached_row AS other WHERE other.kind = n.kind AND other.id = n.host_id
  AND other.host_id <> n.host_id) THEN n.host_id || '-2' ELSE n.host_id END`;

/** The record, made where there is none. Others that make it too wait for the end of this transaction. */
export async function ensureRow(session: SqlSession, kind: HostKind, hostId: string, id?: string): Promise<RowRecord> {
  const sql = `INSERT INTO attached_row (kind, id, host_id) SELECT n.kind, COALESCE(CAST(? AS text), ${NEW_ID}), n.host_id
FROM (VALUES (CAST(? AS text), CAST(? AS text))) AS n (kind, host_id) ON CONFLICT (kind, host_id) DO NOTHING`;
  await session.query(sql, [id ?? null, kind, hostId]);
  const found = await findRow(session, kind, 'host_id', hostId);
  if (found === undefined) throw new TypeError('A row that was just made is not there.');
  return found;
}

/** What was taken up, and that there is nothing wrong with it. */
export async function markTakenUp(session: SqlSession, kind: HostKind, id: string, fingerprint: string): Promise<void> {
  const sql = `UPDATE attached_row SET fingerprint = ?, problem = NULL, problem_at = NULL, actor = NULL WHERE kind = ? AND id = ?`;
  await session.query(sql, [fingerprint, kind, id]);
}

/** What is wrong with a row as it is. Looked at again when it changes, when it is asked for, and by every sweep. */
export async function markProblem(
  session: SqlSession,
  kind: HostKind,
  id: string,
  problem: string,
  fingerprint: string | null,
  at: Timestamp,
): Promise<void> {
  const sql = `UPDATE attached_row SET fingerprint = ?, problem = ?,
  problem_at = CASE WHEN problem = ? THEN problem_at ELSE CAST(? AS timestamptz) END WHERE kind = ? AND id = ?`;
  await session.query(sql, [fingerprint, problem, problem, at, kind, id]);
}

export async function markMirrorDue(session: SqlSession, id: string, isDue: boolean): Promise<void> {
  const sql = `UPDATE attached_row SET mirror_due = CAST(? AS boolean) WHERE kind = 'deployment' AND id = ? AND mirror_due <> CAST(? AS boolean)`;
  await session.query(sql, [String(isDue), id, String(isDue)]);
}

const DRAIN = `WITH taken AS MATERIALIZED (
  DELETE FROM attached_inbox WHERE seq IN (
    SELECT seq FROM attached_inbox ORDER BY seq LIMIT ? FOR UPDATE SKIP LOCKED)
  RETURNING seq, host_id, is_gone, actor),
n AS (SELECT DISTINCT ON (host_id) 'deployment' AS kind, host_id, is_gone, actor FROM taken ORDER BY host_id, seq DESC)
INSERT INTO attached_row AS known (kind, id, host_id, is_gone, actor)
SELECT n.kind, ${NEW_ID}, n.host_id, n.is_gone, n.actor FROM n
ON CONFLICT (kind, host_id) DO UPDATE SET is_gone = excluded.is_gone, actor = COALESCE(excluded.actor, known.actor)
RETURNING id`;

/** Takes up to `limit` of what the host has told out of the inbox. Gives Caelus's ids of the rows that are meant. */
export async function drainInbox(session: SqlSession, limit: number): Promise<readonly string[]> {
  return (await session.query(DRAIN, [limit])).rows.map(({ id }) => String(id));
}

/** What the trigger does, for those who have none. */
export async function putIntoInbox(
  session: SqlSession,
  hostId: string,
  isGone: boolean,
  actor: string | null,
): Promise<void> {
  const sql = `INSERT INTO attached_inbox (host_id, is_gone, actor) VALUES (?, CAST(? AS boolean), ?)`;
  await session.query(sql, [hostId, String(isGone), actor]);
}
