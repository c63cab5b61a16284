import { join } from 'node:path';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository } from '../src/index.ts';
import { loadSqliteDriver, type SqliteConnection } from '../src/sqlite/sqlite-driver.ts';
import { type TemporaryDirectory, temporaryDirectory } from './sqlite-files.ts';

// What the database itself holds, whoever writes to it: each statement here goes past the repository.

let directory: TemporaryDirectory;
let connection: SqliteConnection;

beforeEach(async () => {
  directory = await temporaryDirectory();
  const file = join(directory.path, 'caelus.db');
  await using repository = await createSqlRepository({ file });
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
  connection = (await loadSqliteDriver()).open(file);
  connection.execute('PRAGMA foreign_keys = ON');
});
afterEach(async () => {
  connection.close();
  await directory[Symbol.asyncDispose]();
});

const refused = (sql: string, reason: string) => expect(() => connection.execute(sql), sql).toThrow(reason);
const rows = (table: string) => connection.query(`SELECT * FROM ${table}`).rows;

describe('the schema', () => {
  it('keeps every column of a template version as it was published', () => {
    const columns = connection
      .query(`SELECT name FROM pragma_table_info('product_template_version')`)
      .rows.map(({ name }) => name as string);
    expect(columns).toContain('helm_chart_repo_url');
    const before = rows('product_template_version');
    for (const column of columns.filter((name) => name !== 'deprecated_at')) {
      refused(`UPDATE product_template_version SET ${column} = 'changed'`, 'immutable');
    }
    refused('DELETE FROM product_template_version', 'immutable');
    const values = columns.map((column) => (column === 'id' ? 'id' : column === 'version' ? `'9'` : column)).join(', ');
    refused(
      `INSERT OR REPLACE INTO product_template_version SELECT ${values} FROM product_template_version`,
      'immutable',
    );
    expect(rows('product_template_version')).toEqual(before);
  });

  it('lets a template version be deprecated once', () => {
    connection.execute(`UPDATE product_template_version SET deprecated_at = '2026-01-01T00:00:00.000Z'`);
    refused(`UPDATE product_template_version SET deprecated_at = '2026-01-02T00:00:00.000Z'`, 'immutable');
    refused('UPDATE product_template_version SET deprecated_at = NULL', 'immutable');
  });

  it('keeps events as they were written', () => {
    const before = rows('event');
    refused(`UPDATE event SET data = '{}', at = 'x'`, 'append-only');
    refused('DELETE FROM event', 'append-only');
    refused(`INSERT OR REPLACE INTO event (seq, at, type, data) VALUES (1, 'x', 'y', '{}')`, 'append-only');
    expect(rows('event')).toEqual(before);
  });

  it('lets go only of events below the horizon, which never goes down', () => {
    connection.execute(
      `INSERT INTO event (at, type, data) VALUES ('2026-01-01T00:00:00.000Z', 'product-created', '{}')`,
    );
    const horizon = (value: string) => `UPDATE meta SET value = '${value}' WHERE key = 'event_horizon'`;
    connection.execute(horizon('000000000000001.0123456789ab'));
    connection.execute('DELETE FROM event WHERE seq = 1');
    refused('DELETE FROM event', 'append-only');
    refused(horizon('000000000000000.000000000000'), 'never goes down');
    refused(`UPDATE meta SET key = 'x' WHERE key = 'event_horizon'`, 'never goes down');
    refused(`DELETE FROM meta WHERE key = 'event_horizon'`, 'never goes down');
    refused(`INSERT OR REPLACE INTO meta VALUES ('event_horizon', '')`, 'never goes down');
    expect(rows('event')).toMatchObject([{ seq: 2 }]);
  });

  it('forgets no change', () => {
    const before = rows('deployment_change');
    expect(before).not.toEqual([]);
    refused('DELETE FROM deployment_change', 'stays known');
    expect(rows('deployment_change')).toEqual(before);
  });

  it('never lowers a generation, and never brings an instance back', () => {
    connection.execute('UPDATE deployment SET generation = 5');
    refused('UPDATE deployment SET generation = 4', 'never goes down');
    refused(`UPDATE deployment SET status = 'Running' WHERE status = 'Deleted'`, 'final');
    refused(`UPDATE deployment SET status = 'Sleeping'`, 'CHECK');
  });

  it('keeps names unique among instances that are not deleted', () => {
    const copy = (changes: Readonly<Record<string, string>>) => {
      const columns = Object.keys(rows('deployment')[0] ?? {});
      const values = columns.map((column) => changes[column] ?? column).join(', ');
      return `INSERT INTO deployment SELECT ${values} FROM deployment WHERE id = '${sampleInstance(1).id}'`;
    };
    refused(copy({ id: `'x'`, namespace: `'x'` }), 'UNIQUE');
    refused(copy({ id: `'x'`, argo_app_name: `'x'` }), 'UNIQUE');
    connection.execute(copy({ id: `'x'`, status: `'Deleted'` }));
    connection.execute(copy({ id: `'y'`, argo_app_name: `'y'`, namespace: `'y'`, hostname: `'h.example.com'` }));
    refused(copy({ id: `'z'`, argo_app_name: `'z'`, namespace: `'z'`, hostname: `'h.example.com'` }), 'UNIQUE');
  });

  it('keeps no reference to what is not there', () => {
    refused(`UPDATE deployment SET product_id = 'nothing'`, 'FOREIGN KEY');
    refused(`UPDATE deployment SET applied_template_version_id = 'nothing'`, 'FOREIGN KEY');
    refused('DELETE FROM product', 'FOREIGN KEY');
  });

  it('derives the columns that people look for from the chart', () => {
    const { chart } = sampleTemplateVersion(1);
    expect(rows('product_template_version')).toMatchObject([
      { helm_chart_repo_url: chart.repoURL, chart_version: '1.1.0', chart: JSON.stringify(chart) },
    ]);
  });

  it('is strict about types', () => {
    refused(`UPDATE deployment SET generation = 'many'`, 'cannot store TEXT');
  });
});
