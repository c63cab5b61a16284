import {
  assertResumable,
  type CaelusEvent,
  type CallOptions,
  type ChangeId,
  type EventQuery,
  eventCursor,
  type InstanceId,
  type NewCaelusEvent,
  parseEvent,
  parseNewEvent,
  parsePageLimit,
  placeOfEventCursor,
} from '@caelus/core';
import { inParts, rowsOfMarks } from '../many-rows.ts';
import { type Condition, queryOrdered } from '../ordered-page.ts';
import { columnsOf, findRecord, insertion, type RecordTable, readRecord, toColumns } from '../record-table.ts';
import { corrupt } from '../sql-errors.ts';
import type { SqlDialect, SqlValue } from '../sql-executor.ts';
import type { SqlSession } from '../sql-session.ts';

const columns = {
  at: 'at',
  type: 'type',
  instanceId: 'deployment_id',
  generation: 'generation',
  changeId: 'change_id',
  commit: 'commit_id',
  actor: 'actor',
  data: 'data',
} as const;
const json = ['actor', 'data'] as const;

const others = { json, integers: ['generation'], instants: ['at'] } as const;
const newTable: RecordTable<NewCaelusEvent> = { name: 'event', columns, ...others, parse: parseNewEvent };

const OFFSET = `(SELECT value::bigint FROM meta WHERE key = 'event_offset')`;

interface EventOrder {
  readonly column: string;
  /** The place before the first event. */
  readonly first: string;
  readonly pattern: RegExp;
  toKey(place: string): SqlValue;
  toPlace(key: unknown): string;
  /** A condition for events that none can come before any more. `null` where all are. */
  readonly settled: string | null;
  /** A condition for events that a reader is shown. */
  readonly shown: string | null;
}

/**
 * How events are ordered. SQLite has one writer, so a greater `seq` was committed later, and is the place. In PostgreSQL a number
 * that was given out earlier may be committed later. There the place begins with the number of the transaction, and an event is
 * settled once every transaction with this number or a smaller one has ended: nothing can come before it any more. A reader is
 * shown what is settled, and inside a transaction also its own.
 */
export const eventOrder: Readonly<Record<SqlDialect, EventOrder>> = {
  sqlite: {
    column: 'seq',
    first: '0'.repeat(15),
    pattern: /^\d{15}$/,
    toKey: Number,
    toPlace: (key) => String(key).padStart(15, '0'),
    settled: null,
    shown: null,
  },
  postgres: {
    column: 'cursor',
    first: `${'0'.repeat(18)}-${'0'.repeat(18)}`,
    pattern: /^\d{18}-\d{18}$/,
    toKey: String,
    toPlace: String,
    settled: `position - ${OFFSET} < pg_snapshot_xmin(pg_current_snapshot())::text::bigint`,
    shown: `(position - ${OFFSET} < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
      OR position - ${OFFSET} = pg_current_xact_id_if_assigned()::text::bigint)`,
  },
};

/** An event's row has a place; what it is follows from the rest. */
const tableOf = ({ column, toPlace }: EventOrder): RecordTable<CaelusEvent> => ({
  name: 'event',
  columns: { cursor: column, ...columns },
  ...others,
  parse: (input) => {
    // The cast: what readRecord gives has every field of the table.
    const record = input as CaelusEvent;
    const event = parseEvent({ ...record, cursor: toPlace(record.cursor) });
    return { ...event, cursor: eventCursor(event.cursor, event) };
  },
});
const tables = { sqlite: tableOf(eventOrder.sqlite), postgres: tableOf(eventOrder.postgres) } as const;

export async function listEvents(
  session: SqlSession,
  query: EventQuery = {},
  options?: CallOptions,
): Promise<readonly CaelusEvent[]> {
  const { column, first, pattern, toKey, shown } = eventOrder[session.dialect];
  const table = tables[session.dialect];
  const { after, instanceId, types } = query;
  const limit = parsePageLimit(query.limit);
  const place = after === undefined ? first : placeOfEventCursor(after, pattern);
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
    condition: shown,
  } as const;
  const rows = await queryOrdered(session, listing, [toKey(place)], limit, options);
  // After the page: what was pruned before it was read is noticed now.
  if (after !== undefined) await assertAnchored(session, after, place, options);
  return rows.map((row) => readRecord(table, row));
}

/** One statement, so that the event and the horizon are of the same instant. */
async function assertAnchored(
  session: SqlSession,
  cursor: string,
  place: string,
  options: CallOptions | undefined,
): Promise<void> {
  const { column, toKey } = eventOrder[session.dialect];
  const table = tables[session.dialect];
  const sql = `SELECT horizon.value AS horizon, anchor.*
FROM (SELECT value FROM meta WHERE key = 'event_horizon') AS horizon
LEFT JOIN (SELECT ${columnsOf(session, table)} FROM event WHERE ${column} = ?) AS anchor ON 1 = 1`;
  const [row] = (await session.query(sql, [toKey(place)], options)).rows;
  const event = row === undefined || row[column] === null ? undefined : readRecord(table, row);
  assertResumable(cursor, { horizon: horizonOf(row?.horizon), event });
}

export async function eventHead(session: SqlSession, options?: CallOptions): Promise<string> {
  const { column, shown } = eventOrder[session.dialect];
  const newest = `${shown ?? '1 = 1'} ORDER BY ${column} DESC LIMIT 1`;
  const event = await findRecord(session, tables[session.dialect], newest, [], options);
  if (event !== undefined) return event.cursor;
  const [row] = (await session.query(`SELECT value FROM meta WHERE key = 'event_horizon'`, [], options)).rows;
  return horizonOf(row?.value);
}

function horizonOf(value: SqlValue | undefined): string {
  if (typeof value === 'string') return value;
  throw corrupt('meta event_horizon');
}

/** The event at a place that is there. @throws {CaelusError} `STORE_CORRUPT` */
export async function eventAt(session: SqlSession, key: SqlValue): Promise<CaelusEvent> {
  const { column } = eventOrder[session.dialect];
  const event = await findRecord(session, tables[session.dialect], `${column} = ?`, [key]);
  if (event === undefined) throw corrupt(`event ${key}`);
  return event;
}

export async function appendEvent(session: SqlSession, event: NewCaelusEvent): Promise<void> {
  await session.query(...insertion(newTable.name, toColumns(newTable, parseNewEvent(event))));
}

/** One statement for many, in parts that every database takes. */
export async function appendEvents(session: SqlSession, events: readonly NewCaelusEvent[]): Promise<void> {
  const rows = events.map((event) => new Map(toColumns(newTable, parseNewEvent(event))));
  const columns = Object.values(newTable.columns);
  for (const part of inParts(rows)) {
    const values = part.flatMap((row) => columns.map((column) => row.get(column) ?? null));
    const sql = `INSERT INTO event (${columns.join(', ')}) VALUES ${rowsOfMarks(part.length, columns.length)}`;
    await session.query(sql, values);
  }
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
