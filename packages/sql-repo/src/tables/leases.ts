import { type CallOptions, type Lease, parseLease } from '@caelus/core';
import { findRecord, insertion, type RecordTable, toColumns } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

const table: RecordTable<Lease> = {
  name: 'lease',
  columns: { name: 'name', owner: 'owner', token: 'token', beat: 'beat', renewedAt: 'renewed_at' },
  json: [],
  integers: ['beat'],
  instants: ['renewedAt'],
  parse: (input) => parseLease(input as Lease),
};

export async function findLease(session: SqlSession, name: string, options?: CallOptions): Promise<Lease | undefined> {
  return findRecord(session, table, 'name = ?', [name], options);
}

/** Each of the three is one statement that finds what was seen or changes nothing. */
export async function replaceLease(
  session: SqlSession,
  name: string,
  seen: Lease | undefined,
  next: Omit<Lease, 'name'> | undefined,
): Promise<boolean> {
  if (next === undefined) {
    if (seen === undefined) return (await findLease(session, name)) === undefined;
    const sql = 'DELETE FROM lease WHERE name = ? AND token = ? AND beat = ?';
    return (await session.query(sql, [name, seen.token, seen.beat])).affected > 0;
  }
  const entries = toColumns(table, parseLease({ name, ...next }));
  if (seen === undefined) {
    const statement = insertion(table.name, entries, 'ON CONFLICT (name) DO NOTHING');
    return (await session.query(...statement)).affected > 0;
  }
  const assignments = entries.map(([column]) => `${column} = ?`).join(', ');
  const values = entries.map(([, value]) => value);
  const sql = `UPDATE lease SET ${assignments} WHERE name = ? AND token = ? AND beat = ?`;
  return (await session.query(sql, [...values, name, seen.token, seen.beat])).affected > 0;
}
