// The rows in a real PostgreSQL on loopback. What is measured runs in processes of its own.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchResult } from '../bench-result.ts';
import { bundlePrograms } from '../bundle-programs.ts';
import type { GitHttpServer } from '../git/git-http-server.ts';
import { startProcess } from '../process-calls.ts';
import { benchClaims } from './claim-part.ts';
import { benchEnqueues } from './enqueue-part.ts';
import { benchFleet } from './fleet-part.ts';
import { benchLists } from './list-part.ts';
import { type SqlPlace, startDatabases } from './sql-place.ts';
import { benchWakeUps } from './wake-part.ts';

export const SQL_BENCHES = [
  'sql-enqueue',
  'sql-claim',
  'sql-wake',
  'sql-list',
  'sql-sweep',
  'sql-status',
  'sql-push',
] as const;
export type SqlBenchName = (typeof SQL_BENCHES)[number];

export interface SqlBenchOptions {
  /** Default: all. */
  readonly names?: readonly SqlBenchName[] | undefined;
  /** A few rounds of small sizes, to see that everything works. */
  readonly short?: boolean | undefined;
  /** Told what is measured next. Default: silent. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** Each part, and which benchmarks it measures: those of a fleet share the time that it takes to fill one. */
const parts: readonly {
  readonly names: readonly SqlBenchName[];
  readonly run: (place: SqlPlace) => Promise<readonly BenchResult[]>;
}[] = [
  { names: ['sql-enqueue'], run: benchEnqueues },
  { names: ['sql-claim'], run: benchClaims },
  { names: ['sql-wake'], run: benchWakeUps },
  { names: ['sql-list'], run: benchLists },
  { names: ['sql-sweep', 'sql-status', 'sql-push'], run: benchFleet },
];

export async function benchSql(options: SqlBenchOptions = {}): Promise<readonly BenchResult[]> {
  const { names = SQL_BENCHES, short = false, progress = () => {} } = options;
  const wants = (name: string) => names.some((wanted) => wanted === name);
  const root = await mkdtemp(join(tmpdir(), 'caelus-bench-'));
  try {
    const programs = await bundlePrograms(join(root, 'programs'), {
      enqueue: new URL('enqueue-process.ts', import.meta.url),
      claim: new URL('claim-process.ts', import.meta.url),
      wake: new URL('wake-process.ts', import.meta.url),
      list: new URL('list-process.ts', import.meta.url),
      fleet: new URL('fleet-process.ts', import.meta.url),
      server: new URL('../git/git-http-server.ts', import.meta.url),
    });
    await using databases = await startDatabases(short);
    await using server = startProcess<GitHttpServer>(programs.server);
    const serverUrl = await server.call('listen', root);
    const { createDatabase } = databases;
    const place: SqlPlace = { programs, createDatabase, directory: root, serverUrl, short, wants, progress };
    const results: BenchResult[] = [];
    for (const part of parts) {
      if (!part.names.some(wants)) continue;
      progress(`  ${part.names.filter(wants).join(', ')}`);
      results.push(...(await part.run(place)));
    }
    return results;
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}
