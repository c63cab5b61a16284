import { type Migration, type MigrationPlan, migrationChecksum, type RepeatableMigration } from './migration.ts';
import type { PendingMigrations } from './pending-migrations.ts';

/** Statements that belong together, and what a reader is told of them. */
export interface MigrationStep {
  readonly title: string;
  readonly statements: readonly string[];
}

/**
 * All that is run to apply what is pending, in this order, the records of it included: by our runner, by psql and by Alembic.
 * @param now An expression of SQL that gives the instant to be recorded.
 */
export function stepsUp(plan: MigrationPlan, pending: PendingMigrations, now: string): readonly MigrationStep[] {
  return [
    { title: 'the records of what was applied', statements: plan.create },
    ...pending.migrations.map((migration) => ({
      title: titleOf(migration),
      statements: [...migration.up, recordOf(migration, now)],
    })),
    ...pending.repeatables.map((repeatable) => ({
      title: titleOf(repeatable),
      statements: [...repeatable.up, recordOfRepeatable(repeatable, now)],
    })),
  ];
}

/**
 * All that is run to undo the migrations that are given, which are the newest of those that were applied. The repeatable ones are
 * undone first, all of them: the package that is made for what is left puts its own there when it starts.
 */
export function stepsDown(plan: MigrationPlan, undone: PendingMigrations): readonly MigrationStep[] {
  const isAll = undone.migrations.length > 0 && undone.migrations[0] === plan.migrations[0];
  return [
    ...undone.repeatables.toReversed().map((repeatable) => ({
      title: `undo ${titleOf(repeatable)}`,
      statements: [...repeatable.down, `DELETE FROM repeatable_migration WHERE name = '${repeatable.name}'`],
    })),
    ...undone.migrations.toReversed().map((migration) => ({
      title: `undo ${titleOf(migration)}`,
      statements: [...migration.down, `DELETE FROM migration WHERE version = ${migration.version}`],
    })),
    ...(isAll ? [{ title: 'nothing is left', statements: plan.drop }] : []),
  ];
}

const titleOf = (migration: Migration | RepeatableMigration) =>
  'version' in migration
    ? `${migration.version}: ${migration.name}`
    : `${migration.name}, revision ${migration.revision}`;

const recordOf = (migration: Migration, now: string) =>
  `INSERT INTO migration (version, name, checksum, applied_at) VALUES (${migration.version}, '${migration.name}', '${migrationChecksum(migration)}', ${now})`;

const recordOfRepeatable = (repeatable: RepeatableMigration, now: string) =>
  `INSERT INTO repeatable_migration (name, revision, checksum, applied_at) VALUES ('${repeatable.name}', ${repeatable.revision}, '${migrationChecksum(repeatable)}', ${now})
ON CONFLICT (name) DO UPDATE SET revision = excluded.revision, checksum = excluded.checksum, applied_at = excluded.applied_at`;
