import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor } from '../sql-executor.ts';

/** What is used of a transaction of PGlite. */
export interface PgliteTransactionLike {
  query(
    sql: string,
    parameters?: unknown[],
  ): Promise<{ readonly rows: unknown[]; readonly affectedRows?: number | undefined }>;
}

/** What is used of a `PGlite`. */
export interface PgliteLike extends PgliteTransactionLike {
  transaction<T>(body: (transaction: PgliteTransactionLike) => Promise<T>): Promise<T>;
  listen(channel: string, callback: (payload: string) => void): Promise<(...args: never[]) => Promise<void>>;
  readonly dataDir?: string | undefined;
}

/**
 * Runs statements on a PGlite of the host, or joined to its open transaction. For tests and trials: PGlite writes nothing
 * through to the disk, and must not be opened by two processes.
 */
export function fromPglite(db: PgliteLike | PgliteTransactionLike): SqlExecutor {
  const connection = connectionOf(db);
  const exclusive = turnsOf(db);
  if (!('transaction' in db)) {
    return {
      dialect: 'postgres',
      query: connection.query,
      transaction: (body) => exclusive(() => inSavepoint(connection, 'caelus', body)),
    };
  }
  return {
    dialect: 'postgres',
    query: connection.query,
    transaction: (body) => db.transaction((transaction) => body(connectionOf(transaction))),
    async listen(channel, callback) {
      const stop = await db.listen(`"${channel}"`, callback);
      return () => stop();
    },
    capabilities: { multiProcess: false, durable: !/^(?:memory:|$)/.test(db.dataDir ?? '') },
  };
}

function connectionOf(db: PgliteTransactionLike): SqlConnection {
  return {
    async query(sql, parameters) {
      const { rows, affectedRows } = await db.query(sql, [...parameters]);
      // The cast: a row is an object by column names.
      return { rows: rows as Record<string, unknown>[], affected: affectedRows ?? 0 };
    },
  };
}
