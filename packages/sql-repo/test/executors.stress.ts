import { isCaelusError } from '@caelus/core';
import { sampleProduct } from '@caelus/core/testing';
import { sql as drizzleTag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import knexFactory, { type Knex } from 'knex';
import { CamelCasePlugin, Kysely, sql as kyselySql, PostgresDialect } from 'kysely';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPgClient,
  fromPgPool,
  fromTypeOrm,
  type SqlExecutor,
  type SqlRepository,
} from '../src/index.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

// Each adapter on the library that it is for, on a pool whose type parsers a host has changed.

/** A host's library: its own transaction, and how it writes a row of its own in it. */
interface Host {
  readonly executor: SqlExecutor;
  transaction(body: (joined: SqlExecutor, insert: (id: string) => Promise<unknown>) => Promise<void>): Promise<void>;
  end?(): Promise<unknown>;
}

const INSERT = 'INSERT INTO public.host_row (id) VALUES';

/** What a host may have set for its own rows. */
const parsers: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (oid === pg.types.builtins.INT8) return (text: string) => BigInt(text);
    if (oid === pg.types.builtins.TIMESTAMPTZ) return (text: string) => ({ moment: text });
    if (oid === pg.types.builtins.JSON || oid === pg.types.builtins.JSONB) return (text: string) => ['parsed', text];
    return pg.types.getTypeParser(oid, format as 'text');
  },
} as pg.CustomTypesConfig;

async function inClientTransaction(client: pg.ClientBase, body: Parameters<Host['transaction']>[0]): Promise<void> {
  try {
    await client.query('BEGIN');
    await body(fromPgClient(client), (id) => client.query(`${INSERT} ($1)`, [id]));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

const hosts: Readonly<Record<string, (database: TestDatabase) => Promise<Host>>> = {
  async 'pool of pg'(database) {
    const pool = database.pool({ types: parsers });
    return {
      executor: fromPgPool(pool),
      async transaction(body) {
        const client = await pool.connect();
        try {
          await inClientTransaction(client, body);
        } finally {
          client.release();
        }
      },
    };
  },
  async 'client of pg'(database) {
    const client = await database.client({ types: parsers });
    return { executor: fromPgClient(client), transaction: (body) => inClientTransaction(client, body) };
  },
  async 'client of an older pg, which does not know its state'(database) {
    const client = await database.client({ types: parsers });
    Object.assign(client, { getTransactionStatus: undefined });
    return { executor: fromPgClient(client), transaction: (body) => inClientTransaction(client, body) };
  },
  async Kysely(database) {
    const pool = database.pool({ types: parsers });
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }), plugins: [new CamelCasePlugin()] });
    return {
      executor: fromKysely(db, 'postgres'),
      transaction: (body) =>
        db
          .transaction()
          .execute((trx) =>
            body(fromKysely(trx, 'postgres'), (id) => kyselySql`${kyselySql.raw(INSERT)} (${id})`.execute(trx)),
          ),
    };
  },
  async Drizzle(database) {
    const db = drizzle(database.pool({ types: parsers }));
    return {
      executor: fromDrizzle(db, drizzleTag, 'postgres'),
      transaction: (body) =>
        db.transaction((tx) =>
          body(fromDrizzle(tx, drizzleTag, 'postgres'), (id) =>
            tx.execute(drizzleTag`${drizzleTag.raw(INSERT)} (${id})`),
          ),
        ),
    };
  },
  async Knex(database) {
    const shout = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(shout)
        : Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key.toUpperCase(), inner]));
    const db = knexFactory({
      client: 'pg',
      connection: { connectionString: database.url, types: parsers } as Knex.PgConnectionConfig,
      postProcessResponse: (result) => (Array.isArray(result) ? shout(result) : { ...result, rows: result.rows }),
    });
    return {
      executor: fromKnex(db, 'postgres'),
      transaction: (body) =>
        db.transaction((trx) => body(fromKnex(trx, 'postgres'), async (id) => trx.raw(`${INSERT} (?)`, [id]))),
      end: () => db.destroy(),
    };
  },
  async TypeORM(database) {
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    return {
      executor: fromTypeOrm(source, 'postgres'),
      transaction: (body) =>
        source.transaction((manager) =>
          body(fromTypeOrm(manager, 'postgres'), (id) => manager.query(`${INSERT} ($1)`, [id])),
        ),
      end: () => source.destroy(),
    };
  },
};

for (const [library, makeHost] of Object.entries(hosts)) {
  describeWithServer(`an executor on ${library}`, () => {
    let database: TestDatabase;
    let host: Host;
    let outside: pg.Pool;
    let repository: SqlRepository;
    let schemas = 0;

    beforeAll(async () => {
      database = await createDatabase();
      outside = database.pool();
      await outside.query('CREATE TABLE host_row (id text PRIMARY KEY)');
      host = await makeHost(database);
    });
    beforeEach(async () => {
      await outside.query('TRUNCATE host_row');
      schemas += 1;
      repository = await database.open({ executor: host.executor, schema: `s${schemas}` });
    });
    afterAll(async () => {
      await host.end?.();
      await database[Symbol.asyncDispose]();
    });

    /** What everybody sees: the host's rows, and ours. */
    async function committed(): Promise<readonly [hosts: unknown[], ours: unknown[]]> {
      const { rows } = await outside.query<{ id: string }>('SELECT id FROM host_row ORDER BY id');
      const ours = await outside.query<{ slug: string }>(`SELECT slug FROM s${schemas}.product ORDER BY slug`);
      return [rows.map(({ id }) => id), ours.rows.map(({ slug }) => slug)];
    }

    it('reads back what it wrote, whatever parsers the host has', async () => {
      const product = sampleProduct(1);
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(product);
        await transaction.requestWork('work-1' as never, 'created', product.createdAt);
        await transaction.appendEvent({
          at: product.createdAt,
          type: 'product-created',
          instanceId: null,
          generation: 7,
          changeId: null,
          actor: { name: 'Zoë' },
          data: { list: [1, 'two', null] },
        });
      });
      expect(await repository.findProduct(product.id)).toEqual(product);
      expect(await repository.listEvents()).toMatchObject([{ generation: 7, data: { list: [1, 'two', null] } }]);
      const claim = { owner: 'o', limit: 5, leaseMilliseconds: 1000, now: product.createdAt };
      const [item] = await repository.claimWork(claim);
      expect(item).toMatchObject({ instanceId: 'work-1', requested: 1, attempts: 0 });
      if (item === undefined) return;
      expect(await repository.transaction((transaction) => transaction.completeWork(item))).toBe(true);
      expect(await repository.transaction((transaction) => transaction.completeWork(item))).toBe(false);
      expect(await repository.workBacklog()).toEqual({ pending: 0, failing: 0, dead: 0, oldestRequestedAt: null });
    });

    it('undoes a transaction whose body throws, and throws the very same', async () => {
      for (const reason of [new Error('the body failed'), undefined, 'a text']) {
        const failing = repository.transaction(async (transaction) => {
          await transaction.insertProduct(sampleProduct(1));
          throw reason;
        });
        expect(await failing.catch((error: unknown) => [error])).toEqual([reason]);
      }
      expect(await committed()).toEqual([[], []]);
    });

    it('goes on after a refusal', async () => {
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        await expect(transaction.insertProduct(sampleProduct(1))).rejects.toMatchObject({ code: 'PRODUCT_EXISTS' });
        await transaction.insertProduct(sampleProduct(2));
      });
      expect(await committed()).toEqual([[], ['slug-1', 'slug-2']]);
    });

    it('joined to the host’s transaction commits with it', async () => {
      await host.transaction(async (joined, insert) => {
        await insert('host');
        const rows = repository.in(joined);
        await rows.transaction((transaction) => transaction.insertProduct(sampleProduct(1)));
        expect((await rows.findProduct(sampleProduct(1).id))?.slug).toBe('slug-1');
        if (library.startsWith('client')) return;
        expect(await committed()).toEqual([[], []]);
      });
      expect(await committed()).toEqual([['host'], ['slug-1']]);
    });

    it('joined to the host’s transaction vanishes with it', async () => {
      const failing = host.transaction(async (joined, insert) => {
        await insert('host');
        await repository.in(joined).transaction((transaction) => transaction.insertProduct(sampleProduct(1)));
        throw new Error('the host failed');
      });
      await expect(failing).rejects.toThrow('the host failed');
      expect(await committed()).toEqual([[], []]);
    });

    it('joined to the host’s transaction leaves that usable where our part fails', async () => {
      await repository.transaction((transaction) => transaction.insertProduct(sampleProduct(1)));
      await host.transaction(async (joined, insert) => {
        await insert('before');
        const rows = repository.in(joined);
        const refused = rows.transaction(async (transaction) => {
          await transaction.insertProduct(sampleProduct(2));
          await transaction.insertProduct(sampleProduct(1));
        });
        await expect(refused).rejects.toMatchObject({ code: 'PRODUCT_EXISTS' });
        // An error that no constraint has made: PostgreSQL would refuse everything after it.
        await outside.query(`ALTER TABLE s${schemas}.drift RENAME TO elsewhere`);
        const broken = rows.transaction((transaction) =>
          transaction.putDrift('i' as never, null, sampleProduct(1).createdAt),
        );
        await expect(broken).rejects.toMatchObject({ code: 'SQL_STATEMENT_FAILED', details: { sqlState: '42P01' } });
        await expect(rows.listDrift()).rejects.toMatchObject({ code: 'SQL_STATEMENT_FAILED' });
        await insert('after');
        await rows.transaction((transaction) => transaction.insertProduct(sampleProduct(3)));
      });
      expect(await committed()).toEqual([
        ['after', 'before'],
        ['slug-1', 'slug-3'],
      ]);
    });

    it('as an executor, its transactions are savepoints inside the host’s', async () => {
      await host.transaction(async (joined, insert) => {
        const failing = joined.transaction(async (connection) => {
          await connection.query(`INSERT INTO s${schemas}.drift VALUES ($1, $2, $3)`, ['i', 'missing', '2026-01-01']);
          throw new Error('the body failed');
        });
        await expect(failing).rejects.toThrow('the body failed');
        await insert('host');
        const kept = joined.transaction((connection) => connection.query('SELECT 1::text AS one', []));
        expect(await kept).toMatchObject({ rows: [{ one: '1' }] });
      });
      expect(await committed()).toEqual([['host'], []]);
      expect((await repository.listDrift()).items).toEqual([]);
    });

    it('without an open transaction cannot be joined', async () => {
      const rows = repository.in(host.executor);
      for (const call of [
        () => rows.transaction((transaction) => transaction.insertProduct(sampleProduct(1))),
        () => rows.listProducts(),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'SQL_TRANSACTION_MISSING' });
      }
      expect(await committed()).toEqual([[], []]);
    });

    it('shows no value, no statement and no detail of the server in its errors', async () => {
      const secret = 'hunter2';
      const messages: string[] = [];
      const collect = (error: unknown): void => {
        if (!(error instanceof Error)) return;
        const { details } = error as { details?: unknown };
        messages.push(error.message, error.stack ?? '', JSON.stringify({ ...error }), JSON.stringify(details ?? ''));
        collect(error.cause);
      };
      const product = sampleProduct(1, { name: secret });
      await repository.transaction((transaction) => transaction.insertProduct(product));
      await repository.transaction((transaction) => transaction.insertProduct(product)).catch(collect);
      await outside.query(`ALTER TABLE s${schemas}.product ADD CHECK (name <> 'hunter3')`);
      await outside.query(`ALTER TABLE s${schemas}.product DROP COLUMN created_at`);
      const other = sampleProduct(2, { name: `${secret} again` });
      const failure = await repository
        .transaction((transaction) => transaction.insertProduct(other))
        .catch((error: unknown) => error);
      expect(isCaelusError(failure, 'SQL_STATEMENT_FAILED')).toBe(true);
      collect(failure);
      expect(messages.length).toBeGreaterThan(4);
      expect(messages.join('\n')).not.toMatch(/hunter2|INSERT INTO|Failing row/);
    });
  });
}
