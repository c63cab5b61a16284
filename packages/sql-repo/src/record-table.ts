import type { CallOptions, JsonValue } from '@caelus/core';
import { corrupt } from './sql-errors.ts';
import type { SqlValue } from './sql-executor.ts';
import type { SqlRow, SqlSession } from './sql-session.ts';

/** How the fields of a record lie in the columns of a table. */
export interface RecordTable<T> {
  readonly name: string;
  readonly columns: Readonly<Record<keyof T & string, string>>;
  /** Fields that are kept as JSON text; `null` is SQL's NULL. */
  readonly json: readonly (keyof T & string)[];
  /** Fields that are integers. */
  readonly integers?: readonly (keyof T & string)[];
  /** Fields that are instants. */
  readonly instants?: readonly (keyof T & string)[];
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
  const { json, integers = [] }: { readonly json: readonly string[]; readonly integers?: readonly string[] } = table;
  const record: Record<string, unknown> = {};
  try {
    // A loop, because a page of 500 rows runs it 15,000 times.
    for (const [field, column] of Object.entries(columns)) {
      const value = row[column];
      if (typeof value === 'string' && json.includes(field)) record[field] = JSON.parse(value);
      else record[field] = typeof value === 'string' && integers.includes(field) ? Number(value) : value;
    }
    return table.parse(record);
  } catch (cause) {
    const [key] = Object.values(columns);
    // A parser of JSON quotes what it cannot read; that must not reach a log.
    throw corrupt(`${table.name} ${row[key ?? '']}`, cause instanceof SyntaxError ? undefined : cause);
  }
}

/** Reads at most one record. */
function firstRecord<T extends object>(table: RecordTable<T>, rows: readonly SqlRow[]): T | undefined {
  return rows[0] === undefined ? undefined : readRecord(table, rows[0]);
}

/**
 * What a `SELECT` asks for to read records. In PostgreSQL all but text is made text there, because the types of a host's driver
 * may have parsers of the host's own, and those of drivers lose microseconds, time zones and digits.
 */
export function columnsOf<T extends object>(
  { dialect }: Pick<SqlSession, 'dialect'>,
  { columns, json, integers = [], instants = [] }: RecordTable<T>,
): string {
  const fields = Object.entries<string>(columns) as [keyof T & string, string][];
  if (dialect === 'sqlite') return fields.map(([, column]) => column).join(', ');
  return fields
    .map(([field, column]) => {
      if (instants.includes(field)) return `${instantOf({ dialect }, column)} AS ${column}`;
      return json.includes(field) || integers.includes(field) ? `${column}::text AS ${column}` : column;
    })
    .join(', ');
}

/** An expression for an instant as text, in ISO 8601. */
export function instantOf({ dialect }: Pick<SqlSession, 'dialect'>, expression: string): string {
  if (dialect === 'sqlite') return expression;
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

/** Reads the record with a key, if there is one. `where` is the condition, its parameters in `values`. */
export async function findRecord<T extends object>(
  session: SqlSession,
  table: RecordTable<T>,
  where: string,
  values: readonly SqlValue[],
  options?: CallOptions,
): Promise<T | undefined> {
  const sql = `SELECT ${columnsOf(session, table)} FROM ${table.name} WHERE ${where}`;
  return firstRecord(table, (await session.query(sql, values, options)).rows);
}

/** Reads the records that have one of these keys. They are locked in their order, so that two who want the same do not wait for each other. */
export async function findRecords<T extends object>(
  session: SqlSession,
  table: RecordTable<T>,
  column: string,
  keys: readonly string[],
  { where = '', lock = '', options }: { where?: string; lock?: string; options?: CallOptions | undefined } = {},
): Promise<readonly T[]> {
  if (keys.length === 0) return [];
  const marks = keys.map(() => '?').join(', ');
  const sql = `SELECT ${columnsOf(session, table)} FROM ${table.name} WHERE ${column} IN (${marks})${where}
ORDER BY ${column}${lock}`;
  return (await session.query(sql, keys, options)).rows.map((row) => readRecord(table, row));
}

/**
 * The end of a `SELECT` whose rows a transaction decides by: nobody else may change them before it ends. SQLite has one writer,
 * so nobody can.
 */
export function lockOf({ dialect, isTransaction }: SqlSession): string {
  return dialect === 'postgres' && isTransaction ? ' FOR NO KEY UPDATE' : '';
}

/** A statement that inserts one row, and its parameters. `conflict` is the `ON CONFLICT` clause, where there is one. */
export function insertion(
  table: string,
  entries: readonly Entry[],
  conflict: string = '',
): readonly [sql: string, parameters: readonly SqlValue[]] {
  const columns = entries.map(([column]) => column).join(', ');
  const marks = entries.map(() => '?').join(', ');
  return [`INSERT INTO ${table} (${columns}) VALUES (${marks}) ${conflict}`, entries.map(([, value]) => value)];
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
  await session.query(...insertion(table, entries, `ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${updates}`));
}
