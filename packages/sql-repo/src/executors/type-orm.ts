import { inSavepoint, turnsOf } from '../postgres/savepoint.ts';
import type { SqlConnection, SqlExecutor } from '../sql-executor.ts';

/** What is used of a `QueryRunner`. */
export interface TypeOrmQueryRunnerLike {
  readonly isTransactionActive: boolean;
  query(
    sql: string,
    parameters: unknown[] | undefined,
    useStructuredResult: true,
  ): Promise<{ readonly records: unknown[]; readonly affected?: number | undefined }>;
  startTransaction(): Promise<void>;
  commitTransaction(): Promise<void>;
  rollbackTransaction(): Promise<void>;
  release(): Promise<void>;
}

/** What is used of a `DataSource`. */
export interface TypeOrmDataSourceLike {
  createQueryRunner(): TypeOrmQueryRunnerLike;
}

/** What is used of an `EntityManager`. */
export interface TypeOrmManagerLike {
  readonly connection: TypeOrmDataSourceLike;
  readonly queryRunner?: TypeOrmQueryRunnerLike | undefined;
}

/** Runs statements on a TypeORM `DataSource` of the host, or joined to the transaction of an `EntityManager`. */
export function fromTypeOrm(source: TypeOrmManagerLike | TypeOrmDataSourceLike, dialect: 'postgres'): SqlExecutor {
  const joined = 'queryRunner' in source ? source.queryRunner : undefined;
  if (joined !== undefined) return fromQueryRunner(joined, dialect);
  const dataSource = 'createQueryRunner' in source ? source : source.connection;
  const onRunner = async <T>(work: (executor: SqlExecutor) => Promise<T>): Promise<T> => {
    const runner = dataSource.createQueryRunner();
    try {
      return await work(fromQueryRunner(runner, dialect));
    } finally {
      await runner.release();
    }
  };
  return {
    dialect,
    query: (sql, parameters) => onRunner((executor) => executor.query(sql, parameters)),
    transaction: (body) => onRunner((executor) => executor.transaction(body)),
  };
}

function fromQueryRunner(runner: TypeOrmQueryRunnerLike, dialect: 'postgres'): SqlExecutor {
  const connection: SqlConnection = {
    async query(sql, parameters) {
      const { records, affected } = await runner.query(sql, [...parameters], true);
      // The cast: a record is an object by column names.
      return { rows: records as Record<string, unknown>[], affected: affected ?? 0 };
    },
  };
  const exclusive = turnsOf(runner);
  return {
    dialect,
    query: connection.query,
    transaction: (body) =>
      exclusive(async () => {
        if (runner.isTransactionActive) return inSavepoint(connection, 'caelus', body);
        await runner.startTransaction();
        try {
          const result = await body(connection);
          await runner.commitTransaction();
          return result;
        } catch (error) {
          // Its own failure is not told: then the connection is lost, which the first error says.
          await runner.rollbackTransaction().catch(() => {});
          throw error;
        }
      }),
  };
}
