import { CaelusError, type InputIssue } from '@caelus/core';
import { assertOptions, openDatabase, type SqlRepositoryOptions } from './create-sql-repository.ts';
import { type RevertPreview, revert } from './migrations/migrate.ts';
import type { SqlSession } from './sql-session.ts';

/** What is to be undone, and the permission to do it. */
export interface RevertMigrationsOptions {
  /** The newest version that stays. 0 drops everything. */
  readonly to: number;
  /**
   * The id of the store whose rows are lost: `storeId` of its repository. Left out, or another one, nothing is undone and the error
   * says what would be lost.
   */
  readonly storeId?: string | undefined;
}

/** What was undone. */
export interface RevertedMigrations {
  /** The newest first. */
  readonly versions: readonly number[];
  /** The tables and columns that are gone, with all that was in them. */
  readonly lost: readonly string[];
}

/**
 * Undoes the newest migrations, in one transaction: tables are dropped with their rows. Git keeps what it has. Everything that uses
 * the database has to be stopped before, and go on with a version of the package that knows no more than what is left.
 *
 * @throws {CaelusError} `INVALID_INPUT`; `SQL_REVERT_UNCONFIRMED` where the store id is not that of the database;
 *   `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`, `SQL_MIGRATION_BLOCKED`; and what opening gives, as `createSqlRepository` does
 *
 * @example
 * ```ts
 * await revertMigrations({ file: 'caelus.db' }, { to: 0, storeId: '0193…' });
 * ```
 */
export async function revertMigrations(
  database: SqlRepositoryOptions,
  options: RevertMigrationsOptions,
): Promise<RevertedMigrations> {
  assertOptions(database);
  assertRevert(options);
  const { signal } = database;
  signal?.throwIfAborted();
  const opened = await openDatabase(database);
  try {
    const confirm = (session: SqlSession, preview: RevertPreview) => assertConfirmed(session, preview, options);
    const { versions, loses } = await revert(opened.database, opened.plan, options.to, confirm, { signal });
    return { versions, lost: loses };
  } finally {
    await opened.database[Symbol.asyncDispose]();
  }
}

function assertRevert({ to }: RevertMigrationsOptions): void {
  if (Number.isInteger(to) && to >= 0) return;
  const issue: InputIssue = { path: '/to', message: 'Use the newest version that stays, or 0.' };
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The migrations cannot be undone. ${issue.path}: ${issue.message}`,
    details: { issues: [issue] },
  });
}

/** A database that no repository has opened has no id, and nothing to lose. */
async function assertConfirmed(
  session: SqlSession,
  { versions, loses }: RevertPreview,
  options: RevertMigrationsOptions,
): Promise<void> {
  const [row] = (await session.query(`SELECT value FROM meta WHERE key = 'store_id'`)).rows;
  if (row === undefined || row.value === options.storeId) return;
  const storeId = String(row.value);
  throw new CaelusError({
    code: 'SQL_REVERT_UNCONFIRMED',
    message: `This would undo the migrations ${versions.join(', ')} of the store ${storeId}, and lose with their contents: ${loses.join(', ') || 'nothing'}. Pass this storeId if that is what you want.`,
    details: { storeId, versions, loses },
  });
}
