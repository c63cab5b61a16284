import pg from 'pg';
import { findPostgres, startPostgres } from '../../../packages/sql-repo/test/postgres-server.ts';

/** What the parts of the benchmark share: a server of PostgreSQL, and one of Git over HTTP. */
export interface SqlPlace {
  readonly programs: Readonly<Record<'enqueue' | 'claim' | 'wake' | 'list' | 'fleet', string>>;
  /** Where the HTTP server finds its repositories. Removed at the end. */
  readonly directory: string;
  readonly serverUrl: string;
  readonly short: boolean;
  readonly wants: (name: string) => boolean;
  readonly progress: (line: string) => void;
  /** An empty database of its own; returns its URL. */
  createDatabase(name: string): Promise<string>;
}

export interface BenchDatabases extends AsyncDisposable {
  createDatabase(name: string): Promise<string>;
}

/** A server on loopback that cleans up as it does for a host, and where it counts makes durable what it acknowledges. */
export async function startDatabases(short: boolean): Promise<BenchDatabases> {
  const binaries = await findPostgres();
  if (binaries === undefined) throw new Error('PostgreSQL (initdb, postgres) is not installed here. Install it.');
  const settings = { fsync: short ? 'off' : 'on', autovacuum: 'on', shared_buffers: '256MB', timezone: 'UTC' };
  const server = await startPostgres(binaries, settings);
  return {
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: `${server.url}/postgres` });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${name}`);
      } finally {
        await client.end();
      }
      return `${server.url}/${name}`;
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}
