import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { loadSqliteDriver } from '../../packages/sql-repo/src/sqlite/sqlite-driver.ts';
import { createDatabase, serverUrl } from '../../packages/sql-repo/test/postgres-database.ts';
import { postgresProgram, startPostgres } from '../../packages/sql-repo/test/postgres-server.ts';

/** A database that is put back to what it was. Nobody has it open meanwhile. */
export interface BackedUpDatabase extends AsyncDisposable {
  /** Where the rows are now: another place after a restore into another one. */
  readonly url: string;
  backUp(): Promise<unknown>;
  restore(): Promise<unknown>;
}

async function asAdministrator(server: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: `${server}/postgres` });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

const nameIn = (url: string) => new URL(url).pathname.slice(1);

/** `pg_dump`, and `pg_restore` into the place of what there is. */
export async function dumpedDatabase(directory: string): Promise<BackedUpDatabase> {
  const database = await createDatabase();
  const { url } = database;
  const file = join(directory, 'caelus.dump');
  return {
    url,
    backUp: () => postgresProgram('pg_dump', ['--format=custom', `--file=${file}`, url]),
    restore: () =>
      postgresProgram('pg_restore', ['--clean', '--if-exists', '--exit-on-error', `--dbname=${url}`, file]),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** `pg_dump`, and `pg_restore` on another server, as after the loss of the first one. */
export async function movedDatabase(directory: string): Promise<BackedUpDatabase> {
  const database = await createDatabase();
  const other = await startPostgres(inject('postgresBinaries') ?? '');
  const file = join(directory, 'caelus.dump');
  let { url } = database;
  return {
    get url() {
      return url;
    },
    backUp: () => postgresProgram('pg_dump', ['--format=custom', '--no-owner', `--file=${file}`, url]),
    async restore() {
      await asAdministrator(other.url, 'CREATE DATABASE restored');
      url = `${other.url}/restored`;
      await postgresProgram('pg_restore', ['--exit-on-error', `--dbname=${url}`, file]);
    },
    async [Symbol.asyncDispose]() {
      await other.stop();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** A copy that the server makes of the whole database. */
export async function copiedDatabase(): Promise<BackedUpDatabase> {
  const database = await createDatabase();
  const { url } = database;
  const [name, copy] = [nameIn(url), `${nameIn(url)}_copy`];
  const server = serverUrl ?? '';
  return {
    url,
    backUp: () => asAdministrator(server, `CREATE DATABASE ${copy} TEMPLATE ${name}`),
    restore: () =>
      asAdministrator(server, `DROP DATABASE ${name} WITH (FORCE)`, `CREATE DATABASE ${name} TEMPLATE ${copy}`),
    async [Symbol.asyncDispose]() {
      await asAdministrator(server, `DROP DATABASE IF EXISTS ${copy} WITH (FORCE)`);
      await database[Symbol.asyncDispose]();
    },
  };
}

/** `VACUUM INTO`, and the file put in the place of what there is. */
export async function sqliteFile(directory: string): Promise<BackedUpDatabase> {
  const url = join(directory, 'caelus.db');
  const copy = join(directory, 'backup.db');
  return {
    url,
    async backUp() {
      const connection = (await loadSqliteDriver()).open(url);
      try {
        connection.query(`VACUUM INTO '${copy}'`);
      } finally {
        connection.close();
      }
    },
    async restore() {
      // What was written since lies in these, and would be written into the older file.
      for (const suffix of ['', '-wal', '-shm']) await rm(`${url}${suffix}`, { force: true });
      await copyFile(copy, url);
    },
    async [Symbol.asyncDispose]() {},
  };
}
