// The whole public API of @caelus/sql-repo: named re-exports only.

export type {
  AttachOptions,
  HostDeployments,
  HostField,
  HostProducts,
  HostStatus,
  HostTemplateVersions,
  HostValues,
} from './attached/attach-options.ts';
export type { BackfilledChart, BackfillOptions, BackfillReport } from './attached/backfill.ts';
export type { HostKind } from './attached/host-mapping.ts';
export type { HostProblem, HostRows, InstanceRequest, JoinedHostRows, RekeyedRow } from './attached/host-rows.ts';
export {
  type AttachedOptions,
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
export type { AttachedRepository, JoinedRepository, SqlRepository } from './sql-repository.ts';
export type { SqliteDriver } from './sqlite/sqlite-driver.ts';
