import type { Timestamp } from '@caelus/core';
import { repositoryContract } from '@caelus/core/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fromPgPool, type SqlExecutor } from '../src/index.ts';
import { type PgbouncerServer, startPgbouncer } from './pgbouncer-server.ts';
import { createDatabase, serverUrl, type TestDatabase } from './postgres-database.ts';

const binary: string | null = inject('pgbouncer');
const describeWithPooler = serverUrl === null || binary === null ? describe.skip : describe;

let database: TestDatabase;
let pooler: PgbouncerServer;
let pools: readonly pg.Pool[];
let executor: SqlExecutor;
beforeAll(async () => {
  if (serverUrl === null || binary === null) return;
  database = await createDatabase();
  pooler = await startPgbouncer(binary, database.url, { connections: 4 });
  pools = [0, 1].map(() => new pg.Pool({ connectionString: pooler.url, max: 8 }));
  executor = withoutListen(pools[0] as pg.Pool);
});
afterAll(async () => {
  if (serverUrl === null || binary === null) return;
  await Promise.all(pools.map((pool) => pool.end()));
  await pooler[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** The session that listens would be another one's after its transaction: whoever waits asks from time to time. */
function withoutListen(pool: pg.Pool): SqlExecutor {
  const { listen: _, ...executor } = fromPgPool(pool);
  return executor;
}

let schemas = 0;
const nextSchema = () => {
  schemas += 1;
  return `pooled_${schemas}`;
};

repositoryContract(
  { describe: describeWithPooler, it },
  {
    name: 'PostgreSQL, pool of pg behind PgBouncer in transaction mode',
    capabilities: { multiProcess: true, durable: true },
    async create() {
      const schema = nextSchema();
      return {
        repository: await database.open({ schema, executor }),
        reopen: () => database.open({ schema, executor: withoutListen(pools[1] as pg.Pool) }),
      };
    },
  },
);

const at = '2026-01-01T00:00:00.000Z' as Timestamp;
const later = '2026-01-02T00:00:00.000Z' as Timestamp;

describeWithPooler('behind PgBouncer in transaction mode', () => {
  it('is another session with every transaction', async () => {
    // Without this nothing here would prove anything.
    const clients = await Promise.all(Array.from({ length: 8 }, () => (pools[0] as pg.Pool).connect()));
    const sessions = await Promise.all(
      clients.map(async (client) => (await client.query('SELECT pg_backend_pid() AS pid, pg_sleep(0.01)')).rows[0].pid),
    );
    for (const client of clients) client.release();
    expect(new Set(sessions).size).toBeLessThanOrEqual(4);
  });

  it('more claimers than connections never hold the same instance', async () => {
    const repository = await database.open({ schema: nextSchema(), executor });
    const ids = Array.from({ length: 200 }, (_, number) => `work-${number}` as never);
    await repository.transaction(async (transaction) => {
      for (const id of ids) await transaction.requestWork(id, 'bulk', at);
    });
    const claim = (owner: number) =>
      repository.claimWork({ owner: `claimer-${owner}`, limit: 25, leaseMilliseconds: 60_000, now: later });
    const claimed = (await Promise.all(Array.from({ length: 16 }, (_, owner) => claim(owner)))).flat();
    const held = claimed.map(({ instanceId }) => instanceId);
    expect(new Set(held).size).toBe(held.length);
    // Who came while all that was left was locked got less than there was, and asks again.
    for (;;) {
      const more = await claim(99);
      if (more.length === 0) break;
      held.push(...more.map(({ instanceId }) => instanceId));
    }
    expect(held.toSorted()).toEqual([...ids].toSorted());
  });

  it('work is told of by a connection of its own, straight to the server', async () => {
    const direct = fromPgPool(database.pool({ max: 1 }));
    const listen = direct.listen?.bind(direct);
    if (listen === undefined) throw new Error('A pool of pg can listen.');
    const repository = await database.open({ schema: nextSchema(), executor: { ...executor, listen } });
    let tell = () => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    const stop = await repository.onNews?.(() => tell());
    await repository.transaction((transaction) => transaction.requestWork('work-1' as never, 'x', at));
    await told;
    await stop?.();
  });
});
