import { type InstanceId, isCaelusError } from '@caelus/core';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromPgPool, type SqlRepository } from '../src/index.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

// What the database itself holds, whoever writes to it.

let database: TestDatabase;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createDatabase();
  pool = database.pool();
});
afterEach(() => database[Symbol.asyncDispose]());

const refused = (sql: string, reason: string) => expect(pool.query(sql), sql).rejects.toThrow(reason);

async function withRows(): Promise<SqlRepository> {
  const repository = await database.open();
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    await transaction.insertInstance(sampleInstance(1));
    await transaction.insertInstance(sampleInstance(2, { status: 'Deleted' }));
    await transaction.appendEvent({
      at: sampleProduct(1).createdAt,
      type: 'product-created',
      instanceId: null,
      generation: null,
      changeId: null,
      actor: null,
      data: {},
    });
  });
  return repository;
}

describeWithServer('the schema in PostgreSQL', () => {
  it('keeps every column of a template version as it was published', async () => {
    await withRows();
    const { rows } = await pool.query<{ name: string; type: string }>(
      `SELECT column_name AS name, data_type AS type FROM information_schema.columns
       WHERE table_schema = 'caelus' AND table_name = 'product_template_version'`,
    );
    expect(rows.map(({ name }) => name)).toContain('helm_chart_repo_url');
    for (const { name, type } of rows.filter(({ name }) => name !== 'deprecated_at')) {
      const value = type === 'json' ? `'"changed"'` : type.startsWith('timestamp') ? 'now()' : `'changed'`;
      await refused(`UPDATE caelus.product_template_version SET ${name} = ${value}`, 'immutable');
    }
    await refused('DELETE FROM caelus.product_template_version', 'immutable');
    await refused('TRUNCATE caelus.product_template_version CASCADE', 'immutable');
    await pool.query('UPDATE caelus.product_template_version SET deprecated_at = now()');
    await refused(`UPDATE caelus.product_template_version SET deprecated_at = '2020-01-01'`, 'immutable');
    await refused('UPDATE caelus.product_template_version SET deprecated_at = NULL', 'immutable');
  });

  it('keeps events as they were written', async () => {
    await withRows();
    await refused(`UPDATE caelus.event SET data = '{}'`, 'append-only');
    await refused('DELETE FROM caelus.event', 'append-only');
    await refused('TRUNCATE caelus.event', 'append-only');
  });

  it('lets go only of events below the horizon, which never goes down', async () => {
    await withRows();
    await pool.query(`INSERT INTO caelus.event (at, type, data) VALUES (now(), 'product-created', '{}')`);
    await pool.query(`UPDATE caelus.meta SET value = (SELECT min(cursor) FROM caelus.event) || '.0123456789ab'
      WHERE key = 'event_horizon'`);
    await pool.query('DELETE FROM caelus.event WHERE cursor = (SELECT min(cursor) FROM caelus.event)');
    await refused('DELETE FROM caelus.event', 'append-only');
    await refused(`UPDATE caelus.meta SET value = '0' WHERE key = 'event_horizon'`, 'never goes down');
    await refused(`UPDATE caelus.meta SET key = 'x' WHERE key = 'event_horizon'`, 'never goes down');
    await refused(`DELETE FROM caelus.meta WHERE key = 'event_horizon'`, 'never goes down');
    expect((await pool.query('SELECT count(*)::int AS count FROM caelus.event')).rows).toEqual([{ count: 1 }]);
  });

  it('forgets no change', async () => {
    await withRows();
    await refused('DELETE FROM caelus.deployment_change', 'stays known');
    await refused('TRUNCATE caelus.deployment_change', 'stays known');
  });

  it('gives an event its place, whatever the writer says', async () => {
    const repository = await withRows();
    await pool.query(`INSERT INTO caelus.event (position, cursor, at, type, data)
      VALUES (1, 'x', now(), 'product-created', '{"second": true}')`);
    expect((await repository.listEvents()).map(({ data }) => data)).toEqual([{}, { second: true }]);
  });

  it('never lowers a generation, and never brings an instance back', async () => {
    await withRows();
    await pool.query('UPDATE caelus.deployment SET generation = 5');
    await refused('UPDATE caelus.deployment SET generation = 4', 'never goes down');
    await refused(`UPDATE caelus.deployment SET status = 'Running' WHERE status = 'Deleted'`, 'final');
    await refused(`UPDATE caelus.deployment SET status = 'Sleeping' WHERE status <> 'Deleted'`, 'check constraint');
  });

  it('remembers every change, whoever writes it', async () => {
    const repository = await withRows();
    const change = '99999999-9999-4999-8999-999999999999' as never;
    await pool.query(`UPDATE caelus.deployment SET change_id = '${change}' WHERE id = '${sampleInstance(1).id}'`);
    expect(await repository.hasChange(sampleInstance(1).id, change)).toBe(true);
    expect(await repository.hasChange(sampleInstance(1).id, sampleInstance(1).changeId)).toBe(true);
    expect(await repository.hasChange(sampleInstance(2).id, change)).toBe(false);
  });

  it('announces work, whoever requests it', async () => {
    await using repository = await withRows();
    let hear = () => {};
    const heard = new Promise<void>((resolve) => {
      hear = resolve;
    });
    await repository.onNews?.(hear);
    await pool.query(`INSERT INTO caelus.work (deployment_id, requested, done, reason, requested_at, available_at, attempts)
      VALUES ('work-1', 1, 0, 'by hand', now(), now(), 0)`);
    await heard;
  });

  it('pages through instants that somebody wrote with microseconds', async () => {
    const repository = await database.open();
    await pool.query(`INSERT INTO caelus.product (id, slug, name, created_at)
      SELECT 'p-' || i, 'p-' || i, 'P', timestamptz '2026-01-01 00:00:00Z' + i * interval '137 microseconds'
      FROM generate_series(1, 200) AS i`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await repository.listProducts({ limit: 7, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && seen.length <= 400);
    expect(seen).toHaveLength(200);
    expect(new Set(seen).size).toBe(200);
  });

  it('reads instants in UTC and numbers without loss, whatever the zone of the session', async () => {
    const repository = await withRows();
    const found = await repository.findInstance(sampleInstance(1).id);
    expect(found).toEqual(sampleInstance(1));
    await pool.query(`UPDATE caelus.deployment SET generation = 9007199254740991 WHERE status <> 'Deleted'`);
    for (const zone of ['Asia/Kolkata', 'UTC']) {
      const other = await database.open({}, { options: `-c timezone=${zone} -c datestyle=German` });
      const again = await other.findInstance(sampleInstance(1).id);
      expect(again).toEqual({ ...found, generation: Number.MAX_SAFE_INTEGER });
    }
  });

  it('refuses a row that cannot be read, and shows nothing of it', async () => {
    const repository = await withRows();
    await pool.query(`UPDATE caelus.deployment SET labels = '["hunter2"]'`);
    const error = await repository.findInstance(sampleInstance(1).id as InstanceId).catch((reason: unknown) => reason);
    expect(isCaelusError(error, 'STORE_CORRUPT')).toBe(true);
    expect(String(error)).not.toContain('hunter2');
  });

  it('lists a page from an index, without a sort, in a large table', async () => {
    const repository = await withRows();
    await pool.query(`INSERT INTO caelus.product (id, slug, name, created_at)
      SELECT 'p-' || i, 'p-' || i, 'P', now() + i * interval '1 ms' FROM generate_series(1, 20000) AS i`);
    await pool.query('ANALYZE caelus.product');
    const statements: (readonly [string, unknown[]])[] = [];
    const executor = fromPgPool(pool);
    const spied = await database.open({
      executor: {
        ...executor,
        query: (sql, parameters) => {
          statements.push([sql, [...parameters]]);
          return executor.query(sql, parameters);
        },
      },
    });
    statements.length = 0;
    const first = await spied.listProducts({ limit: 10 });
    await spied.listProducts({ limit: 10, cursor: first.nextCursor ?? '' });
    expect(statements).toHaveLength(2);
    for (const [sql, parameters] of statements) {
      const plan = await pool.query(`EXPLAIN (ANALYZE, TIMING OFF) ${sql}`, parameters);
      const text = plan.rows.map((row) => row['QUERY PLAN']).join('\n');
      expect(text).toMatch(/Index (?:Only )?Scan Backward using product_by_age/);
      expect(text).not.toMatch(/Sort|Seq Scan/);
    }
    expect((await repository.listProducts({ limit: 1 })).items).toHaveLength(1);
  });
});
