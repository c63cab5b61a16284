import { CaelusError } from '@caelus/core';
import {
  type Migration,
  type MigrationPlan,
  type MigrationRecords,
  migrationChecksum,
  type RepeatableMigration,
} from './migration.ts';

/** What is left to be run. */
export interface PendingMigrations {
  readonly migrations: readonly Migration[];
  readonly repeatables: readonly RepeatableMigration[];
}

type Migrations = Pick<MigrationPlan, 'migrations' | 'repeatables'>;

/**
 * What a database lacks of a plan.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`
 */
export function pendingMigrations(plan: Migrations, records: MigrationRecords): PendingMigrations {
  assertKnown(plan, records);
  const migrations = plan.migrations.filter(({ version }) => !records.versions.has(version));
  if (migrations.length > 0) return { migrations, repeatables: plan.repeatables };
  const isDue = (repeatable: RepeatableMigration) =>
    records.repeatables.get(repeatable.name)?.checksum !== migrationChecksum(repeatable);
  return { migrations, repeatables: plan.repeatables.filter(isDue) };
}

export function isNothing({ migrations, repeatables }: PendingMigrations): boolean {
  return migrations.length === 0 && repeatables.length === 0;
}

/**
 * Refuses what this plan did not apply: it can neither be built upon nor undone.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`
 */
export function assertKnown({ migrations, repeatables }: Migrations, records: MigrationRecords): void {
  const steps = new Map(migrations.map((migration) => [migration.version, migration]));
  for (const [version, checksum] of records.versions) {
    const migration = steps.get(version);
    if (migration === undefined) throw unknownMigration(`migration ${version}`, version);
    if (migrationChecksum(migration) !== checksum) throw changedMigration(migration);
  }
  const newest = new Map(repeatables.map(({ name, revision }) => [name, revision]));
  for (const [name, { revision }] of records.repeatables) {
    if (revision > (newest.get(name) ?? 0)) throw unknownMigration(`revision ${revision} of ${name}`, revision);
  }
}

function unknownMigration(what: string, version: number): CaelusError {
  return new CaelusError({
    code: 'SQL_MIGRATION_UNKNOWN',
    message: `The database has ${what}, which this version of @caelus/sql-repo does not know. Use a newer version of the package.`,
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
