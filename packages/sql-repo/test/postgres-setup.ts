import type { TestProject } from 'vitest/node';
import { findPgbouncer, installPgbouncer } from './pgbouncer-server.ts';
import { findPostgres, installPostgres, startPostgres } from './postgres-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the server of this run is. `null` where there is none, and none is required. */
    readonly postgresUrl: string | null;
    /** The directory of its programs, such as `pg_dump`. */
    readonly postgresBinaries: string | null;
    /** The program. */
    readonly pgbouncer: string | null;
  }
}

/** Starts one server for the whole run. CI has to have one; elsewhere those tests are left out where PostgreSQL is missing. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const isRequired = process.env.CI !== undefined;
  const binaries = (await findPostgres()) ?? (isRequired ? await installPostgres() : undefined);
  const pgbouncer = findPgbouncer() ?? (isRequired ? await installPgbouncer() : undefined);
  provide('postgresBinaries', binaries ?? null);
  provide('pgbouncer', pgbouncer ?? null);
  if (pgbouncer === undefined) process.stderr.write('PgBouncer is not installed here. What needs it is left out.\n');
  if (binaries === undefined) {
    process.stderr.write('PostgreSQL (initdb, postgres) is not installed here. What needs a server is left out.\n');
    provide('postgresUrl', null);
    return async () => {};
  }
  const server = await startPostgres(binaries);
  provide('postgresUrl', server.url);
  return () => server.stop();
}
