// The whole public API of @caelus/sql-repo: named re-exports only.

export {
  type CommonSqlOptions,
  createSqlRepository,
  type PostgresOptions,
  type SqliteOptions,
  type SqlRepositoryOptions,
} from './create-sql-repository.ts';
export { type DrizzleLike, type DrizzleSqlTag, fromDrizzle } from './executors/drizzle.ts';
export { fromKnex, type KnexLike } from './executors/knex.ts';
export { fromKysely, type KyselyLike } from './executors/kysely.ts';
export { fromPgClient, fromPgPool, type PgClientLike, type PgPoolLike } from './executors/pg.ts';
export { fromPglite, type PgliteLike, type PgliteTransactionLike } from './executors/pglite.ts';
export {
  fromTypeOrm,
  type TypeOrmDataSourceLike,
  type TypeOrmManagerLike,
  type TypeOrmQueryRunnerLike,
} from './executors/type-orm.ts';
export {
  type PrintAlembicOptions,
  type PrintMigrationsOptions,
  type PrintSqlOptions,
  printMigrations,
} from './migrations/print-migrations.ts';
export { type RevertedMigrations, type RevertMigrationsOptions, revertMigrations } from './revert-migrations.ts';
export type { SqlErrorCode } from './sql-errors.ts';
export type { SqlConnection, SqlDialect, SqlExecutor, SqlQueryResult, SqlValue } from './sql-executor.ts';
export type { JoinedRepository, SqlRepository } from './sql-repository.ts';
export type { SqliteDriver } from './sqlite/sqlite-driver.ts';
