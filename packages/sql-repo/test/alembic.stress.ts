import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { printMigrations } from '../src/index.ts';
import { postgresPlan } from '../src/migrations/postgres-plan.ts';
import { printPlan } from '../src/migrations/print-migrations.ts';
import { createPostgresTranslator } from '../src/postgres/postgres-statement.ts';
import { type AlembicProject, alembicProject, findAlembic } from './alembic-project.ts';
import { createDatabase, serverUrl, type TestDatabase } from './postgres-database.ts';
import { postgresProgram } from './postgres-server.ts';
import { dumpSchema } from './schema-dump.ts';

// The printed revision in the middle of a host's own history, run by the real Alembic.

const python = serverUrl === null ? undefined : await findAlembic();
if (python === undefined && process.env.CI !== undefined) throw new Error('Python 3 with venv is not installed.');
if (python === undefined) process.stderr.write('Python 3 or PostgreSQL is not installed here. Alembic is left out.\n');

/** A revision of the host, which runs one statement. */
const revisionOf = (id: string, before: string | null, up: string, down: string) => `
from alembic import op
revision = "${id}"
down_revision = ${before === null ? 'None' : `"${before}"`}

def upgrade():
    op.execute("""${up}""")

def downgrade():
    op.execute("""${down}""")
`;

const WAITS_AS_BEFORE = `DO $$ BEGIN
  ASSERT current_setting('lock_timeout') = '7s', 'lock_timeout is ' || current_setting('lock_timeout');
END $$`;

describe.skipIf(python === undefined)('the Alembic revision', () => {
  let database: TestDatabase;
  let pool: pg.Pool;
  let project: AlembicProject;
  beforeEach(async () => {
    database = await createDatabase();
    pool = database.pool();
    project = await alembicProject(python ?? '');
    const hostTable = `CREATE TABLE host_row (id int); SET LOCAL lock_timeout = '7s'`;
    await project.add('host_1', revisionOf('host_1', null, hostTable, 'DROP TABLE host_row'));
    await project.add('host_2', revisionOf('host_2', 'caelus_1', WAITS_AS_BEFORE, `SET LOCAL lock_timeout = '7s'`));
  });
  afterEach(async () => {
    await project[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const ids = { format: 'alembic', revision: 'caelus_1', downRevision: 'host_1' } as const;
  const dump = () => dumpSchema(database.url, 'caelus');

  it('goes up, leaves our runner nothing to do, goes down, and up again', async () => {
    await project.add('caelus_1', printMigrations('postgres', ids));
    await using other = await createDatabase();
    await other.open();
    const expected = await dumpSchema(other.url, 'caelus');

    await project.run(database.url, 'upgrade', 'head');
    expect(await dump()).toBe(expected);
    const records = 'SELECT r.xmin::text, * FROM caelus.migration, caelus.repeatable_migration AS r ORDER BY r.name';
    const before = (await pool.query(records)).rows;
    await database.open({ migrate: false });
    await database.open();
    expect((await pool.query(records)).rows).toEqual(before);

    await project.run(database.url, 'downgrade', 'host_1');
    const { rows } = await pool.query(`SELECT to_regnamespace('caelus') AS schema, to_regclass('host_row') AS host`);
    expect(rows).toEqual([{ schema: null, host: 'host_row' }]);
    await project.run(database.url, 'downgrade', 'base');
    await project.run(database.url, 'upgrade', 'head');
    expect(await dump()).toBe(expected);
    await database.open({ migrate: false });
  });

  it('prints itself as SQL where Alembic is asked for that', async () => {
    await project.add('caelus_1', printMigrations('postgres', ids));
    const script = await project.run(database.url, 'upgrade', 'head', '--sql');
    await postgresProgram('psql', ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1', database.url], script);
    await database.open({ migrate: false });
    await using other = await createDatabase();
    await other.open();
    expect(await dump()).toBe(await dumpSchema(other.url, 'caelus'));
  });

  it('carries every character of a statement through Python, SQLAlchemy and the driver', async () => {
    const plan = postgresPlan('caelus');
    const text = `100%% %s %(name)s :name \\n \\x41 """ ' é 🦭 {0} $1`;
    const literal = `'${text.replaceAll("'", "''")}"'`;
    const odd = {
      version: plan.migrations.length + 1,
      name: 'odd',
      up: [
        `INSERT INTO meta (key, value) VALUES ('odd', ${literal})`,
        `UPDATE meta SET value = value || "key" WHERE "key" = 'odd'`,
      ],
      down: [],
      loses: [],
    };
    const longer = { ...plan, migrations: [...plan.migrations, odd] };
    await project.add('caelus_1', printPlan('postgres', longer, createPostgresTranslator('caelus'), ids));
    await project.run(database.url, 'upgrade', 'head');
    const value = `SELECT value FROM caelus.meta WHERE key = 'odd'`;
    expect((await pool.query(value)).rows).toEqual([{ value: `${text}"odd` }]);

    await project.run(database.url, 'downgrade', 'base');
    await pool.query('DROP TABLE alembic_version');
    const script = await project.run(database.url, 'upgrade', 'head', '--sql');
    await postgresProgram('psql', ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1', database.url], script);
    expect((await pool.query(value)).rows).toEqual([{ value: `${text}"odd` }]);
  });
});
