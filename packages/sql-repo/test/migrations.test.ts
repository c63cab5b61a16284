import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository, printMigrations, revertMigrations } from '../src/index.ts';
import { migrate, revert } from '../src/migrations/migrate.ts';
import { type MigrationPlan, migrationChecksum } from '../src/migrations/migration.ts';
import { stepsUp } from '../src/migrations/migration-steps.ts';
import { sqliteMigrations } from '../src/migrations/sqlite-migrations.ts';
import { sqlitePlan } from '../src/migrations/sqlite-plan.ts';
import { sqliteRepeatables } from '../src/migrations/sqlite-repeatables.ts';
import { openSqliteDatabase } from '../src/sqlite/sqlite-database.ts';
import { type LoadedSqliteDriver, loadSqliteDriver, type SqliteConnection } from '../src/sqlite/sqlite-driver.ts';
import { startProgram } from './child-process.ts';
import { applyMigrations } from './interrupted-migration.ts';
import { presentDrivers, type TemporaryDirectory, temporaryDirectory } from './sqlite-files.ts';

let directory: TemporaryDirectory;
let file: string;
let driver: LoadedSqliteDriver;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, 'caelus.db');
  driver = await loadSqliteDriver();
});
afterEach(() => directory[Symbol.asyncDispose]());

/** Works on the file behind the repository's back. */
function behind<T>(work: (connection: SqliteConnection) => T): T {
  const connection = driver.open(file);
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

const schemaOf = () =>
  behind(
    (connection) =>
      connection.query(`SELECT type, name, sql FROM sqlite_master WHERE name <> 'sqlite_sequence' ORDER BY type, name`)
        .rows,
  );
const repeatableRows = () =>
  behind(
    (connection) => connection.query('SELECT name, revision, checksum FROM repeatable_migration ORDER BY name').rows,
  );
const migrationRows = () => behind((connection) => connection.query('SELECT * FROM migration ORDER BY version').rows);

async function open(
  options: { readonly migrate?: boolean; readonly driver?: LoadedSqliteDriver['name'] } = {},
): Promise<string> {
  await using repository = await createSqlRepository({ file, clock: { now: () => new Date(0) }, ...options });
  return repository.storeId;
}

/** The schema of a database that was made without any trouble. */
async function expectedSchema(): Promise<unknown> {
  const own = file;
  file = join(directory.path, 'expected.db');
  await open();
  const schema = schemaOf();
  file = own;
  return schema;
}

describe('migrations', () => {
  it('are applied to a fresh file, recorded with their checksums, and not applied again', async () => {
    const storeId = await open();
    const rows = migrationRows();
    expect(rows).toEqual(
      sqliteMigrations.map((migration) => ({
        version: migration.version,
        name: migration.name,
        checksum: migrationChecksum(migration),
        applied_at: '1970-01-01T00:00:00.000Z',
      })),
    );
    expect(repeatableRows()).toEqual(
      sqliteRepeatables
        .map((repeatable) => ({
          name: repeatable.name,
          revision: repeatable.revision,
          checksum: migrationChecksum(repeatable),
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    );
    const schema = schemaOf();
    expect(await open()).toBe(storeId);
    expect(schemaOf()).toEqual(schema);
    expect(migrationRows()).toEqual(rows);
  });

  // These bytes are in databases out there: a change of an applied migration locks them out. Add a migration instead.
  it('are the ones that were released', () => {
    expect(sqliteMigrations.map(({ version, name }) => [version, name])).toEqual([[1, 'initial']]);
  });

  it('are numbered from 1 without gaps', () => {
    expect(sqliteMigrations.map(({ version }) => version)).toEqual(sqliteMigrations.map((_, index) => index + 1));
  });

  it('are applied once by many that start at once, in one process and in several', async () => {
    const children = [1, 2].map(() => startProgram('./migrating-program.ts', file));
    const own = await Promise.all(Array.from({ length: 6 }, () => open()));
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0]);
    const others = children.flatMap(({ lines }) => lines);
    expect(others).toHaveLength(2);
    expect(new Set([...own, ...others]).size).toBe(1);
    expect(migrationRows()).toHaveLength(sqliteMigrations.length);
    expect(schemaOf()).toEqual(await expectedSchema());
  });

  it('that were edited after they were applied are refused', async () => {
    await open();
    behind((connection) => connection.execute(`UPDATE migration SET checksum = 'edited' WHERE version = 1`));
    await expect(open()).rejects.toMatchObject({
      code: 'SQL_MIGRATION_CHANGED',
      details: { version: 1, name: 'initial' },
    });
    await expect(open({ migrate: false })).rejects.toMatchObject({ code: 'SQL_MIGRATION_CHANGED' });
  });

  it('of a newer version of the package are refused', async () => {
    await open();
    behind((connection) => connection.execute(`INSERT INTO migration VALUES (99, 'later', 'x', 'y')`));
    await expect(open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 99 } });
    await expect(open({ migrate: false })).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN' });
  });

  it('that fail anywhere in the middle leave nothing, and can be applied afterwards', async () => {
    const statements = stepsUp(sqlitePlan, sqlitePlan, `''`).flatMap((step) => step.statements).length;
    // Before the first of them it asks what was applied.
    for (const last of Array.from({ length: statements + 1 }, (_, index) => index + 1)) {
      const failing = applyMigrations(file, driver.name, last, () => {
        throw new Error('interrupted by the test');
      });
      await expect(failing).rejects.toThrow('interrupted by the test');
      expect(schemaOf(), `after statement ${last}`).toEqual([]);
    }
    await open();
    expect(schemaOf()).toEqual(await expectedSchema());
  });

  it('that a killed process has begun leave nothing, and can be applied afterwards', async () => {
    const ended = [2, 20, 40].map((last) => startProgram('./migrating-program.ts', file, String(last)).ended);
    expect(await Promise.all(ended)).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);
    expect(schemaOf()).toEqual([]);
    await open();
    expect(schemaOf()).toEqual(await expectedSchema());
  });

  it('are left to others where migrate is false', async () => {
    await expect(open({ migrate: false })).rejects.toMatchObject({
      code: 'SQL_MIGRATION_PENDING',
      details: { versions: [1], repeatables: sqliteRepeatables.map(({ name }) => name) },
    });
    expect(schemaOf()).toEqual([]);
    await open();
    await open({ migrate: false });
  });
});

describe('the functions and triggers', () => {
  const editing = (sql: string) => behind((connection) => connection.execute(sql));

  it('are the ones that were released', () => {
    expect(sqliteRepeatables.map(({ name, revision }) => [name, revision])).toEqual([
      ['template_version_guard', 1],
      ['deployment_guard', 1],
      ['lineage', 1],
      ['event_guard', 1],
    ]);
  });

  it('are put back where their record is of other statements', async () => {
    await open();
    editing(`DROP TRIGGER event_kept; CREATE TRIGGER event_kept AFTER DELETE ON event BEGIN SELECT 1; END;
      UPDATE repeatable_migration SET checksum = 'earlier' WHERE name = 'event_guard'`);
    await expect(open({ migrate: false })).rejects.toMatchObject({
      code: 'SQL_MIGRATION_PENDING',
      details: { versions: [], repeatables: ['event_guard'] },
    });
    await open();
    expect(schemaOf()).toEqual(await expectedSchema());
  });

  it('of a newer package are not replaced by those of an older one', async () => {
    await open();
    editing(`UPDATE repeatable_migration SET revision = 99 WHERE name = 'lineage'`);
    await expect(open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 99 } });
    editing(`UPDATE repeatable_migration SET revision = 1, name = 'later' WHERE name = 'lineage'`);
    await expect(open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN' });
  });
});

describe('migrations that are undone', () => {
  it('say what would be lost, and wait for the store to be named', async () => {
    const storeId = await open();
    const before = schemaOf();
    for (const given of [undefined, '', '00000000-0000-4000-8000-000000000000']) {
      await expect(revertMigrations({ file }, { to: 0, storeId: given })).rejects.toMatchObject({
        code: 'SQL_REVERT_UNCONFIRMED',
        details: { storeId, versions: [1], loses: expect.arrayContaining(['deployment', 'event']) },
      });
    }
    for (const to of [-1, 0.5, Number.NaN]) {
      await expect(revertMigrations({ file }, { to, storeId })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
    expect(schemaOf()).toEqual(before);
    expect(await revertMigrations({ file }, { to: 1, storeId })).toEqual({ versions: [], lost: [] });
    expect(await open()).toBe(storeId);
  });

  it('of every driver leave an empty file, and can be applied again', async () => {
    const drivers = await presentDrivers();
    expect(drivers).not.toHaveLength(0);
    for (const { name } of drivers) {
      file = join(directory.path, `${name.replace(':', '-')}.db`);
      const first = await open({ driver: name });
      const up = schemaOf();
      const { versions, lost } = await revertMigrations({ file, driver: name }, { to: 0, storeId: first });
      expect({ versions, lost }).toEqual({ versions: [1], lost: expect.arrayContaining(['meta', 'deployment']) });
      expect(schemaOf()).toEqual([]);
      expect(await open({ driver: name })).not.toBe(first);
      expect(schemaOf()).toEqual(up);
    }
  });

  /** A release of the future: another column, a trigger that reads it, and one that is in the way of the migration. */
  const later: MigrationPlan = {
    ...sqlitePlan,
    migrations: [
      ...sqlitePlan.migrations,
      {
        version: 2,
        name: 'later',
        up: [
          'ALTER TABLE event ADD COLUMN note TEXT',
          'DROP TRIGGER event_unchanged',
          `UPDATE event SET note = 'filled'`,
        ],
        down: ['ALTER TABLE event DROP COLUMN note'],
        loses: ['event.note'],
      },
    ],
    repeatables: [
      ...sqlitePlan.repeatables,
      {
        name: 'later',
        revision: 1,
        up: [
          'DROP TRIGGER IF EXISTS note_kept',
          `CREATE TRIGGER note_kept BEFORE UPDATE OF note ON event BEGIN SELECT RAISE(ABORT, 'kept'); END`,
        ],
        down: ['DROP TRIGGER note_kept'],
      },
    ],
  };

  async function withDatabase<T>(work: (database: Awaited<ReturnType<typeof openSqliteDatabase>>) => Promise<T>) {
    await using database = await openSqliteDatabase({ file, name: 'test', driver, busyTimeoutMilliseconds: 1000 });
    return await work(database);
  }

  it('go back to the version before, which the package that knows it then takes up', async () => {
    await open();
    behind((connection) =>
      connection.execute(
        `INSERT INTO event (at, type, data) VALUES ('2026-01-01T00:00:00.000Z', 'product-created', '{}')`,
      ),
    );
    const first = schemaOf();
    await withDatabase((database) => migrate(database, later, () => '1970-01-01T00:00:00.000Z' as never));
    expect(behind((connection) => connection.query('SELECT note FROM event').rows)).toEqual([{ note: 'filled' }]);
    expect(() => behind((connection) => connection.execute(`UPDATE event SET data = '{}'`))).toThrow('append-only');
    await expect(open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 2 } });

    const second = schemaOf();
    const seen: unknown[] = [];
    await withDatabase((database) => revert(database, later, 1, async (_, preview) => void seen.push(preview)));
    expect(seen).toEqual([{ versions: [2], loses: ['event.note'] }]);
    await expect(open({ migrate: false })).rejects.toMatchObject({ code: 'SQL_MIGRATION_PENDING' });
    await open();
    expect(schemaOf()).toEqual(first);
    await withDatabase((database) => migrate(database, later, () => '1970-01-01T00:00:00.000Z' as never));
    expect(schemaOf()).toEqual(second);
  });
});

describe('printMigrations', () => {
  it('prints a script that makes the same schema and leaves nothing to apply', async () => {
    const script = printMigrations('sqlite');
    expect(script).toBe(printMigrations('sqlite'));
    behind((connection) => connection.execute(script));
    expect(schemaOf()).toEqual(await expectedSchema());
    await open({ migrate: false });
    expect(migrationRows()).toMatchObject([
      { version: 1, applied_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
    ]);
  });

  it('leaves out what the database has', () => {
    const script = printMigrations('sqlite', { after: sqliteMigrations.length });
    expect(script).not.toContain('CREATE TABLE product');
    expect(script).not.toContain('INSERT INTO migration');
  });

  it('prints the way down, from one version to another', async () => {
    await open();
    behind((connection) => connection.execute(printMigrations('sqlite', { direction: 'down', after: 1 })));
    expect(migrationRows()).toHaveLength(1);
    await open();
    behind((connection) => connection.execute(printMigrations('sqlite', { direction: 'down' })));
    expect(schemaOf()).toEqual([]);
    await open();
    expect(schemaOf()).toEqual(await expectedSchema());
  });

  it('refuses what it cannot print', () => {
    const newest = sqliteMigrations.length;
    for (const range of [{ after: -1 }, { after: 0.5 }, { until: newest + 1 }, { after: 1, until: 0 }]) {
      expect(() => printMigrations('sqlite', range)).toThrow('cannot be printed');
    }
    printMigrations('sqlite', { after: newest, until: newest });
    const revision = { format: 'alembic', revision: 'a', downRevision: null } as const;
    expect(() => printMigrations('sqlite', revision)).toThrow('SQLite');
    for (const id of ['', 'a-b', 'a"b', 'a'.repeat(33), 'é', 'a\n']) {
      expect(() => printMigrations('postgres', { ...revision, revision: id })).toThrow('/revision');
      expect(() => printMigrations('postgres', { ...revision, downRevision: id })).toThrow('/downRevision');
    }
    printMigrations('postgres', { ...revision, revision: 'a'.repeat(32) });
  });
});
