// The whole public API of @caelus/sql-repo: named re-exports only.

export { createSqlRepository, type SqlRepositoryOptions } from './create-sql-repository.ts';
export { type PrintMigrationsOptions, printMigrations } from './migrations/print-migrations.ts';
export type { SqlErrorCode } from './sql-errors.ts';
export type { SqlDialect } from './sql-executor.ts';
export type { SqliteDriver } from './sqlite/sqlite-driver.ts';
