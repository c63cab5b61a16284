import type { MigrationPlan } from './migration.ts';
import { sqliteMigrations } from './sqlite-migrations.ts';
import { sqliteRepeatables } from './sqlite-repeatables.ts';

/** The migrations of an SQLite file. */
export const sqlitePlan: MigrationPlan = {
  migrations: sqliteMigrations,
  repeatables: sqliteRepeatables,
  // There is one writer, so whoever has begun is alone.
  begin: [],
  // The file was checked when it was opened.
  assertOurs: async () => {},
  create: [
    `CREATE TABLE IF NOT EXISTS migration (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT`,
    `CREATE TABLE IF NOT EXISTS repeatable_migration (
  name TEXT NOT NULL PRIMARY KEY,
  revision INTEGER NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT`,
  ],
  drop: ['DROP TABLE repeatable_migration', 'DROP TABLE migration'],
  recordsQuery: `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'migration'`,
};
