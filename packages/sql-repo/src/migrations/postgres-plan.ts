import { CaelusError } from '@caelus/core';
import type { SqlSession } from '../sql-session.ts';
import type { MigrationPlan } from './migration.ts';
import { postgresMigrations } from './postgres-migrations.ts';
import { postgresRepeatables } from './postgres-repeatables.ts';

/**
 * What every plan in a schema of its own has in common. Of those who start at once, one migrates: the lock goes with the
 * transaction, so it works behind a pooler. After it, nobody is waited for longer than is good for those who come
 * later in the queue for a table.
 */
export function postgresPlanBasis(schema: string): Omit<MigrationPlan, 'migrations' | 'repeatables'> {
  const tables = `SELECT relname FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = '${schema}')`;
  const recordsQuery = `${tables} AND relname = 'migration'`;
  return {
    begin: [
      `SET LOCAL lock_timeout = '60s'`,
      `SELECT pg_advisory_xact_lock(hashtextextended('caelus migrations of ${schema}', 0))::text`,
      `SET LOCAL lock_timeout = '5s'`,
    ],
    async assertOurs(session) {
      if (!(await isEmpty(session, recordsQuery)) || (await isEmpty(session, `${tables} LIMIT 1`))) return;
      throw new CaelusError({
        code: 'SQL_DATABASE_FOREIGN',
        message: `The schema ${schema} has tables of another application. Give Caelus a schema of its own.`,
        details: { what: schema },
      });
    },
    create: [
      // Asked for first: also with IF NOT EXISTS it takes a privilege that the role may not need.
      `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${schema}') THEN
    CREATE SCHEMA "${schema}";
  END IF;
END $$`,
      `CREATE TABLE IF NOT EXISTS migration (
  version integer NOT NULL PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz(3) NOT NULL
)`,
      `CREATE TABLE IF NOT EXISTS repeatable_migration (
  name text NOT NULL PRIMARY KEY,
  revision integer NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz(3) NOT NULL
)`,
    ],
    drop: [
      'DROP TABLE repeatable_migration',
      'DROP TABLE migration',
      // It stays where somebody else made it, or has put something into it.
      `DO $$ BEGIN
  DROP SCHEMA "${schema}";
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
END $$`,
    ],
    recordsQuery,
  };
}

/** The migrations of a schema of its own in a host's PostgreSQL database. */
export function postgresPlan(schema: string): MigrationPlan {
  return { ...postgresPlanBasis(schema), migrations: postgresMigrations, repeatables: postgresRepeatables };
}

async function isEmpty(session: SqlSession, sql: string): Promise<boolean> {
  return (await session.query(sql)).rows.length === 0;
}
