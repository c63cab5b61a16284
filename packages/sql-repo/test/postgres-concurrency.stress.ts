import type { CaelusEvent, Timestamp } from '@caelus/core';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import type pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { fromPgPool, type SqlRepository } from '../src/index.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

let database: TestDatabase;
let pool: pg.Pool;
beforeEach(async () => {
  database = await createDatabase();
  pool = database.pool();
});
afterEach(() => database[Symbol.asyncDispose]());

const at = '2026-01-01T00:00:00.000Z' as Timestamp;

function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Waits until the database says so: a fixed pause would be too short on some machine. */
async function until(question: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await question())) {
    if (Date.now() > deadline) throw new Error('It did not come about in time.');
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
  }
}

const waiting = async () =>
  Number(
    (
      await pool.query(
        `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      )
    ).rows[0].count,
  );

const event = (number: number) => ({
  at,
  type: 'product-created' as const,
  instanceId: null,
  generation: null,
  changeId: null,
  actor: null,
  data: { number },
});

const numbers = (events: readonly CaelusEvent[]) => events.map(({ data }) => data.number);

async function withInstance(): Promise<SqlRepository> {
  const repository = await database.open();
  await repository.transaction(async (transaction) => {
    await transaction.insertProduct(sampleProduct(1));
    await transaction.insertTemplateVersion(sampleTemplateVersion(1));
    await transaction.insertInstance(sampleInstance(1));
    await transaction.insertInstance(sampleInstance(2));
  });
  return repository;
}

const update = (reason: string) => ({
  changeId: '00000000-0000-4000-9000-000000000001' as never,
  changedBy: null,
  updatedAt: at,
  status: 'Pending' as const,
  statusReason: reason,
});

describeWithServer('eight that start at once on an empty database', () => {
  it('apply the migrations once, and share the store id', async () => {
    const repositories = await Promise.all(Array.from({ length: 8 }, () => database.open()));
    expect(new Set(repositories.map(({ storeId }) => storeId)).size).toBe(1);
    const { rows } = await pool.query('SELECT version FROM caelus.migration');
    expect(rows).toEqual([{ version: 1 }]);
  });

  it('wait for no lock once the migrations are there', async () => {
    await database.open();
    const client = await database.client();
    await client.query(`BEGIN; LOCK TABLE caelus.migration IN SHARE MODE; LOCK TABLE caelus.deployment IN SHARE MODE`);
    await database.open();
    await client.query('ROLLBACK');
  });
});

describeWithServer('reading events while transactions write them', () => {
  it('waits for a transaction that began before the event, and so misses none', async () => {
    const repository = await database.open();
    // The first transaction has its number, the second one has another and the smaller `seq`; the first commits first.
    const began = gate();
    const mayAppend = gate();
    const mayEnd = gate();
    const wrote = gate();
    const first = repository.transaction(async (transaction) => {
      await transaction.insertProduct(sampleProduct(1));
      began.open();
      await mayAppend.opened;
      await transaction.appendEvent(event(1));
    });
    await began.opened;
    const second = repository.transaction(async (transaction) => {
      await transaction.appendEvent(event(2));
      wrote.open();
      await mayEnd.opened;
    });
    await wrote.opened;
    mayAppend.open();
    await first;
    const seen = await repository.listEvents();
    expect(numbers(seen)).toEqual([1]);
    mayEnd.open();
    await second;
    expect(numbers(await repository.listEvents({ after: seen.at(-1)?.cursor }))).toEqual([2]);
  });

  it('does not show an event that an earlier transaction may still come before', async () => {
    const repository = await database.open();
    const began = gate();
    const mayEnd = gate();
    const first = repository.transaction(async (transaction) => {
      await transaction.appendEvent(event(1));
      began.open();
      await mayEnd.opened;
    });
    await began.opened;
    await repository.transaction((transaction) => transaction.appendEvent(event(2)));
    expect(numbers(await repository.listEvents())).toEqual([]);
    mayEnd.open();
    await first;
    expect(numbers(await repository.listEvents())).toEqual([1, 2]);
  });

  it('misses and doubles nothing beside forty writers', async () => {
    const writers = await database.open({}, { max: 20 });
    const reader = await database.open();
    let isOver = false;
    const seen: unknown[] = [];
    const read = (async () => {
      let after: string | undefined;
      for (;;) {
        const wasOver = isOver;
        const page = await reader.listEvents({ after, limit: 7 });
        seen.push(...numbers(page));
        after = page.at(-1)?.cursor ?? after;
        if (wasOver && page.length === 0) return;
      }
    })();
    const write = Array.from({ length: 40 }, async (_, writer) => {
      for (let round = 0; round < 10; round++) {
        const call = writers.transaction(async (transaction) => {
          await transaction.requestWork(`work-${writer}` as never, 'x', at);
          await transaction.appendEvent(event(writer * 100 + round));
          if (round % 3 === 2) throw new Error('undone');
          await transaction.appendEvent(event(writer * 100 + round + 50));
        });
        await call.catch(() => {});
      }
    });
    await Promise.all(write);
    isOver = true;
    await read;
    const expected = Array.from({ length: 40 }, (_, writer) =>
      [0, 1, 3, 4, 6, 7, 9].flatMap((round) => [writer * 100 + round, writer * 100 + round + 50]),
    ).flat();
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(expected.toSorted((a, b) => a - b));
  });

  it('goes on where a dump was restored into a cluster whose transactions are numbered from anew', async () => {
    const before = await database.open();
    await before.transaction((transaction) => transaction.appendEvent(event(1)));
    // What a restored table holds: events of transactions that this cluster has not reached by far.
    const place = (await pool.query(`SELECT pg_get_functiondef('caelus.place_event'::regproc) AS sql`)).rows[0].sql;
    await pool.query('ALTER TABLE caelus.event DISABLE TRIGGER event_placed');
    await pool.query(`INSERT INTO caelus.event (position, cursor, at, type, data) VALUES
      (5000000000, '000000005000000000-000000000000000077', now(), 'product-created', '{"number": 2}')`);
    await pool.query('ALTER TABLE caelus.event ENABLE TRIGGER event_placed');
    expect(place).toContain('event_offset');
    const after = await database.open();
    const old = await after.listEvents();
    expect(numbers(old)).toEqual([1, 2]);
    await after.transaction((transaction) => transaction.appendEvent(event(3)));
    expect(numbers(await after.listEvents({ after: old.at(-1)?.cursor }))).toEqual([3]);
    await database.open();
    expect(numbers(await after.listEvents())).toEqual([1, 2, 3]);
  });
});

describeWithServer('claiming work', () => {
  it('does not wait for what another one is claiming, and takes the next', async () => {
    const repository = await database.open();
    await repository.transaction(async (transaction) => {
      for (const id of ['a', 'b', 'c']) await transaction.requestWork(`work-${id}` as never, 'x', at);
    });
    const other = await database.client();
    await other.query(`BEGIN; SELECT 1 FROM caelus.work WHERE deployment_id = 'work-a' FOR UPDATE`);
    const claimed = await repository.claimWork({ owner: 'o', limit: 2, leaseMilliseconds: 1000, now: at });
    expect(claimed.map(({ instanceId }) => instanceId)).toEqual(['work-b', 'work-c']);
    await other.query('ROLLBACK');
  });

  it('gives each piece to one of sixteen, and to nobody more than the limit', async () => {
    const repository = await database.open({}, { max: 16 });
    await repository.transaction(async (transaction) => {
      for (let number = 0; number < 500; number++) await transaction.requestWork(`work-${number}` as never, 'x', at);
    });
    const claimers = Array.from({ length: 16 }, async (_, owner) => {
      const own: string[] = [];
      for (;;) {
        const items = await repository.claimWork({ owner: `${owner}`, limit: 7, leaseMilliseconds: 1000, now: at });
        if (items.length === 0) return own;
        expect(items.length).toBeLessThanOrEqual(7);
        own.push(...items.map(({ instanceId }) => instanceId));
      }
    });
    const claimed = (await Promise.all(claimers)).flat();
    expect(claimed).toHaveLength(500);
    expect(new Set(claimed).size).toBe(500);
  });

  it('is announced with the commit of the request, once for each transaction, and not before', async () => {
    const repository = await database.open();
    let calls = 0;
    const stop = await repository.onNews?.(() => {
      calls += 1;
    });
    const requested = repository.transaction(async (transaction) => {
      for (const id of ['a', 'b']) await transaction.requestWork(`work-${id}` as never, 'x', at);
      await pool.query('SELECT 1');
      expect(calls).toBe(0);
    });
    await requested;
    await until(async () => calls > 0);
    const undone = repository.transaction(async (transaction) => {
      await transaction.requestWork('work-c' as never, 'x', at);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    // The next one comes after whatever the undone one could have sent.
    await repository.transaction((transaction) => transaction.requestWork('work-a' as never, 'x', at));
    await until(async () => calls > 1);
    expect(calls).toBe(2);

    // The connection is lost: it is made anew, and one call makes up for what was not heard.
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'`);
    await until(async () => calls > 2);
    await repository.transaction((transaction) => transaction.requestWork('work-a' as never, 'x', at));
    await until(async () => calls > 3);
    await stop?.();
    // The server takes a moment to see that the connection is gone.
    const listening = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`;
    await until(async () => (await pool.query(listening)).rows.length === 0);
  });
});

describeWithServer('two transactions on one row', () => {
  it('take turns, so that the second decides by what the first wrote', async () => {
    const repository = await withInstance();
    const id = sampleInstance(1).id;
    const held = gate();
    const mayEnd = gate();
    const first = repository.transaction(async (transaction) => {
      await transaction.updateDesired(id, 1, update('first'));
      held.open();
      await mayEnd.opened;
    });
    await held.opened;
    const second = repository.transaction((transaction) => transaction.updateDesired(id, 1, update('second')));
    const refused = expect(second).rejects.toMatchObject({
      code: 'GENERATION_STALE',
      details: { expected: 1, actual: 2 },
    });
    await until(async () => (await waiting()) === 1);
    mayEnd.open();
    await Promise.all([first, refused]);
    expect(await repository.findInstance(id)).toMatchObject({ generation: 2, statusReason: 'first' });
  });

  it('that lock each other out are run again', async () => {
    const repository = await withInstance();
    const ids = [sampleInstance(1).id, sampleInstance(2).id] as const;
    let runs = 0;
    let locked = 0;
    const bothLocked = gate();
    const cross = (one: (typeof ids)[number], other: (typeof ids)[number]) =>
      repository.transaction(async (transaction) => {
        runs += 1;
        const found = await transaction.findInstance(one);
        locked += 1;
        if (locked === 2) bothLocked.open();
        await bothLocked.opened;
        await transaction.findInstance(other);
        await transaction.updateDesired(one, found?.generation ?? 0, update('crossed'));
      });
    await Promise.all([cross(ids[0], ids[1]), cross(ids[1], ids[0])]);
    expect(runs).toBeGreaterThan(2);
    for (const id of ids) expect((await repository.findInstance(id))?.generation).toBe(2);
  });

  it('with the same idempotency key carry the command out once', async () => {
    const repository = await database.open();
    let carriedOut = 0;
    const once = () =>
      repository.transaction(async (transaction) => {
        if ((await transaction.findIdempotencyRecord('s', 'k')) !== undefined) return;
        carriedOut += 1;
        await pool.query('SELECT 1');
        await transaction.putIdempotencyRecord({ scope: 's', key: 'k', requestHash: 'h', response: 1, expiresAt: at });
      });
    await Promise.all(Array.from({ length: 8 }, once));
    expect(carriedOut).toBe(1);
  });

  it('are run again where the database is set to SERIALIZABLE', async () => {
    const repository = await withInstance();
    await pool.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`,
    );
    const strict = await database.open();
    const id = sampleInstance(1).id;
    const raise = async () => {
      await strict.transaction(async (transaction) => {
        const found = await transaction.findInstance(id);
        await transaction.updateDesired(id, found?.generation ?? 0, update('raised'));
      });
    };
    await Promise.all(Array.from({ length: 5 }, raise));
    expect((await repository.findInstance(id))?.generation).toBe(6);
  });
});

describeWithServer('a connection that is lost', () => {
  it('is UNAVAILABLE and may be tried again, and the pool goes on', async () => {
    const repository = await database.open();
    const lost = repository.transaction(async (transaction) => {
      await transaction.insertProduct(sampleProduct(1));
      await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
      );
      await transaction.insertProduct(sampleProduct(2));
    });
    await expect(lost).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    await repository.transaction((transaction) => transaction.insertProduct(sampleProduct(3)));
    expect((await repository.listProducts()).items.map(({ slug }) => slug)).toEqual(['slug-3']);
  });

  it('is UNAVAILABLE where no server answers', async () => {
    const executor = fromPgPool(database.pool({ connectionString: 'postgres://caelus@127.0.0.1:1/none' }));
    await expect(database.open({ executor })).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });
});

describeWithServer('a body that hides an error of the database', () => {
  it('commits nothing, and says so', async () => {
    const repository = await database.open();
    await pool.query('ALTER TABLE caelus.drift RENAME TO elsewhere');
    const hiding = repository.transaction(async (transaction) => {
      await transaction.insertProduct(sampleProduct(1));
      await transaction.putDrift('i' as never, null, at).catch(() => {});
    });
    await expect(hiding).rejects.toMatchObject({ code: 'SQL_STATEMENT_FAILED', details: { sqlState: '42P01' } });
    expect((await repository.listProducts()).items).toEqual([]);
  });
});

describeWithServer('behind a pooler in transaction mode', () => {
  it('works, and leaves nothing behind in a session: no prepared statement, lock or setting', async () => {
    const few = database.pool({ max: 2 });
    const repository = await database.open({ executor: fromPgPool(few) });
    const settings = async () => {
      const clients = await Promise.all([few.connect(), few.connect()]);
      const found = await Promise.all(
        clients.map(async (client) => {
          const state = await client.query(`SELECT (SELECT count(*) FROM pg_prepared_statements) AS prepared,
            (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks,
            current_setting('search_path') AS path, current_setting('lock_timeout') AS timeout`);
          return state.rows[0];
        }),
      );
      for (const client of clients) client.release();
      return found;
    };
    await Promise.all(
      Array.from({ length: 10 }, (_, number) =>
        repository.transaction(async (transaction) => {
          await transaction.findIdempotencyRecord('s', `${number % 2}`);
          await transaction.insertProduct(sampleProduct(number));
        }),
      ),
    );
    const clean = { prepared: '0', locks: '0', path: '"$user", public', timeout: '0' };
    expect(await settings()).toEqual([clean, clean]);
  });
});
