import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { benchSql, SQL_BENCHES } from '../bench/src/sql/sql-bench.ts';
import { describeWithServer } from '../packages/sql-repo/test/postgres-database.ts';

describeWithServer('the benchmark of the rows', () => {
  it('measures each part, and leaves nothing behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'caelus-sql-bench-'));
    // Where this runs as root, the server runs as somebody else.
    await chmod(directory, 0o755);
    vi.stubEnv('TMPDIR', directory);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(directory, { recursive: true });
    });
    const results = await benchSql({ short: true });

    // Memory that is kept may be none.
    expect(results.filter(({ median, runs, unit }) => !(median > 0 || unit === 'MB') || runs < 1)).toEqual([]);
    expect(new Set(results.map(({ name }) => name))).toEqual(new Set(SQL_BENCHES));
    // What was to be reached is said of full sizes only.
    expect(results.filter(({ target }) => target !== null)).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
  });
});
