import { type EventPruning, parseEventPruning, prunableEvents, type Timestamp } from '@caelus/core';
import { instantOf, lockOf } from '../record-table.ts';
import type { SqlValue } from '../sql-executor.ts';
import type { SqlSession } from '../sql-session.ts';
import { eventAt, eventOrder } from './events.ts';

/**
 * Forgets the oldest events. Only settled ones: an event that is still to come before one that was pruned would be seen by
 * nobody. The horizon is raised first, without which the database lets no event go; who else prunes meanwhile waits for it.
 */
export async function pruneEvents(session: SqlSession, pruning: EventPruning): Promise<number> {
  const { before, keep, limit } = parseEventPruning(pruning);
  const { column, settled } = eventOrder[session.dialect];
  await session.query(`SELECT value FROM meta WHERE key = 'event_horizon'${lockOf(session)}`);

  const conditions: string[] = settled === null ? [] : [settled];
  const parameters: SqlValue[] = [];
  if (keep !== undefined && keep > 0) {
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    conditions.push(`${column} < (SELECT ${column} FROM event ${where} ORDER BY ${column} DESC LIMIT 1 OFFSET ?)`);
    parameters.push(keep - 1);
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT ${column} AS place, ${instantOf(session, 'at')} AS instant FROM event ${where} ORDER BY ${column} LIMIT ?`;
  const { rows } = await session.query(sql, [...parameters, limit]);

  // The cast: every instant is checked before it is written.
  const count = prunableEvents(
    rows.map(({ instant }) => instant as Timestamp),
    before,
  );
  const last = rows[count - 1]?.place;
  if (last === undefined) return 0;
  const { cursor } = await eventAt(session, last);
  await session.query(`UPDATE meta SET value = ? WHERE key = 'event_horizon'`, [cursor]);
  return (await session.query(`DELETE FROM event WHERE ${column} <= ?`, [last])).affected;
}
