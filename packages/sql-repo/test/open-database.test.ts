import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isCaelusError } from '@caelus/core';
import { sampleInstance, sampleProduct, sampleTemplateVersion } from '@caelus/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqlRepository, type SqlRepositoryOptions } from '../src/index.ts';
import { loadSqliteDriver, type SqliteConnection, sqliteDrivers } from '../src/sqlite/sqlite-driver.ts';
import { presentDrivers, type TemporaryDirectory, temporaryDirectory } from './sqlite-files.ts';

const SECRET = 'hunter2';

let directory: TemporaryDirectory;
let file: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  file = join(directory.path, 'caelus.db');
});
afterEach(() => directory[Symbol.asyncDispose]());

/** All that an error says, and the errors below it say. */
function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, stack, details } = error as Error & { details?: unknown };
  return [message, stack, JSON.stringify(details), everythingOf(error.cause ?? '')].join('\n');
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => error,
  );
}

const openAndClose = async (options: Partial<SqlRepositoryOptions> = {}) => {
  await using repository = await createSqlRepository({ file, ...options });
  return repository.storeId;
};

async function behind<T>(work: (connection: SqliteConnection) => T): Promise<T> {
  const connection = (await loadSqliteDriver()).open(file);
  try {
    return work(connection);
  } finally {
    connection.close();
  }
}

describe('createSqlRepository', () => {
  it('takes the store id of a database that was lost, and refuses a database that has another', async () => {
    const storeId = '99999999-2222-4333-8444-555555555555';
    for (let opening = 0; opening < 2; opening++) {
      await using repository = await createSqlRepository({ file, storeId });
      expect(repository.storeId).toBe(storeId);
    }
    const other = '11111111-2222-4333-8444-555555555555';
    expect(await failure(createSqlRepository({ file, storeId: other }))).toMatchObject({
      code: 'STORE_FOREIGN',
      details: { expected: other, actual: storeId },
    });
    expect(await failure(createSqlRepository({ file, storeId: 'mine' }))).toMatchObject({ code: 'ID_INVALID' });
  });

  it('takes a path or a file: URL, and makes a file that its owner alone can read', async () => {
    const storeId = await openAndClose();
    expect(await openAndClose({ file: pathToFileURL(file) })).toBe(storeId);
    if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('makes the store id by the source that it is given, once', async () => {
    const first = '11111111-1111-4111-8111-111111111111';
    expect(await openAndClose({ ids: { uuid: () => first } })).toBe(first);
    expect(await openAndClose({ ids: { uuid: () => '22222222-2222-4222-8222-222222222222' } })).toBe(first);
  });

  it('names the database by its file, without the directory', async () => {
    await using repository = await createSqlRepository({ file });
    expect(repository.name).toBe('sqlite:caelus.db');
  });

  it('opens with every driver that is present, and one reads what the other wrote', async () => {
    const drivers = await presentDrivers();
    expect(drivers.length).toBeGreaterThan(0);
    const ids = new Set<string>();
    // One after the other: two SQLite libraries in one process undo each other's POSIX locks on a file.
    for (const { name } of drivers) ids.add(await openAndClose({ driver: name }));
    expect(ids.size).toBe(1);
  });

  it('refuses options that it cannot take, all at once', async () => {
    const options = { file: '', driver: 'sqlite9', busyTimeoutMilliseconds: -1 } as unknown as SqlRepositoryOptions;
    expect(await failure(createSqlRepository(options))).toMatchObject({
      code: 'INVALID_INPUT',
      details: { issues: [{ path: '/file' }, { path: '/driver' }, { path: '/busyTimeoutMilliseconds' }] },
    });
    for (const bad of [new URL('https://example.com/x.db'), `a${String.fromCharCode(0)}b`, 7 as unknown as string]) {
      expect(await failure(openAndClose({ file: bad }))).toMatchObject({ code: 'INVALID_INPUT' });
    }
    for (const busyTimeoutMilliseconds of [600_001, Number.NaN]) {
      expect(await failure(openAndClose({ busyTimeoutMilliseconds }))).toMatchObject({ code: 'INVALID_INPUT' });
    }
    for (const busyTimeoutMilliseconds of [0, 600_000]) await openAndClose({ busyTimeoutMilliseconds });
  });

  it('says which drivers it tried where none can be loaded', async () => {
    const present = (await presentDrivers()).map(({ name }) => name);
    for (const driver of sqliteDrivers.filter((name) => !present.includes(name))) {
      expect(await failure(openAndClose({ driver }))).toMatchObject({
        code: 'SQL_DRIVER_MISSING',
        details: { tried: [driver] },
      });
    }
  });

  it('is UNAVAILABLE where the file cannot be opened', async () => {
    for (const bad of [join(directory.path, 'missing', 'caelus.db'), directory.path]) {
      expect(await failure(openAndClose({ file: bad }))).toMatchObject({ code: 'UNAVAILABLE', retryable: false });
    }
  });

  it('is STORE_CORRUPT where the file is not a database, and shows nothing of it', async () => {
    const text = `password = ${SECRET}\n`.repeat(500);
    await writeFile(file, text);
    const error = await failure(openAndClose());
    expect(error).toMatchObject({ code: 'STORE_CORRUPT', details: { what: 'sqlite:caelus.db' } });
    expect(everythingOf(error)).not.toContain(SECRET);
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('is STORE_CORRUPT where pages of the database are damaged', async () => {
    await openAndClose();
    const bytes = await readFile(file);
    bytes.fill(0xff, 100, 8192);
    await writeFile(file, bytes);
    expect(await failure(openAndClose())).toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('refuses a database of another application, and leaves it as it is', async () => {
    await behind((connection) => connection.execute('CREATE TABLE product (price INTEGER)'));
    const before = await readFile(file);
    expect(await failure(openAndClose())).toMatchObject({ code: 'SQL_DATABASE_FOREIGN' });
    expect(Buffer.compare(await readFile(file), before)).toBe(0);
    await behind((connection) => connection.execute('DROP TABLE product; PRAGMA application_id = 77'));
    expect(await failure(openAndClose())).toMatchObject({ code: 'SQL_DATABASE_FOREIGN' });
  });

  it('keeps to the settings that durability needs', async () => {
    await openAndClose();
    expect(await behind((connection) => connection.query('PRAGMA journal_mode').rows)).toEqual([
      { journal_mode: 'wal' },
    ]);
  });

  it('stops at once where the signal is aborted', async () => {
    const reason = new Error('stopped by the test');
    expect(await failure(openAndClose({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe('a row that cannot be read', () => {
  const spoiled: readonly (readonly [sql: string, what: string, read: string])[] = [
    [`UPDATE product SET name = ''`, 'product product-1', 'listProducts'],
    [`UPDATE deployment SET user_values = '{"password": "${SECRET}'`, 'deployment', 'listInstances'],
    [`UPDATE deployment SET platform_values = '${SECRET}'`, 'deployment', 'listInstances'],
    [`UPDATE deployment SET labels = '["${SECRET}"]'`, 'deployment', 'listInstances'],
    [`UPDATE deployment SET tenant = 'No Tenant ${SECRET}'`, 'deployment', 'listInstances'],
    [`INSERT INTO drift VALUES ('i', '${SECRET}', '2026-01-01T00:00:00.000Z')`, 'drift i', 'listDrift'],
    [`INSERT INTO event (at, type, data) VALUES ('${SECRET}', 'product-created', '{}')`, 'event 1', 'listEvents'],
    [`UPDATE meta SET value = '${SECRET}'`, 'meta store_id', 'open'],
  ];

  it.each(spoiled)('after %s is STORE_CORRUPT, which names it and shows nothing of it', async (sql, what, read) => {
    {
      await using repository = await createSqlRepository({ file });
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        await transaction.insertTemplateVersion(sampleTemplateVersion(1));
        await transaction.insertInstance(sampleInstance(1));
      });
    }
    await behind((connection) => connection.execute(sql));
    const call = async () => {
      await using repository = await createSqlRepository({ file });
      if (read !== 'open') await repository[read as 'listInstances']();
    };
    const error = await failure(call());
    if (!isCaelusError(error, 'STORE_CORRUPT')) throw error;
    expect(error.details.what).toContain(what);
    expect(everythingOf(error)).not.toContain(SECRET);
  });
});

describe('a database that another process writes to', () => {
  it('is waited for with the thread free, until the busy timeout has passed', async () => {
    await using repository = await createSqlRepository({ file, busyTimeoutMilliseconds: 150 });
    const other = (await loadSqliteDriver()).open(file);
    other.execute('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => {
      ticks += 1;
    }, 1);
    const error = await failure(repository.transaction(async () => {}));
    clearInterval(ticking);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, details: { what: 'sqlite:caelus.db' } });
    expect(ticks).toBeGreaterThan(2);
    expect((await repository.listProducts()).items).toEqual([]);
    other.execute('COMMIT');
    other.close();
    await repository.transaction((transaction) => transaction.insertProduct(sampleProduct(1)));
  });

  it('is not waited for any longer once the signal is aborted', async () => {
    await using repository = await createSqlRepository({ file, busyTimeoutMilliseconds: 600_000 });
    const other = (await loadSqliteDriver()).open(file);
    other.execute('BEGIN IMMEDIATE');
    const controller = new AbortController();
    const waiting = failure(repository.transaction(async () => {}, { signal: controller.signal }));
    const reason = new Error('stopped by the test');
    setImmediate(() => controller.abort(reason));
    expect(await waiting).toBe(reason);
    other.execute('COMMIT');
    other.close();
  });
});

describe('a read', () => {
  it('of a file does not wait for the transaction that runs', async () => {
    await using repository = await createSqlRepository({ file });
    let commit = () => {};
    const asked = new Promise<void>((resolve) => {
      commit = resolve;
    });
    let wrote = () => {};
    const written = new Promise<void>((resolve) => {
      wrote = resolve;
    });
    const running = repository.transaction(async (transaction) => {
      await transaction.insertProduct(sampleProduct(1));
      wrote();
      await asked;
    });
    await written;
    expect((await repository.listProducts()).items).toEqual([]);
    commit();
    await running;
    expect((await repository.listProducts()).items).toHaveLength(1);
  });
});

describe('inside the body of a transaction', () => {
  it.each(['file', ':memory:'])(
    'another transaction is refused, and a read of the repository goes on: %s',
    async (where) => {
      await using repository = await createSqlRepository({ file: where === 'file' ? file : where });
      await repository.transaction(async (transaction) => {
        await transaction.insertProduct(sampleProduct(1));
        expect(await failure(repository.transaction(async () => {}))).toMatchObject({ code: 'SQL_TRANSACTION_NESTED' });
        expect((await repository.listTemplateVersions()).items).toEqual([]);
      });
      expect((await repository.listProducts()).items).toHaveLength(1);
    },
  );
});
