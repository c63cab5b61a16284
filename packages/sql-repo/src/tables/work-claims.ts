import {
  type CallOptions,
  type IdSource,
  MATURED_AT_ONCE,
  parseInstanceId,
  parseWorkClaim,
  parseWorkRenewal,
  type WorkClaim,
  type WorkItem,
} from '@caelus/core';
import { columnsOf, type RecordTable, readRecord } from '../record-table.ts';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';
import { nextTurnOf } from './work.ts';

/** What orders what was claimed at once. */
interface Claimed extends WorkItem {
  readonly turn: number;
  readonly tenant: string;
  readonly requestedAt: string;
}

const table: RecordTable<Claimed> = {
  name: 'work',
  columns: {
    instanceId: 'deployment_id',
    requested: 'requested',
    attempts: 'attempts',
    reason: 'reason',
    leaseToken: 'lease_token',
    turn: 'turn',
    tenant: 'tenant',
    requestedAt: 'requested_at',
  },
  json: [],
  integers: ['requested', 'attempts', 'turn'],
  instants: ['requestedAt'],
  parse: (input) => {
    // The cast: the table's own types and constraints hold for all but the id.
    const item = input as Claimed;
    return { ...item, instanceId: parseInstanceId(item.instanceId) };
  },
};

/**
 * Of those who claim at once in PostgreSQL, each takes what the others have not locked. There the inner query is materialized:
 * the subquery of a condition may be run more than once, and would lease more than its `LIMIT` says.
 */
const sharingOf = ({ dialect }: SqlSession) =>
  dialect === 'postgres' ? { as: 'AS MATERIALIZED', lock: ' FOR UPDATE SKIP LOCKED' } : { as: 'AS', lock: '' };

/** What has waited long enough joins the end of its tenant's line: what was due first, first. */
function admissionOf(session: SqlSession): string {
  const { as, lock } = sharingOf(session);
  return `WITH ready ${as} (
  SELECT deployment_id, tenant, available_at FROM work
  WHERE requested > done AND turn IS NULL AND dead_at IS NULL AND available_at <= ?
  ORDER BY available_at, deployment_id LIMIT ?${lock}),
placed AS (SELECT deployment_id, tenant,
  ROW_NUMBER() OVER (PARTITION BY tenant ORDER BY available_at, deployment_id) - 1 AS place FROM ready)
UPDATE work SET turn = placed.place + ${nextTurnOf('placed.tenant')}
FROM placed WHERE work.deployment_id = placed.deployment_id`;
}

function claimOf(session: SqlSession): string {
  const { as, lock } = sharingOf(session);
  return `WITH due ${as} (
  SELECT deployment_id FROM work
  WHERE requested > done AND turn IS NOT NULL AND available_at <= ? AND (lease_until IS NULL OR lease_until <= ?)
  ORDER BY turn, tenant, requested_at, deployment_id LIMIT ?${lock})
UPDATE work SET lease_owner = ?, lease_token = ?, lease_until = ?, served_turn = turn, requested_since_claim_at = NULL
WHERE deployment_id IN (SELECT deployment_id FROM due)
RETURNING ${columnsOf(session, table)}`;
}

export async function claimWork(
  database: SqlDatabase,
  ids: IdSource,
  claim: WorkClaim,
  options?: CallOptions,
): Promise<readonly WorkItem[]> {
  const { owner, limit, now, leaseUntil } = parseWorkClaim(claim);
  const token = ids.uuid();
  const { rows } = await database.transaction(async (session) => {
    await session.query(admissionOf(session), [now, Math.max(limit, MATURED_AT_ONCE)]);
    return session.query(claimOf(session), [now, now, limit, owner, token, leaseUntil]);
  }, options);
  // RETURNING keeps no order.
  return rows
    .map((row) => readRecord(table, row))
    .toSorted((a, b) => a.turn - b.turn || (lineOf(a) < lineOf(b) ? -1 : 1))
    .map(({ turn: _, tenant: __, requestedAt: ___, ...item }) => item);
}

const lineOf = ({ tenant, requestedAt, instanceId }: Claimed) => `${tenant} ${requestedAt} ${instanceId}`;

/** How many leases one statement renews. */
const RENEWED_AT_ONCE = 500;

export async function renewWork(
  database: SqlDatabase,
  items: readonly WorkItem[],
  renewal: Pick<WorkClaim, 'leaseMilliseconds' | 'now'>,
  options?: CallOptions,
): Promise<readonly WorkItem[]> {
  const until = parseWorkRenewal(renewal);
  const held = new Set<unknown>();
  await database.transaction(async (session) => {
    for (const token of new Set(items.map(({ leaseToken }) => leaseToken))) {
      const leased = items.filter(({ leaseToken }) => leaseToken === token);
      for (let start = 0; start < leased.length; start += RENEWED_AT_ONCE) {
        const ids = leased.slice(start, start + RENEWED_AT_ONCE).map(({ instanceId }) => instanceId);
        const marks = ids.map(() => '?').join(', ');
        const sql = `UPDATE work SET lease_until = ? WHERE lease_token = ? AND deployment_id IN (${marks})
RETURNING deployment_id`;
        const { rows } = await session.query(sql, [until, token, ...ids]);
        for (const { deployment_id: id } of rows) held.add(`${id} ${token}`);
      }
    }
  }, options);
  return items.filter(({ instanceId, leaseToken }) => held.has(`${instanceId} ${leaseToken}`));
}
