import pg from 'pg';
import { describe, inject } from 'vitest';
import { createSqlRepository, fromPgPool, type PostgresOptions, type SqlRepository } from '../src/index.ts';

export const serverUrl: string | null = inject('postgresUrl');

/** `describe`, left out where no server was started. */
export const describeWithServer: typeof describe.skip = serverUrl === null ? describe.skip : describe;

/** A database of its own on the server of this run. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** A pool that is ended with the database. */
  pool(config?: pg.PoolConfig): pg.Pool;
  /** A client that is ended with the database. */
  client(config?: pg.ClientConfig): Promise<pg.Client>;
  /** A repository, on a pool of its own where no executor is given. */
  open(options?: Partial<PostgresOptions>, config?: pg.PoolConfig): Promise<SqlRepository>;
}

let databases = 0;

export async function createDatabase(): Promise<TestDatabase> {
  if (serverUrl === null) throw new Error('There is no server.');
  databases += 1;
  const name = `test_${process.pid}_${databases}`;
  await asAdministrator(`CREATE DATABASE ${name}`);
  const url = `${serverUrl}/${name}`;
  const clients: { end(): Promise<void> }[] = [];
  const pool = (config: pg.PoolConfig = {}) => {
    const made = new pg.Pool({ connectionString: url, ...config });
    // As a host does: without it, an idle connection that is lost would end the process.
    made.on('error', () => {});
    clients.push(made);
    return made;
  };
  return {
    url,
    pool,
    async client(config = {}) {
      const made = new pg.Client({ connectionString: url, ...config });
      made.on('error', () => {});
      await made.connect();
      clients.push(made);
      return made;
    },
    open: (options = {}, config = {}) =>
      createSqlRepository({ ...options, executor: options.executor ?? fromPgPool(pool(config)) }),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end()));
      await asAdministrator(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function asAdministrator(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: `${serverUrl}/postgres` });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
