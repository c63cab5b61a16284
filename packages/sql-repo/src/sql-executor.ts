import type { CallOptions } from '@caelus/core';

/** The SQL that a database speaks. Others come with their executors; the statements are written so that they can. */
export type SqlDialect = 'sqlite';

/** What goes in and out of a statement. Integers are safe ones; JSON and instants are text. */
export type SqlValue = string | number | null;

export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlResult {
  readonly rows: readonly SqlRow[];
  /** How many rows a statement without rows of its own has written. */
  readonly affected: number;
}

/** One connection's view: inside a transaction, that transaction's. */
export interface SqlSession {
  readonly dialect: SqlDialect;
  /**
   * Runs one statement. Parameters are written `?` in the statement, which holds no other question mark.
   * @throws {SqlConstraintError} where a constraint or a trigger refuses it; the transaction stays usable
   * @throws {CaelusError} `UNAVAILABLE`, `STORE_CORRUPT`
   */
  query(sql: string, parameters?: readonly SqlValue[], options?: CallOptions): Promise<SqlResult>;
}

/**
 * The seam between the repository and a database: everything that differs from one database, driver or query builder to
 * another is behind it.
 */
export interface SqlExecutor extends SqlSession {
  /** Runs `body` as one transaction that can write, isolated from every other one. */
  transaction<T>(body: (session: SqlSession) => Promise<T>, options?: CallOptions): Promise<T>;
}

/** A statement was refused by a constraint or a trigger. Which one is for the caller to find out, from the rows. */
export class SqlConstraintError extends Error {
  override readonly name: string = 'SqlConstraintError';
}
