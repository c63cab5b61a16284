import { type IdempotencyRecord, parseTimestamp, type Timestamp } from '@caelus/core';
import { findRecord, type RecordTable, toColumns, upsertRow } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

const table: RecordTable<IdempotencyRecord> = {
  name: 'idempotency',
  columns: {
    scope: 'scope',
    key: 'key',
    requestHash: 'request_hash',
    response: 'response',
    expiresAt: 'expires_at',
  },
  json: ['response'],
  instants: ['expiresAt'],
  parse: parseRecord,
};

const LOCK = 'SELECT pg_advisory_xact_lock(hashtextextended(?, 0))::text';

function parseRecord(input: unknown): IdempotencyRecord {
  // The cast: the table's own types hold for the texts, and `response` is any JSON.
  const record = input as IdempotencyRecord;
  return { ...record, expiresAt: parseTimestamp(record.expiresAt) };
}

export async function findIdempotencyRecord(
  session: SqlSession,
  scope: string,
  key: string,
): Promise<IdempotencyRecord | undefined> {
  // Two calls with the same key take turns, also where there is no row yet that could be locked.
  if (session.dialect === 'postgres') await session.query(LOCK, [JSON.stringify([scope, key])]);
  return findRecord(session, table, 'scope = ? AND key = ?', [scope, key]);
}

export async function putIdempotencyRecord(session: SqlSession, record: IdempotencyRecord): Promise<void> {
  await upsertRow(session, 'idempotency', toColumns(table, parseRecord(record)), ['scope', 'key']);
}

export async function purgeIdempotencyRecords(session: SqlSession, now: Timestamp): Promise<number> {
  return (await session.query('DELETE FROM idempotency WHERE expires_at < ?', [now])).affected;
}
