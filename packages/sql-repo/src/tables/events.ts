import {
  type CaelusEvent,
  type CallOptions,
  type ChangeId,
  type EventQuery,
  type InstanceId,
  type NewCaelusEvent,
  parseEvent,
  parseNewEvent,
  parsePageLimit,
} from '@caelus/core';
import { type Condition, invalidCursor, queryOrdered } from '../ordered-page.ts';
import { insertion, type RecordTable, readRecord, toColumns } from '../record-table.ts';
import type { SqlSession } from '../sql-session.ts';

const columns = {
  at: 'at',
  type: 'type',
  instanceId: 'deployment_id',
  generation: 'generation',
  changeId: 'change_id',
  actor: 'actor',
  data: 'data',
} as const;
const json = ['actor', 'data'] as const;

const others = { json, integers: ['generation'], instants: ['at'] } as const;
const newTable: RecordTable<NewCaelusEvent> = { name: 'event', columns, ...others, parse: parseNewEvent };
/**
 * SQLite has one writer, so a greater `seq` was committed later, and is the cursor. In PostgreSQL a number that was given out
 * earlier may be committed later. There the cursor begins with the number of the transaction, and an event is shown once every
 * transaction with this number or a smaller one has ended: nothing can come before it any more. Beside these, a transaction sees
 * its own.
 */
const order = {
  sqlite: { column: 'seq', first: '0', pattern: /^\d{1,15}$/, toKey: Number, condition: null },
  postgres: {
    column: 'cursor',
    first: '',
    pattern: /^\d{18}-\d{18}$/,
    toKey: String,
    condition: `(position - (SELECT value::bigint FROM meta WHERE key = 'event_offset')
      < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      OR position - (SELECT value::bigint FROM meta WHERE key = 'event_offset')
      = pg_current_xact_id_if_assigned()::text::bigint)`,
  },
} as const;

const tableOf = (cursor: string): RecordTable<CaelusEvent> => ({
  name: 'event',
  columns: { cursor, ...columns },
  ...others,
  parse: parseEvent,
});
const tables = { sqlite: tableOf(order.sqlite.column), postgres: tableOf(order.postgres.column) } as const;

export async function listEvents(
  session: SqlSession,
  query: EventQuery = {},
  options?: CallOptions,
): Promise<readonly CaelusEvent[]> {
  const { column, first, pattern, toKey, condition } = order[session.dialect];
  const table = tables[session.dialect];
  const { after, instanceId, types } = query;
  const limit = parsePageLimit(query.limit);
  if (after !== undefined && !pattern.test(after)) throw invalidCursor(after);
  const ofInstance: Condition | null =
    instanceId === undefined ? null : { column: 'deployment_id', values: [instanceId] };
  const ofTypes: Condition | null = types === undefined ? null : { column: 'type', values: types };
  const listing = {
    table,
    key: [column],
    direction: 'ASC',
    index: ofInstance ? 'event_by_deployment' : ofTypes ? 'event_by_type' : null,
    leading: ofInstance ?? ofTypes,
    filters: ofInstance && ofTypes ? [ofTypes] : [],
    condition,
  } as const;
  const rows = await queryOrdered(session, listing, [toKey(after ?? first)], limit, options);
  return rows.map((row) => readRecord(table, { ...row, [column]: String(row[column]) }));
}

export async function appendEvent(session: SqlSession, event: NewCaelusEvent): Promise<void> {
  await session.query(...insertion(newTable.name, toColumns(newTable, parseNewEvent(event))));
}

/** Triggers record every change of a row and of an event, so that the answer outlives both. */
export async function hasChange(
  session: SqlSession,
  id: InstanceId,
  changeId: ChangeId,
  options?: CallOptions,
): Promise<boolean> {
  const sql = 'SELECT 1 FROM deployment_change WHERE deployment_id = ? AND change_id = ?';
  return (await session.query(sql, [id, changeId], options)).rows.length > 0;
}
