import { type IdempotencyRecord, parseTimestamp, type Timestamp } from '@caelus/core';
import { firstRecord, type RecordTable, toColumns, upsertRow } from '../record-table.ts';
import type { SqlSession } from '../sql-executor.ts';

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
  parse: parseRecord,
};

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
  const { rows } = await session.query('SELECT * FROM idempotency WHERE scope = ? AND key = ?', [scope, key]);
  return firstRecord(table, rows);
}

export async function putIdempotencyRecord(session: SqlSession, record: IdempotencyRecord): Promise<void> {
  await upsertRow(session, 'idempotency', toColumns(table, parseRecord(record)), ['scope', 'key']);
}

export async function purgeIdempotencyRecords(session: SqlSession, now: Timestamp): Promise<number> {
  return (await session.query('DELETE FROM idempotency WHERE expires_at < ?', [now])).affected;
}
