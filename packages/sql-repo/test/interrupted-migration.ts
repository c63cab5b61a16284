import { toTimestamp } from '@caelus/core';
import { migrate } from '../src/migrations/migrate.ts';
import { sqlitePlan } from '../src/migrations/sqlite-migrations.ts';
import type { SqlDatabase } from '../src/sql-session.ts';
import { openSqliteDatabase } from '../src/sqlite/sqlite-database.ts';
import { loadSqliteDriver, type SqliteDriver } from '../src/sqlite/sqlite-driver.ts';

/** Applies the migrations, and calls `interrupt` before statement number `last`, the transaction's own not counted. */
export async function applyMigrations(
  file: string,
  driver: SqliteDriver,
  last: number,
  interrupt: () => void,
): Promise<void> {
  const loaded = await loadSqliteDriver(driver);
  const executor = await openSqliteDatabase({ file, name: 'test', driver: loaded, busyTimeoutMilliseconds: 1000 });
  let statements = 0;
  const interrupted: SqlDatabase = {
    ...executor,
    transaction: (body, options) =>
      executor.transaction(
        (session) =>
          body({
            ...session,
            query(...input) {
              statements += 1;
              if (statements === last) interrupt();
              return session.query(...input);
            },
          }),
        options,
      ),
  };
  try {
    await migrate(interrupted, sqlitePlan, () => toTimestamp(new Date(0)));
  } finally {
    await executor[Symbol.asyncDispose]();
  }
}
