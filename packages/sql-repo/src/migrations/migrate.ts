import { CaelusError, type CallOptions, type Timestamp } from '@caelus/core';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';
import { type Migration, type MigrationPlan, migrationChecksum } from './migration.ts';

/**
 * Applies the migrations that the database does not have, all in one transaction. Of several that start at once, one
 * applies them and the others find them applied.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`
 */
export async function migrate(
  database: SqlDatabase,
  plan: MigrationPlan,
  now: () => Timestamp,
  options?: CallOptions,
): Promise<void> {
  // Asks first without a lock, so that a start beside a busy writer has nothing to wait for.
  if ((await pendingMigrations(database, plan)).length === 0) return;
  await database.transaction(async (session) => {
    await plan.prepare(session);
    await session.query(plan.table);
    for (const migration of await pendingMigrations(session, plan)) {
      for (const statement of migration.statements) await session.query(statement);
      await session.query('INSERT INTO migration (version, name, checksum, applied_at) VALUES (?, ?, ?, ?)', [
        migration.version,
        migration.name,
        migrationChecksum(migration),
        now(),
      ]);
    }
  }, options);
}

/**
 * The migrations that the database does not have.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`
 */
export async function pendingMigrations(session: SqlSession, plan: MigrationPlan): Promise<readonly Migration[]> {
  const { migrations } = plan;
  const known = new Map(migrations.map((migration) => [migration.version, migration]));
  const applied = await appliedMigrations(session, plan);
  for (const [version, checksum] of applied) {
    const migration = known.get(version);
    if (migration === undefined) throw unknownMigration(version, migrations.length);
    if (migrationChecksum(migration) !== checksum) throw changedMigration(migration);
  }
  return migrations.filter(({ version }) => !applied.has(version));
}

async function appliedMigrations(
  session: SqlSession,
  { tableQuery }: MigrationPlan,
): Promise<ReadonlyMap<number, string>> {
  if ((await session.query(tableQuery)).rows.length === 0) return new Map();
  const { rows } = await session.query('SELECT version, checksum FROM migration ORDER BY version');
  return new Map(rows.map(({ version, checksum }) => [Number(version), String(checksum)]));
}

function unknownMigration(version: number, newest: number): CaelusError {
  return new CaelusError({
    code: 'SQL_MIGRATION_UNKNOWN',
    message: `The database has migration ${version}, and this version of @caelus/sql-repo knows migrations up to ${newest}. Use a newer version of the package.`,
    details: { version },
  });
}

function changedMigration({ version, name }: Migration): CaelusError {
  return new CaelusError({
    code: 'SQL_MIGRATION_CHANGED',
    message: `Migration ${version} (${name}) was applied to the database with other statements. Use the version of @caelus/sql-repo that applied it, or a later release of it.`,
    details: { version, name },
  });
}
