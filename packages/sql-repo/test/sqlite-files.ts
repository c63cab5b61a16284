import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadedSqliteDriver, loadSqliteDriver, sqliteDrivers } from '../src/sqlite/sqlite-driver.ts';

/** A directory of its own for one test, which goes with it. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function temporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'caelus-sql-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The drivers that this Node and this installation have. */
export async function presentDrivers(): Promise<readonly LoadedSqliteDriver[]> {
  const loaded = await Promise.allSettled(sqliteDrivers.map((name) => loadSqliteDriver(name)));
  return loaded.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
