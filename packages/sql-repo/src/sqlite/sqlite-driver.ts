import { CaelusError } from '@caelus/core';
import type { SqlValue } from '../sql-executor.ts';
import type { SqlResult, SqlRow } from '../sql-session.ts';
import { decodeText, encodeText } from '../text-codec.ts';

/** The SQLite drivers, in the order in which they are tried. */
export const sqliteDrivers = ['node:sqlite', 'better-sqlite3', 'libsql'] as const;

/**
 * `node:sqlite` is part of Node since 22.13 and needs nothing; `better-sqlite3` is used where the host has installed it;
 * `libsql` comes along as an optional dependency, prebuilt.
 */
export type SqliteDriver = (typeof sqliteDrivers)[number];

/** One open connection. Its calls return when SQLite is done, so they block the thread for as long. */
export interface SqliteConnection {
  query(sql: string, parameters?: readonly SqlValue[]): SqlResult;
  /** Runs statements without parameters or results. */
  execute(sql: string): void;
  close(): void;
}

export interface LoadedSqliteDriver {
  readonly name: SqliteDriver;
  open(file: string): SqliteConnection;
}

/** What the three drivers have in common. */
interface Database {
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  close(): unknown;
}

interface Statement {
  /** Whether it gives rows. node:sqlite does not say. */
  readonly reader?: boolean;
  all(...parameters: unknown[]): unknown[];
  run(...parameters: unknown[]): { readonly changes: number | bigint };
}

type DatabaseClass = new (file: string) => Database;

/** Statements of the repository are few; more than this are the product of many different filters. */
const STATEMENT_CACHE = 200;

/**
 * Loads the driver that was asked for, or else the first that is there.
 * @throws {CaelusError} `SQL_DRIVER_MISSING`
 */
export async function loadSqliteDriver(wanted?: SqliteDriver): Promise<LoadedSqliteDriver> {
  const tried = wanted === undefined ? sqliteDrivers : [wanted];
  const causes: unknown[] = [];
  for (const name of tried) {
    try {
      const Driver = await importDriver(name);
      if (Driver !== undefined) return { name, open: (file) => openConnection(new Driver(file), name) };
    } catch (cause) {
      // Not installed, or built for another Node: the next one may do.
      causes.push(cause);
    }
  }
  throw new CaelusError({
    code: 'SQL_DRIVER_MISSING',
    message: `No SQLite driver can be loaded (tried: ${tried.join(', ')}). Use Node 22.13 or later, or install better-sqlite3 or libsql.`,
    details: { tried },
    cause: new AggregateError(causes, 'the errors of the drivers'),
  });
}

async function importDriver(name: SqliteDriver): Promise<DatabaseClass | undefined> {
  // The casts: none of the three has types that the others share; the contract kit runs over each.
  if (name === 'node:sqlite') {
    const builtin = process.getBuiltinModule(name) as unknown as { DatabaseSync: DatabaseClass } | undefined;
    return builtin?.DatabaseSync;
  }
  // Not a literal, because the host may not have it.
  const loaded = name === 'libsql' ? await import('libsql') : await import(name as string);
  return (loaded as { default: unknown }).default as DatabaseClass;
}

function openConnection(database: Database, name: SqliteDriver): SqliteConnection {
  const statements = new Map<string, Statement>();
  // The drivers of the better-sqlite3 family take one list, in which a lone null is a value and not an object of names.
  const bind = name === 'node:sqlite' ? (values: SqlValue[]) => values : (values: SqlValue[]) => [values];

  function prepare(sql: string): Statement {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    if (statements.size >= STATEMENT_CACHE) statements.clear();
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  }

  return {
    query(sql, parameters = []) {
      const statement = prepare(sql);
      const values = bind(parameters.map((value) => (typeof value === 'string' ? encodeText(value) : value)));
      if (!(statement.reader ?? returnsRows(sql)))
        return { rows: [], affected: Number(statement.run(...values).changes) };
      const rows = (statement.all(...values) as Record<string, SqlValue>[]).map(decodeRow);
      return { rows, affected: rows.length };
    },
    execute: (sql) => void database.exec(sql),
    close: () => void database.close(),
  };
}

/** For node:sqlite, whose `all` takes any statement. Every statement is written in this package. */
function returnsRows(sql: string): boolean {
  return /^\s*(?:SELECT|PRAGMA|EXPLAIN)\b|\bRETURNING\b/.test(sql);
}

function decodeRow(row: Record<string, SqlValue>): SqlRow {
  for (const column in row) {
    const value = row[column];
    if (typeof value === 'string') row[column] = decodeText(value);
  }
  return row;
}
