import { randomUUID } from 'node:crypto';
import {
  CaelusError,
  type CallOptions,
  type Clock,
  type IdSource,
  type InputIssue,
  parseStoreId,
  type StoreId,
  toTimestamp,
} from '@caelus/core';
import type { AttachOptions } from './attached/attach-options.ts';
import { attachedRows } from './attached/attached-rows.ts';
import { createHostBinding } from './attached/host-binding.ts';
import { parseHostMapping } from './attached/host-mapping.ts';
import { migrate, migrationRecords } from './migrations/migrate.ts';
import type { MigrationPlan } from './migrations/migration.ts';
import { isNothing, pendingMigrations } from './migrations/pending-migrations.ts';
import type { OpenedDatabase } from './opened-database.ts';
import { openPostgres } from './postgres/open-postgres.ts';
import { DEFAULT_SCHEMA, isSchema, SCHEMA_RULE } from './postgres/schema-name.ts';
import { corrupt } from './sql-errors.ts';
import type { SqlExecutor } from './sql-executor.ts';
import { type AttachedRepository, repositoryOver, type SqlRepository } from './sql-repository.ts';
import type { SqlDatabase } from './sql-session.ts';
import { openSqlite } from './sqlite/open-sqlite.ts';
import { type SqliteDriver, sqliteDrivers } from './sqlite/sqlite-driver.ts';

/** Options of both databases. */
export interface CommonSqlOptions extends CallOptions {
  /** Whether to apply the migrations that the database does not have. Default `true`; see {@link printMigrations}. */
  readonly migrate?: boolean | undefined;
  /**
   * The id of a new database, which marks everything in Git as its own. Give it to rebuild a lost database: what `readStoreId`
   * reads from the GitOps repository. A database that has another id is refused. Default: a new one.
   */
  readonly storeId?: string | undefined;
  /** Makes the store id and lease tokens. Default: random UUIDs. */
  readonly ids?: IdSource | undefined;
  /** Says when migrations were applied. Default: the system's clock. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

/** An embedded SQLite database. */
export interface SqliteOptions extends CommonSqlOptions {
  /** The SQLite database: a path, a `file:` URL, or `:memory:`. The file is made where there is none; its directory is not. */
  readonly file: string | URL;
  /** Default: the first that can be loaded of `node:sqlite`, `better-sqlite3`, `libsql`. */
  readonly driver?: SqliteDriver | undefined;
  /** How long to wait for other processes that write, in milliseconds: 0 to 600000. Default 5000. */
  readonly busyTimeoutMilliseconds?: number | undefined;
}

/** A host's PostgreSQL database, 14 or newer. */
export interface PostgresOptions extends CommonSqlOptions {
  /** Runs statements on the host's database, such as {@link fromPgPool}. It stays the host's, and is not closed. */
  readonly executor: SqlExecutor;
  /** The schema that holds the tables, made where there is none: 1 to 50 of `a-z`, `0-9` and `_`. Default `caelus`. */
  readonly schema?: string | undefined;
  /**
   * Attaches Caelus to tables that the host has already. What Caelus needs beside them stays in `schema`. Default: Caelus makes tables
   * of its own for everything.
   */
  readonly attach?: AttachOptions | undefined;
}

/** A host's own tables in its PostgreSQL database. */
export interface AttachedOptions extends PostgresOptions {
  readonly attach: AttachOptions;
}

export type SqlRepositoryOptions = SqliteOptions | PostgresOptions;

const systemClock = { now: () => new Date() };
const randomIds: IdSource = { uuid: () => randomUUID() };

/**
 * Opens the rows of Caelus: in an SQLite database, which needs no service, or in a host's PostgreSQL. Several processes of one
 * machine may open the same SQLite file; a file on a network file system is not safe. PostgreSQL is for processes on many
 * machines, and for hosts that write their own rows in the same transaction ({@link SqlRepository}).
 *
 * @throws {CaelusError} `INVALID_INPUT`; `ID_INVALID`; `STORE_FOREIGN` where `storeId` is not the database's; `SQL_DRIVER_MISSING`; `UNAVAILABLE` where the database cannot be opened;
 *   `STORE_CORRUPT` where the file is not a database; `SQL_DATABASE_FOREIGN` where it, or the schema, is not one of Caelus;
 *   `SQL_DATABASE_UNSUPPORTED`, `SQL_STATEMENT_FAILED`, `SQL_MIGRATION_CHANGED`, `SQL_MIGRATION_UNKNOWN`,
 *   `SQL_MIGRATION_PENDING`, `SQL_MIGRATION_BLOCKED`; `SQL_HOST_MISMATCH` where a host's tables are not as `attach` says
 *
 * @example
 * ```ts
 * await using repository = await createSqlRepository({ file: 'caelus.db' });
 * await using shared = await createSqlRepository({ executor: fromPgPool(pool) });
 * ```
 */
export function createSqlRepository(options: AttachedOptions): Promise<AttachedRepository>;
export function createSqlRepository(options: SqlRepositoryOptions): Promise<SqlRepository>;
export async function createSqlRepository(options: SqlRepositoryOptions): Promise<SqlRepository> {
  assertOptions(options);
  const { signal, ids = randomIds, clock = systemClock } = options;
  signal?.throwIfAborted();
  const opened = await openDatabase(options);
  const { name, database, plan, capabilities, join, listen, mapping } = opened;
  const now = () => toTimestamp(clock.now());
  const schema = ('executor' in options ? options.schema : undefined) ?? DEFAULT_SCHEMA;
  try {
    if (options.migrate === false) await assertMigrated(database, plan);
    else await migrate(database, plan, now, { signal });
    await opened.settle();
    const wanted = options.storeId === undefined ? undefined : parseStoreId(options.storeId);
    const storeId = await findOrMakeStoreId(database, wanted ?? ids, { signal });
    if (wanted !== undefined && storeId !== wanted) throw storeForeign(name, wanted, storeId);
    const attached = mapping && attachedRows(createHostBinding({ schema, mapping, ids, now }));
    return repositoryOver({ name, capabilities, storeId, ids, database, join, listen, attached });
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw error;
  }
}

/** Opens the database, without looking at what is in it. */
export function openDatabase(options: SqlRepositoryOptions): Promise<OpenedDatabase> {
  return 'executor' in options ? openPostgres(options) : openSqlite(options);
}

async function assertMigrated(database: SqlDatabase, plan: MigrationPlan): Promise<void> {
  const pending = pendingMigrations(plan, await migrationRecords(database, plan));
  if (isNothing(pending)) return;
  const versions = pending.migrations.map(({ version }) => version);
  const repeatables = pending.repeatables.map(({ name }) => name);
  throw new CaelusError({
    code: 'SQL_MIGRATION_PENDING',
    message: `The database lacks migrations: ${[...versions, ...repeatables].join(', ')}. Apply what printMigrations gives, or leave migrate at its default.`,
    details: { versions, repeatables },
  });
}

/** The id under which everything in Git is this database's own. Made once, by whoever comes first. */
async function findOrMakeStoreId(
  database: SqlDatabase,
  wanted: StoreId | IdSource,
  options: CallOptions,
): Promise<StoreId> {
  const sql = `SELECT value FROM meta WHERE key = 'store_id'`;
  const found = (await database.query(sql, [], options)).rows[0];
  const [row] = found
    ? [found]
    : await database.transaction(async (session) => {
        const insert = `INSERT INTO meta (key, value) VALUES ('store_id', ?) ON CONFLICT (key) DO NOTHING`;
        await session.query(insert, [typeof wanted === 'string' ? wanted : parseStoreId(wanted.uuid())]);
        return (await session.query(sql)).rows;
      }, options);
  try {
    return parseStoreId(row?.value);
  } catch (cause) {
    throw corrupt('meta store_id', cause);
  }
}

function storeForeign(name: string, expected: StoreId, actual: StoreId): CaelusError {
  return new CaelusError({
    code: 'STORE_FOREIGN',
    message: `The database ${name} has another store id than the one that is asked for. Open an empty database, or leave storeId out.`,
    details: { expected, actual },
  });
}

/** @throws {CaelusError} `INVALID_INPUT` */
export function assertOptions(options: SqlRepositoryOptions): void {
  const issues = 'executor' in options ? postgresIssues(options) : sqliteIssues(options);
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join(' ');
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The options of the repository cannot be accepted. ${list}`,
    details: { issues },
  });
}

function postgresIssues({
  executor,
  schema = DEFAULT_SCHEMA,
  attach,
  ...others
}: PostgresOptions): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  if (executor?.dialect !== 'postgres') {
    issues.push({ path: '/executor', message: 'Use an executor of PostgreSQL, such as fromPgPool(pool).' });
  }
  if (!isSchema(schema)) issues.push({ path: '/schema', message: SCHEMA_RULE });
  if ('file' in others) issues.push({ path: '/file', message: 'Use either a file or an executor.' });
  if (attach !== undefined) {
    const parsed = parseHostMapping(attach);
    if ('length' in parsed) issues.push(...parsed);
  }
  return issues;
}

function sqliteIssues({ file, driver, busyTimeoutMilliseconds = 0, ...others }: SqliteOptions): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const isFileUrl = file instanceof URL && file.protocol === 'file:';
  if (!isFileUrl && (typeof file !== 'string' || file === '' || file.includes('\0'))) {
    issues.push({ path: '/file', message: 'Use a path, a file: URL, or :memory:.' });
  }
  if ('attach' in others && others.attach !== undefined) {
    issues.push({ path: '/attach', message: 'Only tables in PostgreSQL can be attached to.' });
  }
  if (driver !== undefined && !sqliteDrivers.includes(driver)) {
    issues.push({ path: '/driver', message: `Use one of ${sqliteDrivers.join(', ')}.` });
  }
  if (!(busyTimeoutMilliseconds >= 0 && busyTimeoutMilliseconds <= 600_000)) {
    issues.push({ path: '/busyTimeoutMilliseconds', message: 'Use 0 to 600000 milliseconds.' });
  }
  return issues;
}
