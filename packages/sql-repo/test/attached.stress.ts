import { type InstanceId, parseInstanceId, parseTimestamp, type Repository } from '@caelus/core';
import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AttachedRepository,
  type AttachOptions,
  type BackfillOptions,
  createSqlRepository,
  fromPgClient,
  fromPgPool,
  printMigrations,
  revertMigrations,
} from '../src/index.ts';
import { attach, type HostKey, hostSchema, insertCatalogue, insertDeployment, keyOf } from './attached-host.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';
import { postgresProgram } from './postgres-server.ts';
import { dumpSchema } from './schema-dump.ts';

// A host's own tables: what it writes, by any means, is taken up; what Caelus finds is written back in the host's words.

let database: TestDatabase;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createDatabase();
  pool = database.pool();
});
afterEach(() => database[Symbol.asyncDispose]());

const at = parseTimestamp('2026-01-01T00:00:00.000Z');
const open = (other: Partial<AttachOptions> = {}) =>
  createSqlRepository({ executor: fromPgPool(pool), attach: { ...attach, ...other } });

async function openHost(key: HostKey = 'integer', other: Partial<AttachOptions> = {}): Promise<AttachedRepository> {
  await pool.query(hostSchema(key));
  const repository = await open(other);
  await insertCatalogue(pool, key);
  return repository;
}

/** Claims everything that is due, and does what a projector does: reads each instance, and completes. */
async function project(repository: Repository): Promise<readonly string[]> {
  const items = await repository.claimWork({
    owner: 'test',
    limit: 100,
    leaseMilliseconds: 60_000,
    now: parseTimestamp(new Date().toISOString()),
  });
  for (const item of items) {
    await repository.findInstance(item.instanceId);
    await repository.transaction((transaction) => transaction.completeWork(item));
  }
  return items.map(({ instanceId }) => instanceId);
}

const hostRow = async (id: string) => (await pool.query('SELECT * FROM shop.deployment WHERE id = $1', [id])).rows[0];
const observe = (
  repository: Repository,
  id: string,
  observed: Parameters<Parameters<Parameters<Repository['transaction']>[0]>[0]['updateObserved']>[1],
) => repository.transaction((transaction) => transaction.updateObserved(id as InstanceId, observed, at));

describeWithServer('attached mode', () => {
  it.each(['integer', 'bigint', 'uuid', 'text'] as const)(
    'takes up what a host writes, and writes back: keys of %s',
    async (key) => {
      await using repository = await openHost(key);
      const id = await insertDeployment(pool, key, 5, { values: '{"a": 1}', hostname: 'a.example.com' });
      expect(await project(repository)).toEqual([id]);
      const instance = await repository.findInstance(parseInstanceId(id));
      expect(instance).toMatchObject({
        id,
        tenant: 'user-7',
        tier: 'standard',
        productId: keyOf(key, 1),
        desiredTemplateVersionId: keyOf(key, 1),
        userValues: { a: 1 },
        hostname: 'a.example.com',
        generation: 1,
        status: 'Pending',
        gitPath: `instances/${id}`,
      });
      expect(await hostRow(id)).toMatchObject({
        git_path: `instances/${id}`,
        argo_app_name: instance?.argoAppName,
        status: 'provisioning',
      });
      expect(await repository.hasChange(parseInstanceId(id), instance?.changeId as never)).toBe(true);
      const lastSyncedAt = parseTimestamp('2026-02-03T04:05:06.789Z');
      await observe(repository, id, {
        status: 'Running',
        syncStatus: 'Synced',
        lastSyncedAt,
        appliedTemplateVersionId: instance?.desiredTemplateVersionId ?? null,
      });
      expect(await hostRow(id)).toMatchObject({
        status: 'ready',
        sync_status: 'Synced',
        last_synced_at: new Date(lastSyncedAt),
      });
      expect(String((await hostRow(id)).applied_template_id)).toBe(keyOf(key, 1));
      expect(await project(repository)).toEqual([]);

      await pool.query('UPDATE shop.deployment SET note = $1 WHERE id = $2', ['x', id]);
      expect(await project(repository)).toEqual([]);
      await pool.query(
        `UPDATE shop.deployment SET user_values_json = '{"a": 2}', generation = generation + 1 WHERE id = $1`,
        [id],
      );
      expect(await project(repository)).toEqual([id]);
      expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({
        userValues: { a: 2 },
        generation: 2,
        status: 'Pending',
      });
      await pool.query('UPDATE shop.deployment SET desired_template_id = $1 WHERE id = $2', [keyOf(key, 2), id]);
      await project(repository);
      expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({
        desiredTemplateVersionId: keyOf(key, 2),
        generation: 3,
      });

      await pool.query(`UPDATE shop.deployment SET status = 'deleting', deleted_at = now() WHERE id = $1`, [id]);
      await project(repository);
      expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({ status: 'Deleting', generation: 4 });
      await observe(repository, id, { status: 'Deleted' });
      expect(await hostRow(id)).toMatchObject({ status: 'deleted' });
      expect((await repository.host.problems()).items).toEqual([]);
      const types = (await repository.listEvents()).map(({ type }) => type);
      expect(types).toEqual(['instance-created', 'instance-updated', 'instance-upgraded', 'instance-delete-requested']);
    },
  );

  it.each(['install', 'none'] as const)('comes to the same with triggers: %s', async (triggers) => {
    await using repository = await openHost('integer', { triggers });
    /** What the sweeper does where no trigger tells. */
    const pass = async () => {
      await repository.refresh?.();
      await project(repository);
    };
    const desired = async () => {
      const { items } = await repository.listInstances();
      return items
        .map(({ id, userValues, generation, status, desiredTemplateVersionId: version }) => ({
          id,
          userValues,
          generation,
          status,
          version,
        }))
        .toSorted((a, b) => a.id.localeCompare(b.id));
    };
    await insertDeployment(pool, 'integer', 1, { values: '{"a": 1}' });
    await insertDeployment(pool, 'integer', 2, { status: 'pending' });
    await insertDeployment(pool, 'integer', 3);
    await insertDeployment(pool, 'integer', 4);
    await pass();
    const first = { id: '1', userValues: { a: 1 }, generation: 1, status: 'Pending', version: '1' };
    const plain = { userValues: {}, generation: 1, status: 'Pending', version: '1' };
    expect(await desired()).toEqual([first, { ...plain, id: '3' }, { ...plain, id: '4' }]);
    await pool.query(`UPDATE shop.deployment SET user_values_json = '{"a": 2}' WHERE id = 1`);
    await pool.query(`UPDATE shop.deployment SET status = 'provisioning' WHERE id = 2`);
    await pool.query(`UPDATE shop.deployment SET status = 'deleting' WHERE id = 3`);
    await pool.query('DELETE FROM shop.deployment WHERE id = 4');
    await pass();
    await pass();
    expect(await desired()).toEqual([
      { ...first, userValues: { a: 2 }, generation: 2 },
      { ...plain, id: '2' },
      { ...plain, id: '3', generation: 2, status: 'Deleting' },
      { ...plain, id: '4', generation: 2, status: 'Deleting' },
    ]);
    expect((await repository.host.problems()).items).toEqual([]);
    const events = (await repository.listEvents()).length;
    await pass();
    expect((await repository.listEvents()).length).toBe(events);
  });

  it('tells in the host’s own transaction, or not at all', async () => {
    await using repository = await openHost('integer', { triggers: 'none' });
    for (const ends of ['ROLLBACK', 'COMMIT'] as const) {
      const client = await database.client();
      await client.query('BEGIN');
      await insertDeployment(client, 'integer', 1);
      const joined = repository.in(fromPgClient(client));
      await joined.host.requestInstance('1', { actor: 'Zoe' });
      expect(await joined.findInstance(parseInstanceId('1'))).toMatchObject({ id: '1' });
      expect(await project(repository)).toEqual([]);
      await client.query(ends);
      expect(await project(repository)).toEqual(ends === 'COMMIT' ? ['1'] : []);
    }
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({ id: '1' });
  });

  it('names who the host says it was', async () => {
    await using repository = await openHost();
    await pool.query(`BEGIN; SET LOCAL caelus.actor = 'Zoe'; INSERT INTO shop.deployment (id, user_id, name, desired_template_id, status)
      VALUES (1, 7, 'x', 1, 'provisioning'); COMMIT`);
    await project(repository);
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({ changedBy: { name: 'Zoe' } });
  });

  it('writes a row that cannot be accepted, and shows what is wrong with it', async () => {
    await using repository = await openHost('text');
    await insertDeployment(pool, 'text', 1);
    await pool.query(`UPDATE shop.deployment SET id = 'Not a label' WHERE id = 'key-1'`);
    await insertDeployment(pool, 'text', 2, { values: '{"host": "stolen.example.com"}' });
    await insertDeployment(pool, 'text', 3, { values: '{"a": 9007199254740993}' });
    await insertDeployment(pool, 'text', 4, { hostname: 'Upper.example.com' });
    await insertDeployment(pool, 'text', 5, { values: '{"caelus": {"plan": {}}}' });
    await insertDeployment(pool, 'text', 6);
    await project(repository);
    const { items } = await repository.host.problems();
    expect(items.map(({ hostId, problem }) => [hostId, problem.split(':')[0]])).toEqual([
      ['Not a label', 'ID_INVALID'],
      ['key-2', 'VALUES_LOCKED'],
      ['key-3', 'VALUES_NOT_JSON'],
      ['key-4', 'HOSTNAME_INVALID'],
      ['key-5', 'VALUES_LOCKED'],
    ]);
    expect(JSON.stringify(items)).not.toMatch(/stolen|9007199254740993/);
    expect((await repository.listInstances()).items.map(({ id }) => id)).toEqual(['key-6']);
    await pool.query(
      `UPDATE shop.deployment SET user_values_json = '{"a": 1}' WHERE id IN ('key-2', 'key-3', 'key-5')`,
    );
    await project(repository);
    expect((await repository.host.problems()).items.map(({ hostId }) => hostId)).toEqual(['Not a label', 'key-4']);
  });

  it('takes NULL and JSON null alike, and texts that jsonb cannot hold', async () => {
    await using repository = await openHost();
    const id = await insertDeployment(pool, 'integer', 1, { values: null });
    await project(repository);
    await pool.query(`UPDATE shop.deployment SET user_values_json = 'null' WHERE id = 1`);
    expect(await project(repository)).toEqual([]);
    for (const text of ['a\\u0000b', 'half \\ud83d', 'back\\\\u0000', 'whole \\ud83d\\ude00']) {
      await pool.query('UPDATE shop.deployment SET user_values_json = $1 WHERE id = 1', [`{"a": "${text}"}`]);
      expect(await project(repository), text).toEqual([id]);
    }
    expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({ userValues: { a: 'whole 😀' } });
    await pool.query(`UPDATE shop.deployment SET note = 'tick' WHERE id = 1`);
    expect(await project(repository)).toEqual([]);
  });

  it('reads instants without a zone in the host’s zone, whatever the zone of the session', async () => {
    await pool.query(hostSchema('integer'));
    const executor = fromPgPool(database.pool({ options: '-c TimeZone=America/New_York' }));
    await using repository = await createSqlRepository({ executor, attach: { ...attach, timeZone: 'Europe/Berlin' } });
    await insertCatalogue(pool, 'integer');
    await insertDeployment(pool, 'integer', 1);
    await pool.query(`UPDATE shop.deployment SET created_at = '2026-07-01 12:00:00.123456' WHERE id = 1`);
    await project(repository);
    expect((await repository.findInstance(parseInstanceId('1')))?.createdAt).toBe('2026-07-01T10:00:00.123Z');
    const deletedAt = parseTimestamp('2026-07-02T10:00:00.000Z');
    await repository.transaction((transaction) =>
      transaction.updateDesired(parseInstanceId('1'), 1, {
        changeId: '00000000-0000-4000-8000-000000000001' as never,
        changedBy: null,
        updatedAt: deletedAt,
        status: 'Deleting',
        statusReason: 'Accepted',
        deletedAt,
      }),
    );
    const { rows } = await pool.query('SELECT deleted_at::text AS at, status FROM shop.deployment');
    expect(rows).toEqual([{ at: '2026-07-02 12:00:00', status: 'deleting' }]);
  });

  it('never makes the host wait, and never writes over what it has just changed', async () => {
    await using repository = await openHost();
    const id = await insertDeployment(pool, 'integer', 1);
    await project(repository);
    const host = await database.client();
    await host.query('BEGIN');
    await host.query(`UPDATE shop.deployment SET status = 'deleting' WHERE id = 1`);
    // The row is locked: it is written later. Were it waited for, the transaction of the test would wait for itself.
    await observe(repository, id, { status: 'Running' });
    expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({ status: 'Running' });
    await host.query('COMMIT');
    await observe(repository, id, { status: 'Failed' });
    expect(await hostRow(id)).toMatchObject({ status: 'deleting' });
    await project(repository);
    expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({ status: 'Deleting' });
    await observe(repository, id, { status: 'Deleted' });
    await project(repository);
    expect(await hostRow(id)).toMatchObject({ status: 'deleted' });
  });

  it('writes a command into the host’s row, unless the host was faster', async () => {
    await using repository = await openHost();
    const id = await insertDeployment(pool, 'integer', 1);
    await project(repository);
    const command = (generation: number, number: number) =>
      repository.transaction((transaction) =>
        transaction.updateDesired(parseInstanceId(id), generation, {
          userValues: { a: number },
          desiredTemplateVersionId: '2' as never,
          changeId: `00000000-0000-4000-8000-00000000000${number}` as never,
          changedBy: null,
          updatedAt: at,
          status: 'Pending',
          statusReason: 'Accepted',
        }),
      );
    await repository.findTemplateVersion('2' as never);
    await command(1, 1);
    expect(await hostRow(id)).toMatchObject({ user_values_json: { a: 1 }, desired_template_id: 2, generation: 2 });
    expect(await project(repository)).toEqual([]);
    await pool.query(`UPDATE shop.deployment SET user_values_json = '{"a": 7}' WHERE id = 1`);
    await expect(command(2, 2)).rejects.toMatchObject({ code: 'GENERATION_STALE' });
    await project(repository);
    expect(await repository.findInstance(parseInstanceId(id))).toMatchObject({ userValues: { a: 7 }, generation: 3 });
    expect(await hostRow(id)).toMatchObject({ user_values_json: { a: 7 } });
  });

  it('lets the host’s open transaction win over a command that meets it', async () => {
    await using repository = await openHost();
    const id = parseInstanceId(await insertDeployment(pool, 'integer', 1));
    await project(repository);
    const host = await pool.connect();
    try {
      await host.query('BEGIN');
      await host.query(`UPDATE shop.deployment SET user_values_json = '{"a": 7}' WHERE id = 1`);
      const command = repository.transaction((transaction) =>
        transaction.updateDesired(id, 1, {
          userValues: { a: 2 },
          changeId: '00000000-0000-4000-8000-000000000002' as never,
          changedBy: null,
          updatedAt: at,
          status: 'Pending',
          statusReason: 'Accepted',
        }),
      );
      const refused = expect(command).rejects.toMatchObject({ code: 'GENERATION_STALE' });
      await untilSomebodyWaits();
      await host.query('COMMIT');
      await refused;
    } finally {
      host.release();
    }
    await project(repository);
    expect(await repository.findInstance(id)).toMatchObject({ userValues: { a: 7 }, generation: 2 });
    expect(await hostRow(id)).toMatchObject({ user_values_json: { a: 7 } });
  });

  // Each of these makes a later migration of the host's fail, or vanishes with a column that the host replaces.
  it.each([
    [
      'foreign keys',
      `SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text LIKE 'caelus.%'
       AND confrelid::regclass::text LIKE 'shop.%'`,
    ],
    [
      'views',
      `SELECT ev_class::regclass::text FROM pg_rewrite JOIN pg_depend ON pg_depend.objid = pg_rewrite.oid
       WHERE refobjid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)`,
    ],
    [
      'triggers that name a column or have a condition',
      `SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
       AND tgrelid::regclass::text LIKE 'shop.%' AND (array_length(tgattr::int2[], 1) > 0 OR tgqual IS NOT NULL)`,
    ],
    [
      'columns that must have a value',
      `SELECT attname FROM pg_attribute JOIN caelus.attached_column
       ON attrelid = to_regclass(format('%I.%I', table_schema, table_name)) AND attname = column_name
       WHERE attnotnull OR atthasdef`,
    ],
    [
      'indexes',
      `SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid::regclass::text LIKE 'shop.%'
       AND indexrelid::regclass::text !~ '_pkey$|uq_'`,
    ],
  ])('puts no %s on the host’s tables', async (_, sql) => {
    await using _repository = await openHost();
    expect((await pool.query('SELECT count(*)::int AS count FROM caelus.attached_column')).rows).not.toEqual([
      { count: 0 },
    ]);
    expect(
      (
        await pool.query(`SELECT count(*)::int AS count FROM pg_trigger WHERE tgrelid::regclass::text LIKE 'shop.%'
      AND NOT tgisinternal`)
      ).rows,
    ).toEqual([{ count: 2 }]);
    expect((await pool.query(sql)).rows).toEqual([]);
  });

  it('refuses to insert rows that only the host can describe', async () => {
    await using repository = await openHost();
    expect(repository.capabilities.ownsRows).toBe(false);
    const insert = repository.transaction((transaction) =>
      transaction.insertProduct({ id: 'x', slug: 'x', name: 'x', createdAt: at } as never),
    );
    await expect(insert).rejects.toMatchObject({ code: 'SQL_HOST_ROW_MISSING' });
  });

  it('keeps a template version as it is, but for what is added once and for soft deletion', async () => {
    await using repository = await openHost();
    const refused = (sql: string) => expect(pool.query(sql), sql).rejects.toMatchObject({ code: '23001' });
    await refused(`UPDATE shop.template SET chart_version = '9.9.9'`);
    await refused('UPDATE shop.template SET helm_chart_repo_url = NULL');
    await refused(`UPDATE shop.template SET values_schema_json = '{}'`);
    await pool.query('UPDATE shop.template SET deleted_at = now() WHERE id = 2');
    await repository.refresh?.();
    expect((await repository.listTemplateVersions({ includeDeprecated: false })).items.map(({ id }) => id)).toEqual([
      '1',
    ]);
  });

  it('finds a template version that was changed where no trigger forbids it', async () => {
    await using repository = await openHost('integer', { triggers: 'none' });
    await repository.refresh?.();
    await pool.query(`UPDATE shop.template SET default_values = 'replicas: 2' WHERE id = 1`);
    await repository.refresh?.();
    expect((await repository.host.problems()).items).toMatchObject([
      { kind: 'template-version', hostId: '1', problem: expect.stringMatching(/^TEMPLATE_VERSION_IMMUTABLE/) },
    ]);
    expect(await repository.findTemplateVersion('1' as never)).toMatchObject({ defaultValues: { replicas: 1 } });
  });

  it('fills in the charts of versions that were there before, after a dry run', async () => {
    await pool.query(hostSchema('integer'));
    await pool.query(`INSERT INTO shop.product (id, name, slug) VALUES (1, 'Cloud', 'cloud')`);
    await pool.query(`INSERT INTO shop.template (id, product_id, chart_ref, chart_version) VALUES
      (1, 1, 'oci://registry.example.com/charts/cloud', '1.2.3'), (2, 1, 'elsewhere', '1.0.0'), (3, 1, 'oci://registry.example.com/charts/cloud', 'latest')`);
    await insertDeployment(pool, 'integer', 1);
    await using repository = await open();
    await repository.refresh?.();
    await project(repository);
    expect((await repository.host.problems()).items.map(({ kind, hostId }) => `${kind} ${hostId}`)).toEqual([
      'deployment 1',
      'template-version 1',
      'template-version 2',
      'template-version 3',
    ]);
    const options: BackfillOptions = {
      columns: ['chart_ref', 'chart_version'],
      read: ({ chart_ref, chart_version }) => {
        const [, url, name] = /^(oci:.*)\/([^/]+)$/.exec(chart_ref ?? '') ?? [];
        return url === undefined || name === undefined
          ? null
          : { helmChartRepoUrl: url, chartName: name, chartVersion: chart_version ?? '' };
      },
    };
    const set = [{ hostId: '1', helmChartRepoUrl: 'oci://registry.example.com/charts', chartVersion: '1.2.3' }];
    const refused = [{ hostId: '3', problem: expect.stringMatching(/^CHART_VERSION_FLOATING/) }];
    expect(await repository.host.backfill(options)).toEqual({ dryRun: true, set, skipped: ['2'], refused });
    expect((await pool.query('SELECT 1 FROM shop.template WHERE helm_chart_repo_url IS NOT NULL')).rows).toEqual([]);
    expect(await repository.host.backfill({ ...options, dryRun: false })).toEqual({
      dryRun: false,
      set,
      skipped: ['2'],
      refused,
    });
    await repository.refresh?.();
    await project(repository);
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({ gitPath: 'instances/1' });
    expect(await hostRow('1')).toMatchObject({ git_path: 'instances/1' });
    expect((await repository.host.backfill({ ...options, dryRun: false })).set).toEqual([]);
    await expect(repository.host.backfill({ ...options, columns: ['x" FROM shop.product; --'] })).rejects.toMatchObject(
      { code: 'SQL_HOST_MISMATCH' },
    );
  });

  it('follows a host that migrates its keys from integer to UUID, and flags rows until it is told', async () => {
    await using repository = await openHost();
    const id = await insertDeployment(pool, 'integer', 1, { values: '{"a": 1}' });
    await project(repository);
    const before = await repository.findInstance(parseInstanceId(id));
    // As Alembic would: in the session in which the trigger has fired already.
    const client = await database.client();
    await client.query(`UPDATE shop.deployment SET user_values_json = '{"a": 2}' WHERE id = 1`);
    await client.query(`BEGIN;
      ALTER TABLE shop.deployment ADD COLUMN new_id uuid;
      UPDATE shop.deployment SET new_id = '00000001-0000-4000-8000-000000000000';
      ALTER TABLE shop.deployment DROP CONSTRAINT deployment_pkey;
      ALTER TABLE shop.deployment DROP COLUMN id;
      ALTER TABLE shop.deployment RENAME COLUMN new_id TO id;
      ALTER TABLE shop.deployment ADD CONSTRAINT deployment_pkey PRIMARY KEY (id);
      ALTER TABLE shop.deployment DROP COLUMN note;
      UPDATE shop.deployment SET user_values_json = '{"a": 3}';
      COMMIT`);
    await project(repository);
    await repository.refresh?.();
    await project(repository);
    const key = '00000001-0000-4000-8000-000000000000';
    expect((await repository.listInstances()).items.map(({ id: one, status }) => [one, status])).toEqual([
      ['1', 'Pending'],
    ]);
    expect(
      (await repository.host.problems()).items.map(({ id: one, problem }) => [one, problem.split(':')[0]]),
    ).toEqual(
      [
        [key, 'INSTANCE_NAME_TAKEN'],
        ['1', 'HOST_ROW_ABSENT'],
      ].toSorted(),
    );
    const pairs = await repository.host.findRekeyed();
    expect(pairs).toEqual([{ kind: 'deployment', from: '1', to: key }]);
    await repository.host.rekey(pairs);
    await project(repository);
    expect((await repository.host.problems()).items).toEqual([]);
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({
      argoAppName: before?.argoAppName,
      gitPath: before?.gitPath,
      userValues: { a: 3 },
    });
    expect(await repository.host.instanceIdOf(key)).toBe('1');
    await pool.query(`UPDATE shop.deployment SET user_values_json = '{"a": 4}'`);
    expect(await project(repository)).toEqual(['1']);
    await expect(repository.host.rekey([{ kind: 'deployment', from: '1', to: key }])).rejects.toMatchObject({
      code: 'SQL_HOST_REKEY_REFUSED',
    });
  });

  it('flags rows that are not there any more, and deletes none that nobody deleted', async () => {
    await using repository = await openHost();
    await insertDeployment(pool, 'integer', 1);
    await project(repository);
    await pool.query('TRUNCATE shop.deployment');
    await repository.refresh?.();
    await project(repository);
    expect((await repository.host.problems()).items).toMatchObject([
      { id: '1', problem: expect.stringMatching(/^HOST_ROW_ABSENT/) },
    ]);
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({ status: 'Pending' });
  });

  it('does not let one tenant’s row become another’s', async () => {
    await using repository = await openHost();
    await insertDeployment(pool, 'integer', 1);
    await project(repository);
    await pool.query('UPDATE shop.deployment SET user_id = 8');
    await project(repository);
    expect((await repository.host.problems()).items).toMatchObject([
      { id: '1', problem: expect.stringMatching(/tenant/) },
    ]);
    expect(await repository.findInstance(parseInstanceId('1'))).toMatchObject({ tenant: 'user-7' });
  });

  it('lets a role of the host’s write that has no rights in our schema', async () => {
    await using repository = await openHost();
    const role = `clerk_${process.pid}`;
    await pool.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA shop TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON shop.deployment TO ${role};
      GRANT SELECT ON shop.template TO ${role}`);
    const client = await database.client();
    await client.query(`SET ROLE ${role}`);
    await insertDeployment(client, 'integer', 1);
    await expect(client.query('SELECT * FROM caelus.attached_inbox')).rejects.toMatchObject({ code: '42501' });
    expect(await project(repository)).toEqual(['1']);
    await client.query('RESET ROLE');
    await pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  });

  it('goes down without a trace but the host’s own, and up again', async () => {
    await pool.query(hostSchema('integer'));
    await pool.query('ALTER TABLE shop.deployment ADD COLUMN git_path text');
    const before = await dumpSchema(database.url, 'shop');
    const { storeId } = await open();
    const during = await dumpSchema(database.url, 'shop');
    const executor = fromPgPool(pool);
    await revertMigrations({ executor, attach }, { to: 0, storeId });
    expect(await dumpSchema(database.url, 'shop')).toBe(before);
    await postgresProgram(
      'psql',
      ['--no-psqlrc', '--quiet', '-v', 'ON_ERROR_STOP=1', database.url],
      printMigrations('postgres', { attach }),
    );
    expect(await dumpSchema(database.url, 'shop')).toBe(during);
    await createSqlRepository({ executor, attach, migrate: false });
  });

  it('says what the host’s tables lack', async () => {
    await pool.query(hostSchema('integer'));
    await expect(open({ product: { table: 'products' } })).rejects.toMatchObject({
      code: 'SQL_HOST_MISMATCH',
      details: { missing: ['products'] },
    });
    await expect(open({ deployment: { ...attach.deployment, hostname: 'domain' } })).rejects.toMatchObject({
      details: { missing: ['deployment.domain'] },
    });
  });

  it('attaches to half a million rows in seconds', async () => {
    await pool.query(hostSchema('integer'));
    await insertCatalogueWithout(pool);
    await pool.query(`INSERT INTO shop.deployment (id, user_id, name, desired_template_id, status)
      SELECT n, n % 100, 'd', 1, 'deleted' FROM generate_series(1, 500000) AS n`);
    const started = performance.now();
    await using repository = await open();
    process.stderr.write(`attached to 500,000 rows in ${Math.round(performance.now() - started)} ms\n`);
    const row = await pool.query('SELECT git_path FROM shop.deployment WHERE id = 1');
    expect(row.rows).toEqual([{ git_path: null }]);
    expect(repository.storeId).toMatch(/-/);
  });
});

/** Resolves once a statement waits for a lock that another one holds. */
async function untilSomebodyWaits(): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await pool.query(sql)).rows.length, { timeout: 30_000 }).toBeGreaterThan(0);
}

async function insertCatalogueWithout(client: pg.Pool): Promise<void> {
  await client.query(`INSERT INTO shop.product (id, name, slug) VALUES (1, 'Cloud', 'cloud')`);
  await client.query('INSERT INTO shop.template (id, product_id) VALUES (1, 1)');
}
