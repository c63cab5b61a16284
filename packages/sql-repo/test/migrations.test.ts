import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository, printMigrations } from '../src/index.ts';
import { migrationChecksum } from '../src/migrations/migration.ts';
import { sqliteMigrations } from '../src/migrations/sqlite-migrations.ts';
import { type LoadedSqliteDriver, loadSqliteDriver, type SqliteConnection } from '../src/sqlite/sqlite-driver.ts';
import { startProgram } from './child-process.ts';
import { applyMigrations } from './interrupted-migration.ts';
import { type TemporaryDirectory, temporaryDirectory } from './sqlite-files.ts';

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
  behind((connection) => connection.query('SELECT type, name, sql FROM sqlite_master ORDER BY type, name').rows);
const migrationRows = () => behind((connection) => connection.query('SELECT * FROM migration ORDER BY version').rows);

async function open(options: { readonly migrate?: boolean } = {}): Promise<string> {
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
    const statements = sqliteMigrations.flatMap((migration) => migration.statements).length;
    for (const last of Array.from({ length: statements + 2 }, (_, index) => index + 1)) {
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
      details: { versions: [1] },
    });
    expect(schemaOf()).toEqual([]);
    await open();
    await open({ migrate: false });
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
    expect(script).not.toContain('INSERT');
  });
});
