import { type InstanceId, parseInstanceId, parseTimestamp, type Repository } from '@caelus/core';
import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AttachedRepository, type AttachOptions, createSqlRepository, fromPgPool } from '../src/index.ts';
import { attach, type HostKey, hostSchema, insertCatalogue, insertDeployment, keyOf } from './attached-host.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

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
});
