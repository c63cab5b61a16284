// A host that changes its own rows, and asks for work in the same transaction or does not.
import { toTimestamp, type WorkItem } from '@caelus/core';
import { type AttachOptions, createSqlRepository, fromPgClient, fromPgPool } from '@caelus/sql-repo';
import { timed } from '../bench-result.ts';
import { answerCalls } from '../process-calls.ts';
import { idOf, type OpenRows, openRows } from './open-rows.ts';

let rows: OpenRows | undefined;

const opened = () => {
  if (rows === undefined) throw new Error('no database is open');
  return rows;
};
/** A host's own tables, as an ORM makes them. */
const HOST_TABLES = `
CREATE SCHEMA shop;
CREATE TABLE shop.product (id int PRIMARY KEY, name text NOT NULL, slug text NOT NULL);
CREATE TABLE shop.template (id int PRIMARY KEY, product_id int NOT NULL REFERENCES shop.product (id), chart_version text,
  values_schema json);
CREATE TABLE shop.deployment (id int PRIMARY KEY, tenant text NOT NULL, name text NOT NULL, user_values json,
  desired_template_id int NOT NULL REFERENCES shop.template (id), status text NOT NULL, note text NOT NULL);
INSERT INTO shop.product VALUES (1, 'Wiki', 'wiki');
INSERT INTO shop.template VALUES (1, 1, '1.0.0', NULL);
`;
const attach: AttachOptions = {
  schema: 'shop',
  templateVersion: { table: 'template', valuesSchema: 'values_schema' },
  deployment: {
    desiredTemplateVersionId: 'desired_template_id',
    userValues: 'user_values',
    tenant: 'tenant',
    tier: { value: 'stable' },
    status: {
      words: { Pending: 'provisioning', Running: 'ready', Failed: 'error', Deleting: 'deleting', Deleted: 'deleted' },
    },
  },
  triggers: 'install',
};
const UPDATE_ALL = `UPDATE shop.deployment SET user_values = json_build_object('replicas', $1::int)`;
const UPDATE = 'UPDATE host_row SET changes = changes + 1 WHERE id = $1';

const handlers = {
  async open(url: string, count: number): Promise<void> {
    rows = await openRows(url, 2);
    const { pool } = rows;
    await pool.query('CREATE TABLE host_row (id text PRIMARY KEY, changes int NOT NULL, note text NOT NULL)');
    const ids = Array.from({ length: count }, (_, index) => idOf('instance', index));
    await pool.query(`INSERT INTO host_row SELECT id, 0, repeat('x', 200) FROM unnest($1::text[]) AS id`, [ids]);
  },
  /** Milliseconds of one transaction that changes the rows one by one. */
  async change(count: number, requestsWork: boolean): Promise<number> {
    const { pool, repository } = opened();
    const client = await pool.connect();
    try {
      return await timed(async () => {
        await client.query('BEGIN');
        for (let index = 0; index < count; index += 1) await client.query(UPDATE, [idOf('instance', index)]);
        if (requestsWork) {
          await repository.in(fromPgClient(client)).transaction(async (transaction) => {
            const at = toTimestamp(new Date());
            for (let index = 0; index < count; index += 1) {
              await transaction.requestWork(idOf('instance', index) as WorkItem['instanceId'], 'bench', at);
            }
          });
        }
        await client.query('COMMIT');
      });
    } finally {
      client.release();
    }
  },
  /** Fills a host's tables, and attaches to them. */
  async attach(count: number): Promise<void> {
    const { pool } = opened();
    await pool.query(HOST_TABLES);
    await pool.query(
      `INSERT INTO shop.deployment SELECT number, 'tenant-' || number % 100, 'd-' || number, '{"replicas": 0}', 1, 'provisioning',
       repeat('x', 200) FROM generate_series(1, $1::int) AS number`,
      [count],
    );
    await using _repository = await createSqlRepository({ executor: fromPgPool(pool), schema: 'attached', attach });
  },
  /** Milliseconds of one statement that changes the desired state of every deployment. */
  async changeAll(round: number, hasTrigger: boolean): Promise<number> {
    const { pool } = opened();
    await pool.query(`ALTER TABLE shop.deployment ${hasTrigger ? 'ENABLE' : 'DISABLE'} TRIGGER USER`);
    // So that no one statement pays for the rows that another has left behind.
    await pool.query('VACUUM shop.deployment');
    return timed(() => pool.query(UPDATE_ALL, [round]));
  },
  async close(): Promise<void> {
    await rows?.pool.end();
  },
};

export type EnqueueProcess = typeof handlers;

answerCalls(handlers);
