import { toTimestamp } from '@caelus/core';
import type { SqlExecutor } from '../src/index.ts';
import { migrate } from '../src/migrations/migrate.ts';
import { sqlitePlan } from '../src/migrations/sqlite-plan.ts';
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
  const count = countingTo(last, interrupt);
  const interrupted: SqlDatabase = {
    ...executor,
    transaction: (body, options) =>
      executor.transaction(
        (session) =>
          body({
            ...session,
            query(...input) {
              count();
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

/** Calls `interrupt` before statement number `last` inside transactions. */
export function interruptedExecutor(executor: SqlExecutor, last: number, interrupt: () => void): SqlExecutor {
  const count = countingTo(last, interrupt);
  return {
    ...executor,
    transaction: (body) =>
      executor.transaction((connection) =>
        body({
          query(sql, parameters) {
            count();
            return connection.query(sql, parameters);
          },
        }),
      ),
  };
}

function countingTo(last: number, interrupt: () => void): () => void {
  let statements = 0;
  return () => {
    statements += 1;
    if (statements === last) interrupt();
  };
}
