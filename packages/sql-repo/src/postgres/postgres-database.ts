import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions } from '@caelus/core';
import { abortable, createLinkedAbort } from '@caelus/core/adapter';
import { createExclusive } from '../exclusive.ts';
import { corrupt, disposed, transactionEnded, transactionNested } from '../sql-errors.ts';
import type { SqlConnection, SqlExecutor, SqlQueryResult, SqlValue } from '../sql-executor.ts';
import { SqlConstraintError, type SqlDatabase, type SqlResult, type SqlRow, type SqlSession } from '../sql-session.ts';
import { decodeText, encodeText } from '../text-codec.ts';
import { asksForRepetition, translatePostgresError } from './postgres-errors.ts';
import { createPostgresTranslator } from './postgres-statement.ts';
import { inSavepoint } from './savepoint.ts';

export interface PostgresDatabaseOptions {
  /** Names the database in errors. */
  readonly name: string;
  readonly executor: SqlExecutor;
  readonly schema: string;
  /** How often a transaction is run that PostgreSQL asks to run again. 1 inside a host's transaction, which is not ours to repeat. */
  readonly attempts: number;
}

/** A transaction that is running, seen from the code that it has called. */
interface Scope {
  open: boolean;
  /** The first error after which PostgreSQL commits nothing any more, whatever the body makes of it. */
  failure?: { readonly error: unknown };
}

const LONGEST_PAUSE_MILLISECONDS = 100;

/** Runs the repository's statements on a host's executor. */
export function createPostgresDatabase(options: PostgresDatabaseOptions): SqlDatabase {
  const { name, executor, schema, attempts } = options;
  const translate = createPostgresTranslator(schema);
  const scopes = new AsyncLocalStorage<Scope>();
  const running = new Set<Promise<unknown>>();
  let closed = false;

  function assertOpen(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (closed) throw disposed(name);
  }

  /** Disposing waits for it. */
  async function tracked<T>(work: () => Promise<T>): Promise<T> {
    const promise = work();
    running.add(promise);
    try {
      return await promise;
    } finally {
      running.delete(promise);
    }
  }

  async function run(connection: SqlConnection, sql: string, parameters: readonly SqlValue[] = []): Promise<SqlResult> {
    const texts = parameters.map((value) => (value === null ? null : encodeText(String(value))));
    let result: SqlQueryResult;
    try {
      result = await connection.query(translate(sql), texts);
    } catch (error) {
      throw translatePostgresError(error, name);
    }
    return { rows: result.rows.map((row) => decodeRow(row, name)), affected: result.affected };
  }

  async function query(
    sql: string,
    parameters?: readonly SqlValue[],
    { signal }: CallOptions = {},
  ): Promise<SqlResult> {
    assertOpen(signal);
    return abortable(
      tracked(() => run(executor, sql, parameters)),
      signal,
    );
  }

  async function transaction<T>(body: (session: SqlSession) => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    assertOpen(signal);
    if (scopes.getStore()?.open) throw transactionNested(name);
    return tracked(async () => {
      for (let attempt = 1; ; attempt++) {
        const scope: Scope = { open: true };
        try {
          return await once(body, scope, signal);
        } catch (error) {
          if (attempt >= attempts || !asksForRepetition(scope.failure?.error ?? error)) throw error;
        }
        // Random, so that those that met do not meet again.
        await abortable(sleep(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MILLISECONDS)), signal);
      }
    });
  }

  async function once<T>(
    body: (session: SqlSession) => Promise<T>,
    scope: Scope,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    // It lets go once the body has begun: from then on the body itself is stopped, and the transaction is rolled back before anybody hears.
    using waiting = createLinkedAbort(signal);
    let isWaiting = true;
    // Query builders wrap what is thrown through them; what the body has thrown is given to its caller as it was.
    let thrown: { readonly error: unknown } | undefined;
    const whole = executor.transaction(async (connection) => {
      isWaiting = false;
      waiting[Symbol.dispose]();
      try {
        signal?.throwIfAborted();
        const result = await abortable(
          scopes.run(scope, () => body(sessionOn(connection, scope, signal))),
          signal,
        );
        if (scope.failure !== undefined) throw scope.failure.error;
        return result;
      } catch (error) {
        thrown = { error };
        throw new Error('The transaction is rolled back.');
      } finally {
        scope.open = false;
      }
    });
    try {
      return await abortable(whole, waiting.signal);
    } catch (error) {
      if (thrown !== undefined) throw thrown.error;
      if (isWaiting && signal?.aborted) throw signal.reason;
      throw translatePostgresError(error, name);
    }
  }

  function sessionOn(connection: SqlConnection, scope: Scope, signal: AbortSignal | undefined): SqlSession {
    // One after the other, because savepoints of statements that overlap would release one another.
    const exclusive = createExclusive();
    const guarded: SqlConnection = {
      query(sql, parameters) {
        if (!scope.open) throw transactionEnded();
        return connection.query(sql, parameters);
      },
    };
    const inTurn = (statement: () => Promise<SqlResult>, isRefusal: (error: unknown) => boolean) =>
      exclusive(async () => {
        if (!scope.open) throw transactionEnded();
        signal?.throwIfAborted();
        try {
          return await statement();
        } catch (reason) {
          const error = translatePostgresError(reason, name);
          if (!isRefusal(error)) scope.failure ??= { error };
          throw error;
        }
      });
    return {
      dialect: 'postgres',
      isTransaction: true,
      query: (sql, parameters) =>
        inTurn(
          () => run(guarded, sql, parameters),
          () => false,
        ),
      attempt: (sql, parameters) =>
        inTurn(
          () => inSavepoint(guarded, 'caelus_statement', (inside) => run(inside, sql, parameters)),
          (error) => error instanceof SqlConstraintError,
        ),
    };
  }

  return {
    dialect: 'postgres',
    isTransaction: false,
    query,
    attempt: query,
    transaction,
    async [Symbol.asyncDispose]() {
      closed = true;
      await Promise.allSettled(running);
    },
  };
}

function decodeRow(row: Readonly<Record<string, unknown>>, name: string): SqlRow {
  const decoded: Record<string, SqlValue> = {};
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === 'string') decoded[column] = decodeText(value);
    else if (typeof value === 'number' || value === null) decoded[column] = value;
    else throw corrupt(`${name} ${column}`);
  }
  return decoded;
}
