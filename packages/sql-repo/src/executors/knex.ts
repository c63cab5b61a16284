import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor } from '../sql-executor.ts';

/** What is used of a `Knex` or its `Knex.Transaction`, over `pg`. */
export interface KnexLike {
  raw(
    sql: string,
    bindings: readonly (string | number | null)[],
  ): { options(options: { readonly rowMode: 'array' }): PromiseLike<unknown> };
  // biome-ignore lint/suspicious/noExplicitAny: knex calls it with its own Transaction, which is more than this.
  transaction<T>(body: (transaction: any) => Promise<T>): Promise<T>;
  readonly isTransaction?: boolean | undefined;
}

/** Runs statements on a Knex of the host, or joined to its open transaction. */
export function fromKnex(knex: KnexLike, dialect: 'postgres'): SqlExecutor {
  const connection = connectionOf(knex);
  const exclusive = turnsOf(knex);
  return {
    dialect,
    query: connection.query,
    transaction: (body) =>
      knex.isTransaction === true
        ? exclusive(() => inSavepoint(connection, 'caelus', body))
        : knex.transaction((transaction: KnexLike) => body(connectionOf(transaction))),
  };
}

interface RawResult {
  readonly rows: readonly (readonly unknown[])[];
  readonly fields: readonly { readonly name: string }[];
  readonly rowCount: number | null;
}

function connectionOf(knex: KnexLike): SqlConnection {
  return {
    async query(sql, parameters) {
      // Knex numbers the placeholders itself. Rows as arrays, because postProcessResponse may rename the keys of objects.
      const statement = sql.replace(/\$\d+/g, '?');
      // The cast: what pg gives for rowMode 'array'.
      const { rows, fields, rowCount } = (await knex
        .raw(statement, parameters)
        .options({ rowMode: 'array' })) as RawResult;
      return {
        rows: rows.map((row) => Object.fromEntries(fields.map(({ name }, index) => [name, row[index]]))),
        affected: rowCount ?? 0,
      };
    },
  };
}
