import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository, fromPglite, fromPgPool, printMigrations, revertMigrations } from '../src/index.ts';
import { migrate, revert } from '../src/migrations/migrate.ts';
import type { MigrationPlan } from '../src/migrations/migration.ts';
import { stepsUp } from '../src/migrations/migration-steps.ts';
import { postgresPlan } from '../src/migrations/postgres-plan.ts';
import { postgresRepeatables } from '../src/migrations/postgres-repeatables.ts';
import { createPostgresDatabase } from '../src/postgres/postgres-database.ts';
import { startProgram } from './child-process.ts';
import { interruptedExecutor } from './interrupted-migration.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';
import { postgresProgram } from './postgres-server.ts';
import { dumpSchema, readCatalogue } from './schema-dump.ts';

// How a database comes to its schema, loses it and comes to it again.

let database: TestDatabase;
let pool: pg.Pool;

const plan = postgresPlan('caelus');
const statements = stepsUp(plan, plan, `''`).flatMap((step) => step.statements).length;
const dump = () => dumpSchema(database.url);

describe('the migrations in PGlite', () => {
  it('are undone and applied again to the same schema', async () => {
    const db = await PGlite.create();
    const executor = fromPglite(db);
    const catalogue = () => readCatalogue((sql) => db.query(sql), 'caelus');
    try {
      const { storeId } = await createSqlRepository({ executor });
      const up = await catalogue();
      expect(up.length).toBeGreaterThan(100);
      await revertMigrations({ executor }, { to: 0, storeId });
      expect(await catalogue()).toEqual([]);
      await createSqlRepository({ executor });
      expect(await catalogue()).toEqual(up);
    } finally {
      await db.close();
    }
  });
});

describeWithServer('the migrations in PostgreSQL', () => {
  beforeEach(async () => {
    database = await createDatabase();
    pool = database.pool();
  });
  afterEach(() => database[Symbol.asyncDispose]());

  it('are refused where an applied one was edited, or is of a newer version', async () => {
    await database.open();
    await pool.query(`INSERT INTO caelus.migration VALUES (99, 'later', 'x', now())`);
    await expect(database.open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 99 } });
    await pool.query(
      `DELETE FROM caelus.migration WHERE version = 99; UPDATE caelus.migration SET checksum = 'edited'`,
    );
    await expect(database.open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_CHANGED', details: { version: 1 } });
  });

  it('leave nothing wherever they fail, and can be applied afterwards', async () => {
    const empty = await dump();
    // Before the first statement: three for the locks, three questions.
    for (let last = 1; last <= statements + 6; last += 1) {
      const fail = () => {
        throw new Error('interrupted by the test');
      };
      const opening = database.open({ executor: interruptedExecutor(fromPgPool(pool), last, fail) });
      await expect(opening, `statement ${last}`).rejects.toMatchObject({ code: 'SQL_STATEMENT_FAILED' });
    }
    expect(await dump()).toBe(empty);
    await database.open();
  });

  it('leave nothing where the process is killed, and can be applied afterwards', async () => {
    const empty = await dump();
    const places = [1, 3, 8, 30, statements].map((last) =>
      startProgram('./migrating-program.ts', database.url, String(last)),
    );
    expect(await Promise.all(places.map(({ ended }) => ended))).toEqual(places.map(() => 'SIGKILL'));
    expect(await dump()).toBe(empty);
    await database.open();
  });

  it('are applied by one of eight processes that start at once', async () => {
    const children = Array.from({ length: 8 }, () => startProgram('./migrating-program.ts', database.url));
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(children.map(() => 0));
    const lines = children.flatMap((child) => child.lines);
    expect(lines).toHaveLength(8);
    expect(new Set(lines).size).toBe(1);
    const { rows } = await pool.query(`SELECT count(*)::int AS records, count(DISTINCT writer)::int AS writers FROM (
      SELECT xmin::text AS writer FROM caelus.migration
      UNION ALL SELECT xmin::text FROM caelus.repeatable_migration) AS record`);
    expect(rows).toEqual([{ records: plan.migrations.length + plan.repeatables.length, writers: 1 }]);
  });

  it('give up where a lock stays held, say so, and leave nothing half done', async () => {
    await database.open();
    const before = await dump();
    const other = await database.client();
    await other.query('BEGIN; LOCK TABLE caelus.deployment IN ACCESS SHARE MODE');
    await expect(onDatabase((rows) => migrate(rows, later, now))).rejects.toMatchObject({
      code: 'SQL_MIGRATION_BLOCKED',
      retryable: true,
      details: { what: 'test' },
    });
    expect(await dump()).toBe(before);
    await other.query('ROLLBACK');
    await onDatabase((rows) => migrate(rows, later, now));
    expect(await dump()).not.toBe(before);
  });

  it('are undone and applied again, whole and from one version to the next', async () => {
    const empty = await dump();
    const { storeId } = await database.open();
    const first = await dump();
    await onDatabase((rows) => migrate(rows, later, now));
    const second = await dump();
    expect(second).toContain('note');
    await expect(database.open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 2 } });

    await onDatabase((rows) => revert(rows, later, 1, async () => {}));
    await expect(database.open({ migrate: false })).rejects.toMatchObject({ code: 'SQL_MIGRATION_PENDING' });
    await database.open();
    expect(await dump()).toBe(first);
    await onDatabase((rows) => migrate(rows, later, now));
    expect(await dump()).toBe(second);
    await onDatabase((rows) => revert(rows, later, 1, async () => {}));
    await database.open();

    const executor = fromPgPool(pool);
    await expect(revertMigrations({ executor }, { to: 0 })).rejects.toMatchObject({
      code: 'SQL_REVERT_UNCONFIRMED',
      details: { storeId, versions: [1] },
    });
    expect(await dump()).toBe(first);
    expect(await revertMigrations({ executor }, { to: 0, storeId })).toMatchObject({ versions: [1] });
    expect(await dump()).toBe(empty);
    await database.open();
    expect(await dump()).toBe(first);
  });

  it('keep a schema that holds something else when they are undone', async () => {
    await pool.query('CREATE SCHEMA caelus');
    const { storeId } = await database.open();
    await pool.query('CREATE TABLE caelus.ours (id int)');
    await revertMigrations({ executor: fromPgPool(pool) }, { to: 0, storeId });
    const { rows } = await pool.query(`SELECT relname FROM pg_class WHERE relnamespace = 'caelus'::regnamespace`);
    expect(rows).toEqual([{ relname: 'ours' }]);
  });

  it('put back functions and triggers whose record is of other statements', async () => {
    await database.open();
    const before = await dump();
    await pool.query(`CREATE OR REPLACE FUNCTION caelus.record_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      DROP TRIGGER event_kept ON caelus.event;
      UPDATE caelus.repeatable_migration SET checksum = 'earlier' WHERE name IN ('lineage', 'event_guard')`);
    await expect(database.open({ migrate: false })).rejects.toMatchObject({
      code: 'SQL_MIGRATION_PENDING',
      details: { versions: [], repeatables: ['lineage', 'event_guard'] },
    });
    await database.open();
    expect(await dump()).toBe(before);
    await pool.query(`UPDATE caelus.repeatable_migration SET revision = 99 WHERE name = 'lineage'`);
    await expect(database.open()).rejects.toMatchObject({ code: 'SQL_MIGRATION_UNKNOWN', details: { version: 99 } });
  });

  it('are the ones that were released', () => {
    expect(postgresRepeatables.map(({ name, revision }) => [name, revision])).toEqual([
      ['refuse', 1],
      ['template_version_guard', 1],
      ['deployment_guard', 1],
      ['lineage', 1],
      ['announcement', 1],
      ['event_order', 1],
      ['event_guard', 1],
    ]);
  });

  it('do the same as scripts for psql, up and down', async () => {
    const psql = (script: string) =>
      postgresProgram('psql', ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1', database.url], script);
    const empty = await dump();
    await database.open({ schema: 'other' });
    const other = await dump();
    await psql(printMigrations('postgres', { schema: 'other', direction: 'down' }));
    expect(await dump()).toBe(empty);
    await psql(printMigrations('postgres', { schema: 'other' }));
    expect(await dump()).toBe(other);
    await database.open({ schema: 'other', migrate: false });
    await expect(psql(printMigrations('postgres', { schema: 'other' }))).rejects.toThrow('already exists');
    expect(await dump()).toBe(other);
  });

  it('take little time in a schema with half a million rows', async () => {
    const repository = await database.open();
    await repository.transaction((transaction) => transaction.insertProduct(sampleProduct(1)));
    await pool.query(`INSERT INTO caelus.event (at, type, data)
      SELECT now(), 'product-created', '{}' FROM generate_series(1, 500000)`);
    const start = performance.now();
    await onDatabase((rows) => migrate(rows, later, now));
    const up = performance.now();
    await onDatabase((rows) => revert(rows, later, 1, async () => {}));
    const down = performance.now();
    const { rows } = await pool.query('SELECT count(*)::int AS count FROM caelus.event');
    expect(rows).toEqual([{ count: 500_000 }]);
    process.stdout.write(
      `500000 events: a column, a unique index and a trigger in ${Math.round(up - start)} ms, undone in ${Math.round(down - up)} ms\n`,
    );
  });

  it('refuse a schema that another application has filled, and take an empty one', async () => {
    await pool.query('CREATE SCHEMA taken; CREATE TABLE taken.product (price int); CREATE SCHEMA empty');
    await expect(database.open({ schema: 'taken' })).rejects.toMatchObject({ code: 'SQL_DATABASE_FOREIGN' });
    await database.open({ schema: 'empty' });
  });

  it('print a script after which nothing is left to apply, for a role that may not make tables', async () => {
    await expect(database.open({ migrate: false })).rejects.toMatchObject({ code: 'SQL_MIGRATION_PENDING' });
    await pool.query(printMigrations('postgres', { schema: 'printed' }));
    await pool.query(`DROP ROLE IF EXISTS plain_writer; CREATE ROLE plain_writer LOGIN;
      GRANT USAGE ON SCHEMA printed TO plain_writer;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA printed TO plain_writer`);
    try {
      const url = new URL(database.url);
      url.username = 'plain_writer';
      const plain = () => fromPgPool(database.pool({ connectionString: url.href }));
      const repository = await database.open({ executor: plain(), schema: 'printed', migrate: false });
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        await transaction.insertTemplateVersion(sampleTemplateVersion(1));
        await transaction.insertInstance(sampleInstance(1));
        await transaction.requestWork('work-1' as never, 'x', sampleProduct(1).createdAt);
      });
      await database.open({ schema: 'printed' });
      await expect(database.open({ executor: plain() })).rejects.toMatchObject({
        code: 'SQL_STATEMENT_FAILED',
        details: { sqlState: '42501' },
      });
    } finally {
      await pool.query('DROP OWNED BY plain_writer; DROP ROLE plain_writer');
    }
  });
});

const now = () => '2026-01-01T00:00:00.000Z' as never;

async function onDatabase<T>(work: (rows: ReturnType<typeof createPostgresDatabase>) => Promise<T>): Promise<T> {
  await using rows = createPostgresDatabase({
    name: 'test',
    executor: fromPgPool(pool),
    schema: 'caelus',
    attempts: 1,
  });
  return await work(rows);
}

/** A release of the future: columns of tables that have rows, an index over them, and a trigger. */
const later: MigrationPlan = {
  ...plan,
  migrations: [
    ...plan.migrations,
    {
      version: 2,
      name: 'later',
      up: [
        'ALTER TABLE event ADD note text',
        'ALTER TABLE deployment ADD note text',
        'CREATE UNIQUE INDEX event_note ON event (note) WHERE note IS NOT NULL',
      ],
      down: ['ALTER TABLE deployment DROP note', 'ALTER TABLE event DROP note'],
      loses: ['deployment.note', 'event.note'],
    },
  ],
  repeatables: [
    ...plan.repeatables,
    {
      name: 'later',
      revision: 1,
      up: [
        `CREATE OR REPLACE TRIGGER note_kept BEFORE UPDATE ON event FOR EACH ROW
WHEN (OLD.note IS DISTINCT FROM NEW.note) EXECUTE FUNCTION refuse('kept')`,
      ],
      down: ['DROP TRIGGER note_kept ON event'],
    },
  ],
};
