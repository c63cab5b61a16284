import type { JsonValue } from '@caelus/core';
import { corrupt } from './sql-errors.ts';
import type { SqlRow, SqlSession, SqlValue } from './sql-executor.ts';

/** How the fields of a record lie in the columns of a table. */
export interface RecordTable<T> {
  readonly name: string;
  readonly columns: Readonly<Record<keyof T & string, string>>;
  /** Fields that are kept as JSON text; `null` is SQL's NULL. */
  readonly json: readonly (keyof T & string)[];
  /** Parses a record that was read. */
  readonly parse: (input: unknown) => T;
}

export type Entry = readonly [column: string, value: SqlValue];

/** The columns of the fields that `record` has. */
export function toColumns<T extends object>(table: RecordTable<T>, record: Partial<T>): Entry[] {
  const fields = Object.keys(table.columns) as (keyof T & string)[];
  return fields
    .filter((field) => record[field] !== undefined)
    .map((field) => {
      const value = record[field] as JsonValue;
      const isText = table.json.includes(field) && value !== null;
      // The cast: a field that is not JSON is text, a number or null by the types of the models.
      return [table.columns[field], isText ? JSON.stringify(value) : (value as SqlValue)];
    });
}

/**
 * The record in a row.
 * @throws {CaelusError} `STORE_CORRUPT`, which names the table and the row's key
 */
export function readRecord<T extends object>(table: RecordTable<T>, row: SqlRow): T {
  const columns: Readonly<Record<string, string>> = table.columns;
  const json: readonly string[] = table.json;
  const record: Record<string, unknown> = {};
  try {
    // A loop, because a page of 500 rows runs it 15,000 times.
    for (const [field, column] of Object.entries(columns)) {
      const value = row[column];
      record[field] = typeof value === 'string' && json.includes(field) ? JSON.parse(value) : value;
    }
    return table.parse(record);
  } catch (cause) {
    const [key] = Object.values(columns);
    // A parser of JSON quotes what it cannot read; that must not reach a log.
    throw corrupt(`${table.name} ${row[key ?? '']}`, cause instanceof SyntaxError ? undefined : cause);
  }
}

/** Reads at most one record. */
export function firstRecord<T extends object>(table: RecordTable<T>, rows: readonly SqlRow[]): T | undefined {
  return rows[0] === undefined ? undefined : readRecord(table, rows[0]);
}

/** Inserts one row. `conflict` is the `ON CONFLICT` clause, where there is one. */
export async function insertRow(
  session: SqlSession,
  table: string,
  entries: readonly Entry[],
  conflict: string = '',
): Promise<void> {
  const columns = entries.map(([column]) => column).join(', ');
  const marks = entries.map(() => '?').join(', ');
  const values = entries.map(([, value]) => value);
  await session.query(`INSERT INTO ${table} (${columns}) VALUES (${marks}) ${conflict}`, values);
}

/** Inserts one row, or puts it in the place of the one with the same key. */
export async function upsertRow(
  session: SqlSession,
  table: string,
  entries: readonly Entry[],
  key: readonly string[],
): Promise<void> {
  const others = entries.filter(([column]) => !key.includes(column));
  const updates = others.map(([column]) => `${column} = excluded.${column}`).join(', ');
  await insertRow(session, table, entries, `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${updates}`);
}
