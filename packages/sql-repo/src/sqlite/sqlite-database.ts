import { closeSync, openSync } from 'node:fs';
import { CaelusError } from '@caelus/core';
import { APPLICATION_ID } from '../migrations/sqlite-migrations.ts';
import { unavailable } from '../sql-errors.ts';
import type { SqlDatabase } from '../sql-session.ts';
import { BLOCKING_MILLISECONDS, retryWhileBusy } from './retry-while-busy.ts';
import type { LoadedSqliteDriver, SqliteConnection } from './sqlite-driver.ts';
import { translateSqliteError } from './sqlite-errors.ts';
import { createSqliteExecutor } from './sqlite-executor.ts';

export interface SqliteDatabaseOptions {
  /** An absolute path, or `:memory:`. */
  readonly file: string;
  readonly name: string;
  readonly driver: LoadedSqliteDriver;
  readonly busyTimeoutMilliseconds: number;
}

/**
 * Opens a database file, and makes it where there is none.
 * @throws {CaelusError} `UNAVAILABLE`, `STORE_CORRUPT`, `SQL_DATABASE_FOREIGN`
 */
export async function openSqliteDatabase(options: SqliteDatabaseOptions): Promise<SqlDatabase> {
  const { file, name, driver, busyTimeoutMilliseconds } = options;
  const inMemory = file === ':memory:';
  if (!inMemory) createFile(file, name);
  const opened: SqliteConnection[] = [];
  const open = () => {
    const connection = driver.open(file);
    opened.push(connection);
    connection.execute(`PRAGMA busy_timeout = ${BLOCKING_MILLISECONDS}`);
    connection.execute('PRAGMA trusted_schema = OFF');
    return connection;
  };
  try {
    const writer = open();
    await retryWhileBusy(() => assertOurs(writer, name), busyTimeoutMilliseconds);
    writer.execute('PRAGMA foreign_keys = ON');
    writer.execute('PRAGMA synchronous = FULL');
    if (!inMemory) await retryWhileBusy(() => writer.query('PRAGMA journal_mode = WAL'), busyTimeoutMilliseconds);
    const reader = inMemory ? writer : open();
    if (reader !== writer) reader.execute('PRAGMA query_only = ON');
    return createSqliteExecutor({ name, writer, reader, busyTimeoutMilliseconds });
  } catch (error) {
    for (const connection of opened) connection.close();
    throw translateSqliteError(error, name);
  }
}

/** Makes the file readable by its owner alone: values are in it. Its errors are clearer than the drivers', too. */
function createFile(file: string, name: string): void {
  try {
    closeSync(openSync(file, 'a', 0o600));
  } catch (cause) {
    throw unavailable(name, 'Check that its directory exists, and that the file can be read and written.', cause);
  }
}

/** Refuses a database that another application has made, before anything is written to it. */
function assertOurs(connection: SqliteConnection, name: string): void {
  const [found] = connection.query('PRAGMA application_id').rows;
  if (found?.application_id === APPLICATION_ID) return;
  // That one stays where migrations were undone: SQLite never drops it.
  const tables = connection.query(`SELECT 1 FROM sqlite_master WHERE name <> 'sqlite_sequence' LIMIT 1`).rows;
  if (found?.application_id === 0 && tables.length === 0) return;
  throw new CaelusError({
    code: 'SQL_DATABASE_FOREIGN',
    message: `${name} is a database of another application. Give Caelus a file of its own.`,
    details: { what: name },
  });
}
