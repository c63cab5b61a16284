import { CaelusError, type CallOptions, isCaelusError, type Timestamp } from '@caelus/core';
import { sqlStateOf } from '../postgres/postgres-errors.ts';
import type { SqlDatabase, SqlSession } from '../sql-session.ts';
import type { MigrationPlan, MigrationRecords } from './migration.ts';
import { type MigrationStep, stepsDown, stepsUp } from './migration-steps.ts';
import { assertKnown, isNothing, pendingMigrations } from './pending-migrations.ts';

/**
 * Applies what the database lacks, all in one transaction. Of several that start at once, one applies it and the others
 * find it applied.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`, `SQL_MIGRATION_BLOCKED`
 */
export async function migrate(
  database: SqlDatabase,
  plan: MigrationPlan,
  now: () => Timestamp,
  options?: CallOptions,
): Promise<void> {
  // Asks first without a lock, so that a start beside a busy writer has nothing to wait for.
  if (isNothing(pendingMigrations(plan, await migrationRecords(database, plan)))) return;
  await withinLocks(database, plan, options, async (session) => {
    await plan.assertOurs(session);
    const pending = pendingMigrations(plan, await migrationRecords(session, plan));
    if (!isNothing(pending)) await run(session, stepsUp(plan, pending, `'${now()}'`));
  });
}

/** What a revert is about to undo. */
export interface RevertPreview {
  /** The newest first. */
  readonly versions: readonly number[];
  readonly loses: readonly string[];
}

/**
 * Undoes every migration after version `to`, all in one transaction.
 * @param confirm Sees what is about to be undone, inside the transaction that would undo it, and throws where it must not be.
 * @throws {CaelusError} `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`, `SQL_MIGRATION_BLOCKED`
 */
export async function revert(
  database: SqlDatabase,
  plan: MigrationPlan,
  to: number,
  confirm: (session: SqlSession, preview: RevertPreview) => Promise<void>,
  options?: CallOptions,
): Promise<RevertPreview> {
  return withinLocks(database, plan, options, async (session) => {
    await plan.assertOurs(session);
    const records = await migrationRecords(session, plan);
    assertKnown(plan, records);
    const migrations = plan.migrations.filter(({ version }) => version > to && records.versions.has(version));
    const newestFirst = migrations.toReversed();
    const preview = {
      versions: newestFirst.map(({ version }) => version),
      loses: newestFirst.flatMap(({ loses }) => loses),
    };
    if (migrations.length === 0) return preview;
    await confirm(session, preview);
    const repeatables = plan.repeatables.filter(({ name }) => records.repeatables.has(name));
    await run(session, stepsDown(plan, { migrations, repeatables }));
    return preview;
  });
}

/** What the database says was applied to it. */
export async function migrationRecords(
  session: SqlSession,
  { recordsQuery }: MigrationPlan,
): Promise<MigrationRecords> {
  if ((await session.query(recordsQuery)).rows.length === 0) return { versions: new Map(), repeatables: new Map() };
  const versions = await session.query('SELECT version, checksum FROM migration ORDER BY version');
  const repeatables = await session.query('SELECT name, revision, checksum FROM repeatable_migration');
  return {
    versions: new Map(versions.rows.map(({ version, checksum }) => [Number(version), String(checksum)])),
    repeatables: new Map(
      repeatables.rows.map(({ name, revision, checksum }) => [
        String(name),
        { revision: Number(revision), checksum: String(checksum) },
      ]),
    ),
  };
}

async function run(session: SqlSession, steps: readonly MigrationStep[]): Promise<void> {
  for (const { statements } of steps) for (const statement of statements) await session.query(statement);
}

const LOCK_NOT_AVAILABLE = '55P03';

async function withinLocks<T>(
  database: SqlDatabase,
  plan: MigrationPlan,
  options: CallOptions | undefined,
  body: (session: SqlSession) => Promise<T>,
): Promise<T> {
  try {
    return await database.transaction(async (session) => {
      for (const statement of plan.begin) await session.query(statement);
      return body(session);
    }, options);
  } catch (error) {
    if (!isCaelusError(error, 'UNAVAILABLE') || sqlStateOf(error.cause) !== LOCK_NOT_AVAILABLE) throw error;
    throw new CaelusError({
      code: 'SQL_MIGRATION_BLOCKED',
      message: `The migrations of ${error.details.what} waited too long for a lock that another transaction holds, and changed nothing. Let that transaction end (pg_locks and pg_stat_activity show it), and start again.`,
      details: { what: error.details.what },
      retryable: true,
      cause: error,
    });
  }
}
