import { type BranchState, type CallOptions, parseBranchState } from '@caelus/core';
import { lockOf, upsertRow } from '../record-table.ts';
import { corrupt } from '../sql-errors.ts';
import type { SqlSession } from '../sql-session.ts';

const KEY = 'branch_state';

export async function findBranchState(session: SqlSession, options?: CallOptions): Promise<BranchState | undefined> {
  const sql = `SELECT value FROM meta WHERE key = ?${lockOf(session)}`;
  const [row] = (await session.query(sql, [KEY], options)).rows;
  if (row === undefined) return undefined;
  try {
    return parseBranchState(JSON.parse(String(row.value)));
  } catch (cause) {
    throw corrupt(`meta ${KEY}`, cause instanceof SyntaxError ? undefined : cause);
  }
}

export async function putBranchState(session: SqlSession, state: BranchState): Promise<void> {
  const value = JSON.stringify(parseBranchState(state));
  await upsertRow(
    session,
    'meta',
    [
      ['key', KEY],
      ['value', value],
    ],
    ['key'],
  );
}
