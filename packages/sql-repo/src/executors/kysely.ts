import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor } from '../sql-executor.ts';

interface RunsKyselyQueries {
  executeQuery(query: {
    readonly sql: string;
    readonly parameters: readonly unknown[];
    readonly query: {
      readonly kind: 'RawNode';
      readonly sqlFragments: readonly string[];
      readonly parameters: readonly never[];
    };
    readonly queryId: { readonly queryId: string };
  }): Promise<{ readonly rows: unknown[]; readonly numAffectedRows?: bigint | undefined }>;
}

/** What is used of a `Kysely` or its `Transaction`: 0.27 and later. */
export interface KyselyLike extends RunsKyselyQueries {
  readonly isTransaction: boolean;
  withoutPlugins(): RunsKyselyQueries;
  transaction(): { execute<T>(body: (transaction: KyselyLike) => Promise<T>): Promise<T> };
}

/** Runs statements on a Kysely of the host, or joined to its open `Transaction`. */
export function fromKysely(db: KyselyLike, dialect: 'postgres'): SqlExecutor {
  const connection = connectionOf(db);
  const exclusive = turnsOf(db);
  return {
    dialect,
    query: connection.query,
    transaction: (body) =>
      db.isTransaction
        ? exclusive(() => inSavepoint(connection, 'caelus', body))
        : db.transaction().execute((transaction) => body(connectionOf(transaction))),
  };
}

function connectionOf(db: KyselyLike): SqlConnection {
  // A plugin such as CamelCasePlugin would rename the columns.
  const plain = db.withoutPlugins();
  return {
    async query(sql, parameters) {
      const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const;
      const { rows, numAffectedRows } = await plain.executeQuery({
        sql,
        parameters,
        query,
        queryId: { queryId: 'caelus' },
      });
      // The cast: a row is an object by column names.
      return { rows: rows as Record<string, unknown>[], affected: Number(numAffectedRows ?? 0n) };
    },
  };
}
