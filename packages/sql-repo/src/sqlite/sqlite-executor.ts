import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallOptions } from '@caelus/core';
import { abortable } from '@caelus/core/adapter';
import { createExclusive } from '../exclusive.ts';
import { disposed, transactionEnded, transactionNested } from '../sql-errors.ts';
import type { SqlValue } from '../sql-executor.ts';
import type { SqlDatabase, SqlResult, SqlSession } from '../sql-session.ts';
import { retryWhileBusy } from './retry-while-busy.ts';
import type { SqliteConnection } from './sqlite-driver.ts';
import { translateSqliteError } from './sqlite-errors.ts';

export interface SqliteExecutorOptions {
  /** Names the database in errors. */
  readonly name: string;
  readonly writer: SqliteConnection;
  /** Sees what is committed while a transaction runs. The writer itself where there can be no other connection. */
  readonly reader: SqliteConnection;
  readonly busyTimeoutMilliseconds: number;
}

/** A transaction that is running, seen from the code that it has called. */
interface Scope {
  open: boolean;
}

/** Runs statements on two connections: transactions on the one, one after the other, and reads on the other. */
export function createSqliteExecutor(options: SqliteExecutorOptions): SqlDatabase {
  const { name, writer, reader, busyTimeoutMilliseconds } = options;
  const exclusive = createExclusive();
  const scopes = new AsyncLocalStorage<Scope>();
  let closed = false;

  function assertOpen(): void {
    if (closed) throw disposed(name);
  }

  async function attempt<T>(run: () => T, signal?: AbortSignal): Promise<T> {
    try {
      return await retryWhileBusy(run, busyTimeoutMilliseconds, signal);
    } catch (error) {
      throw translateSqliteError(error, name);
    }
  }

  async function query(
    sql: string,
    parameters?: readonly SqlValue[],
    { signal }: CallOptions = {},
  ): Promise<SqlResult> {
    signal?.throwIfAborted();
    assertOpen();
    const read = () => attempt(() => reader.query(sql, parameters), signal);
    const isInside = scopes.getStore()?.open === true;
    // With one connection, a read between the statements of somebody's transaction would see half of it.
    if (reader !== writer || isInside) return read();
    return exclusive(() => {
      assertOpen();
      return read();
    }, signal);
  }

  async function transaction<T>(body: (session: SqlSession) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    signal?.throwIfAborted();
    assertOpen();
    if (scopes.getStore()?.open) throw transactionNested(name);
    return exclusive(async () => {
      assertOpen();
      await attempt(() => writer.execute('BEGIN IMMEDIATE'), signal);
      const scope: Scope = { open: true };
      try {
        const running = scopes.run(scope, () => body(session(scope, signal)));
        const result = await abortable(running, signal);
        scope.open = false;
        await attempt(() => writer.execute('COMMIT'));
        return result;
      } catch (error) {
        scope.open = false;
        rollBack(writer);
        throw error;
      }
    }, signal);
  }

  function session(scope: Scope, signal: AbortSignal | undefined): SqlSession {
    const query: SqlSession['query'] = async (sql, parameters) => {
      if (!scope.open) throw transactionEnded();
      signal?.throwIfAborted();
      try {
        return writer.query(sql, parameters);
      } catch (error) {
        throw translateSqliteError(error, name);
      }
    };
    // A statement that is refused undoes itself alone.
    return { dialect: 'sqlite', isTransaction: true, query, attempt: query };
  }

  return {
    dialect: 'sqlite',
    isTransaction: false,
    query,
    attempt: query,
    transaction,
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await exclusive(async () => {
        // Leaves one file behind, which can be copied; whoever else has it open keeps what it needs.
        attemptOnly(() => writer.execute('PRAGMA wal_checkpoint(TRUNCATE)'));
        for (const connection of new Set([reader, writer])) attemptOnly(() => connection.close());
      });
    },
  };
}

/** SQLite has rolled back already after some errors, such as a full disk; then there is nothing left to undo. */
function rollBack(writer: SqliteConnection): void {
  attemptOnly(() => writer.execute('ROLLBACK'));
}

function attemptOnly(run: () => void): void {
  try {
    run();
  } catch {
    // What fails here has no effect on what is committed.
  }
}
