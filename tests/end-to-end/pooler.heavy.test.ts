import { describe, expect, inject, it } from 'vitest';
import { startPgbouncer } from '../../packages/sql-repo/test/pgbouncer-server.ts';
import { createDatabase, serverUrl } from '../../packages/sql-repo/test/postgres-database.ts';
import { carryOut, SHARED } from './command-stream.ts';
import { proveConverged } from './prove-converged.ts';
import { runCluster } from './run-cluster.ts';
import { createSite, openStack } from './stack.ts';

const binary: string | null = inject('pgbouncer');
const describeWithPooler = serverUrl === null || binary === null ? describe.skip : describe;
const COMMANDS = 60;

describeWithPooler('two workers behind PgBouncer in transaction mode', () => {
  it('carry out what hosts ask for meanwhile, over fewer connections than they have clients', {
    timeout: 300_000,
  }, async () => {
    await using database = await createDatabase();
    await using pooler = await startPgbouncer(binary ?? '', database.url, { connections: 2 });
    await using site = await createSite('a directory', pooler.url);
    const open = (name: string) =>
      openStack({
        store: site.storeOf(name),
        database: site.database,
        cluster: { directory: site.bare },
        timings: { lease: 5_000, relist: 1_000 },
      });
    {
      await using one = await open('one');
      await using other = await open('other');
      await one.create({ id: SHARED });
      await using _first = one.caelus.start();
      await using _second = other.caelus.start();
      await using _cluster = runCluster(one.argoCd, 50);
      await Promise.all(
        [one, other].map(async (stack, index) => {
          for (let number = 0; number < COMMANDS; number++) await carryOut(stack, 'ab'.charAt(index), number);
        }),
      );
      // Nobody is told of work here; it is found by asking from time to time.
      const settled = await one.caelus.settled(SHARED, { signal: AbortSignal.timeout(120_000) });
      expect(settled.outcome).toBe('running');
    }
    await proveConverged(site, { a: COMMANDS, b: COMMANDS });
  });
});
