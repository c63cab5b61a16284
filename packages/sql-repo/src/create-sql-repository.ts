import { randomUUID } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CaelusError,
  type CallOptions,
  type Clock,
  type IdSource,
  type InputIssue,
  parseStoreId,
  type Repository,
  type StoreId,
  toTimestamp,
} from '@caelus/core';
import { migrate, pendingMigrations } from './migrations/migrate.ts';
import { sqliteMigrations } from './migrations/sqlite-migrations.ts';
import { corrupt } from './sql-errors.ts';
import type { SqlExecutor } from './sql-executor.ts';
import { repositoryOver } from './sql-repository.ts';
import { openSqliteDatabase } from './sqlite/sqlite-database.ts';
import { loadSqliteDriver, type SqliteDriver, sqliteDrivers } from './sqlite/sqlite-driver.ts';

export interface SqlRepositoryOptions extends CallOptions {
  /** The SQLite database: a path, a `file:` URL, or `:memory:`. The file is made where there is none; its directory is not. */
  readonly file: string | URL;
  /** Default: the first that can be loaded of `node:sqlite`, `better-sqlite3`, `libsql`. */
  readonly driver?: SqliteDriver | undefined;
  /** Whether to apply the migrations that the database does not have. Default `true`; see {@link printMigrations}. */
  readonly migrate?: boolean | undefined;
  /** How long to wait for other processes that write, in milliseconds: 0 to 600000. Default 5000. */
  readonly busyTimeoutMilliseconds?: number | undefined;
  /** Makes the store id and lease tokens. Default: random UUIDs. */
  readonly ids?: IdSource | undefined;
  /** Says when migrations were applied. Default: the system's clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

const systemClock = { now: () => new Date() };
const randomIds: IdSource = { uuid: () => randomUUID() };

/**
 * Opens the rows of Caelus in an SQLite database, which needs no service. Several processes of one machine may open the
 * same file; a file on a network file system is not safe.
 *
 * @throws {CaelusError} `INVALID_INPUT`; `SQL_DRIVER_MISSING`; `UNAVAILABLE` where the file cannot be opened;
 *   `STORE_CORRUPT` where it is not a database; `SQL_DATABASE_FOREIGN` where it is not one of Caelus;
 *   `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`, `SQL_MIGRATION_PENDING`
 *
 * @example
 * ```ts
 * await using repository = await createSqlRepository({ file: 'caelus.db' });
 * ```
 */
export async function createSqlRepository(options: SqlRepositoryOptions): Promise<Repository> {
  assertOptions(options);
  const { signal, busyTimeoutMilliseconds = 5000, ids = randomIds, clock = systemClock } = options;
  signal?.throwIfAborted();
  const file = pathOf(options.file);
  const name = `sqlite:${file === ':memory:' ? file : basename(file)}`;
  const driver = await loadSqliteDriver(options.driver);
  const executor = await openSqliteDatabase({ file, name, driver, busyTimeoutMilliseconds });
  try {
    if (options.migrate === false) await assertMigrated(executor);
    else await migrate(executor, sqliteMigrations, () => toTimestamp(clock.now()), { signal });
    const storeId = await findOrMakeStoreId(executor, ids, { signal });
    const durable = file !== ':memory:';
    return repositoryOver({ name, capabilities: { multiProcess: durable, durable }, storeId, ids, executor });
  } catch (error) {
    await executor[Symbol.asyncDispose]();
    throw error;
  }
}

async function assertMigrated(executor: SqlExecutor): Promise<void> {
  const pending = await pendingMigrations(executor, sqliteMigrations);
  if (pending.length === 0) return;
  const versions = pending.map(({ version }) => version);
  throw new CaelusError({
    code: 'SQL_MIGRATION_PENDING',
    message: `The database lacks migrations: ${versions.join(', ')}. Apply what printMigrations gives, or leave migrate at its default.`,
    details: { versions },
  });
}

/** The id under which everything in Git is this database's own. Made once, by whoever comes first. */
async function findOrMakeStoreId(executor: SqlExecutor, ids: IdSource, options: CallOptions): Promise<StoreId> {
  const sql = `SELECT value FROM meta WHERE key = 'store_id'`;
  const found = (await executor.query(sql, [], options)).rows[0];
  const [row] = found
    ? [found]
    : await executor.transaction(async (session) => {
        const insert = `INSERT INTO meta (key, value) VALUES ('store_id', ?) ON CONFLICT (key) DO NOTHING`;
        await session.query(insert, [parseStoreId(ids.uuid())]);
        return (await session.query(sql)).rows;
      }, options);
  try {
    return parseStoreId(row?.value);
  } catch (cause) {
    throw corrupt('meta store_id', cause);
  }
}

function pathOf(file: string | URL): string {
  if (file === ':memory:') return file;
  // Absolute, so that no driver takes a name such as `file:…` or `libsql://…` for anything but a file.
  return resolve(file instanceof URL ? fileURLToPath(file) : file);
}

function assertOptions(options: SqlRepositoryOptions): void {
  const { file, driver, busyTimeoutMilliseconds = 0 } = options;
  const issues: InputIssue[] = [];
  const isFileUrl = file instanceof URL && file.protocol === 'file:';
  if (!isFileUrl && (typeof file !== 'string' || file === '' || file.includes('\0'))) {
    issues.push({ path: '/file', message: 'Use a path, a file: URL, or :memory:.' });
  }
  if (driver !== undefined && !sqliteDrivers.includes(driver)) {
    issues.push({ path: '/driver', message: `Use one of ${sqliteDrivers.join(', ')}.` });
  }
  if (!(busyTimeoutMilliseconds >= 0 && busyTimeoutMilliseconds <= 600_000)) {
    issues.push({ path: '/busyTimeoutMilliseconds', message: 'Use 0 to 600000 milliseconds.' });
  }
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join(' ');
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The options of the repository cannot be accepted. ${list}`,
    details: { issues },
  });
}
