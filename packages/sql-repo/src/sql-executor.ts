/** The SQL that a database speaks. */
export type SqlDialect = 'postgres' | 'sqlite';

/** What goes into a statement, and what comes out of one that this package writes. JSON and instants are text. */
export type SqlValue = string | number | null;

export interface SqlQueryResult {
  /** Each row as an object by column names, which are those of the statement, unchanged. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows an `INSERT`, `UPDATE` or `DELETE` has written. */
  readonly affected: number;
}

/** One connection, for as long as it is lent. */
export interface SqlConnection {
  /**
   * Runs one statement. Placeholders are `$1`, `$2` and so on in PostgreSQL, each used once and in this order, and `?` in
   * SQLite; the parameters are text or `null` in PostgreSQL, and their types are left to the server. The statement must not be
   * prepared under a name, so that it works behind a pooler in transaction mode. An error is thrown as the driver gives it:
   * its SQLSTATE is looked for in `code`, also of the `cause` or the `driverError`.
   */
  query(sql: string, parameters: readonly SqlValue[]): Promise<SqlQueryResult>;
}

/**
 * Runs statements on a host's own database: what `createSqlRepository` needs of a driver or a query builder. There is one for
 * each common library ({@link fromPgPool}, {@link fromPgClient}, {@link fromKysely}, {@link fromDrizzle}, {@link fromKnex},
 * {@link fromTypeOrm}, {@link fromPglite}); for another one, write these few methods.
 */
export interface SqlExecutor extends SqlConnection {
  readonly dialect: SqlDialect;
  /**
   * Runs `body` on one connection between `BEGIN` and `COMMIT`, and rolls back where it throws. Where the executor is joined to a
   * transaction that is open already, a `SAVEPOINT` takes the place of both.
   */
  transaction<T>(body: (connection: SqlConnection) => Promise<T>): Promise<T>;
  /**
   * Calls `callback` with the payload of each notification of a channel (`LISTEN`), until the function that it resolves to is
   * called. A notification that was sent while the connection was lost is made up for by one call with `''`. Left out
   * where the library cannot: those who wait then ask from time to time, which they do anyway.
   */
  listen?(channel: string, callback: (payload: string) => void): Promise<() => Promise<void>>;
  /** What is not so with every server. Default: what is committed outlives the process, and several processes may share it. */
  readonly capabilities?: { readonly multiProcess: boolean; readonly durable: boolean } | undefined;
}
