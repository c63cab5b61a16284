import { CaelusError } from '@caelus/core';
import type { SqlSession } from '../sql-session.ts';
import type { MigrationPlan } from './migration.ts';
import { postgresMigrations } from './postgres-migrations.ts';

/** Of those who start at once, one migrates. The lock goes with the transaction, so it works behind a pooler. */
export const lockOfMigrations = (schema: string): string =>
  `SELECT pg_advisory_xact_lock(hashtextextended('caelus migrations of ${schema}', 0))::text`;

/** Longer would stop everybody who comes after the migration in the queue for a table. */
export const LOCK_TIMEOUT = `SET LOCAL lock_timeout = '5s'`;
const STARTERS_TIMEOUT = `SET LOCAL lock_timeout = '60s'`;

/** The migrations of a schema of its own in a host's PostgreSQL database. */
export function postgresPlan(schema: string): MigrationPlan {
  const tables = `SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '${schema}')`;
  const tableQuery = `${tables} AND relname = 'migration'`;
  return {
    migrations: postgresMigrations,
    table: `CREATE TABLE IF NOT EXISTS migration (
  version integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz(3) NOT NULL
)`,
    tableQuery,
    async prepare(session) {
      for (const statement of [STARTERS_TIMEOUT, lockOfMigrations(schema), LOCK_TIMEOUT]) {
        await session.query(statement);
      }
      if (await isEmpty(session, `SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`)) {
        // Asked for first: also with IF NOT EXISTS it takes a privilege that the role may not need.
        await session.query(`CREATE SCHEMA "${schema}"`);
      } else if ((await isEmpty(session, tableQuery)) && !(await isEmpty(session, `${tables} LIMIT 1`))) {
        throw new CaelusError({
          code: 'SQL_DATABASE_FOREIGN',
          message: `The schema ${schema} has tables of another application. Give Caelus a schema of its own.`,
          details: { what: schema },
        });
      }
    },
  };
}

async function isEmpty(session: SqlSession, sql: string): Promise<boolean> {
  return (await session.query(sql)).rows.length === 0;
}
