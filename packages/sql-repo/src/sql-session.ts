import type { CallOptions } from '@caelus/core';
import type { SqlDialect, SqlValue } from './sql-executor.ts';

export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  /** How many rows a statement without rows of its own has written. */
  readonly affected: number;
}

/** What a statement of this package is run on: inside a transaction, that transaction's view. */
export interface SqlSession {
  readonly dialect: SqlDialect;
  /**
   * Whether what is read here is the ground for what is written next, so that nobody else may change it meanwhile.
   * SQLite has one writer, so there it is of no account.
   */
  readonly isTransaction: boolean;
  /**
   * Runs one statement. Parameters are written `?` in the statement, which holds no other question mark.
   * @throws {SqlConstraintError} where a constraint or a trigger refuses it
   * @throws {CaelusError} `UNAVAILABLE`, `STORE_CORRUPT`, `SQL_STATEMENT_FAILED`
   */
  query(sql: string, parameters?: readonly SqlValue[], options?: CallOptions): Promise<SqlResult>;
  /** Runs one statement that a constraint or a trigger may refuse: the transaction stays usable then. */
  attempt(sql: string, parameters?: readonly SqlValue[]): Promise<SqlResult>;
}

/**
 * The seam between the repository and a database: everything that differs from one database, driver or query builder to
 * another is behind it.
 */
export interface SqlDatabase extends SqlSession, AsyncDisposable {
  /** Runs `body` as one transaction that can write: all of it or nothing, and nobody else sees half. */
  transaction<T>(body: (session: SqlSession) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** A statement was refused by a constraint or a trigger. Which one is for the caller to find out, from the rows. */
export class SqlConstraintError extends Error {
  override readonly name: string = 'SqlConstraintError';
}
