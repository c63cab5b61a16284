import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor, SqlQueryResult } from '../sql-executor.ts';

/** What is used of a Drizzle database or transaction, over `node-postgres`, `postgres-js` or `pglite`. */
export interface DrizzleLike<Query> {
  execute(query: Query): PromiseLike<unknown>;
  transaction<T>(body: (transaction: DrizzleLike<Query>) => Promise<T>): Promise<T>;
}

/** The `sql` of `drizzle-orm`. */
export type DrizzleSqlTag<Query> = (strings: TemplateStringsArray, ...values: unknown[]) => Query;

/** Runs statements on a Drizzle database of the host, or joined to its open transaction. `sqlTag` is the `sql` of `drizzle-orm`. */
export function fromDrizzle<Query>(
  db: DrizzleLike<Query>,
  sqlTag: DrizzleSqlTag<Query>,
  dialect: 'postgres',
): SqlExecutor {
  const connection = connectionOf(db, sqlTag);
  const exclusive = turnsOf(db);
  // Transactions have it, databases do not.
  const isTransaction = 'rollback' in db;
  return {
    dialect,
    query: connection.query,
    transaction: (body) =>
      isTransaction
        ? exclusive(() => inSavepoint(connection, 'caelus', body))
        : db.transaction((transaction) => body(connectionOf(transaction, sqlTag))),
  };
}

function connectionOf<Query>(db: DrizzleLike<Query>, sqlTag: DrizzleSqlTag<Query>): SqlConnection {
  return {
    async query(sql, parameters) {
      // The placeholders stand in order, so what is between them are the strings of a template.
      const parts = sql.split(/\$\d+/);
      const strings = Object.assign(parts, { raw: parts });
      return toResult(await db.execute(sqlTag(strings, ...parameters)));
    },
  };
}

/** node-postgres gives `rows` and `rowCount`, pglite `rows` and `affectedRows`, postgres-js an array with `count`. */
function toResult(result: unknown): SqlQueryResult {
  // The casts: one of the three drivers has made it.
  if (Array.isArray(result)) {
    return { rows: [...result], affected: (result as unknown as { readonly count: number | null }).count ?? 0 };
  }
  const { rows, rowCount, affectedRows } = result as {
    readonly rows: Record<string, unknown>[];
    readonly rowCount?: number | null;
    readonly affectedRows?: number;
  };
  return { rows, affected: rowCount ?? affectedRows ?? 0 };
}
