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
import { insertRow, type RecordTable, readRecord, toColumns } from '../record-table.ts';
import type { SqlSession } from '../sql-executor.ts';

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

const newTable: RecordTable<NewCaelusEvent> = { name: 'event', columns, json, parse: parseNewEvent };
const table: RecordTable<CaelusEvent> = {
  name: 'event',
  columns: { cursor: 'seq', ...columns },
  json,
  parse: parseEvent,
};

export async function listEvents(
  session: SqlSession,
  query: EventQuery = {},
  options?: CallOptions,
): Promise<readonly CaelusEvent[]> {
  const { after = '0', instanceId, types } = query;
  const limit = parsePageLimit(query.limit);
  if (!/^\d{1,15}$/.test(after)) throw invalidCursor(after);
  const ofInstance: Condition | null =
    instanceId === undefined ? null : { column: 'deployment_id', values: [instanceId] };
  const ofTypes: Condition | null = types === undefined ? null : { column: 'type', values: types };
  const listing = {
    table: 'event',
    key: ['seq'],
    direction: 'ASC',
    index: ofInstance ? 'event_by_deployment' : ofTypes ? 'event_by_type' : null,
    leading: ofInstance ?? ofTypes,
    filters: ofInstance && ofTypes ? [ofTypes] : [],
  } as const;
  const rows = await queryOrdered(session, listing, [Number(after)], limit, options);
  return rows.map((row) => readRecord(table, { ...row, seq: String(row.seq) }));
}

export async function appendEvent(session: SqlSession, event: NewCaelusEvent): Promise<void> {
  await insertRow(session, 'event', toColumns(newTable, parseNewEvent(event)));
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
