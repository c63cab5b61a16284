import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CaelusError } from '@caelus/core';
import type { SqliteOptions } from '../create-sql-repository.ts';
import { sqlitePlan } from '../migrations/sqlite-plan.ts';
import type { OpenedDatabase } from '../opened-database.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { loadSqliteDriver } from './sqlite-driver.ts';

export async function openSqlite(options: SqliteOptions): Promise<OpenedDatabase> {
  const { busyTimeoutMilliseconds = 5000 } = options;
  const file = pathOf(options.file);
  const name = `sqlite:${file === ':memory:' ? file : basename(file)}`;
  const driver = await loadSqliteDriver(options.driver);
  const durable = file !== ':memory:';
  return {
    name,
    database: await openSqliteDatabase({ file, name, driver, busyTimeoutMilliseconds }),
    plan: sqlitePlan,
    capabilities: { multiProcess: durable, durable },
    settle: async () => {},
    join: () => {
      throw new CaelusError({
        code: 'SQL_DATABASE_UNSUPPORTED',
        message:
          'A repository in SQLite has a file of its own, which no transaction of a host can reach. Use PostgreSQL.',
        details: { what: name, found: 'sqlite' },
      });
    },
    listen: undefined,
  };
}

function pathOf(file: string | URL): string {
  if (file === ':memory:') return file;
  // Absolute, so that no driver takes a name such as `file:…` or `libsql://…` for anything but a file.
  return resolve(file instanceof URL ? fileURLToPath(file) : file);
}
