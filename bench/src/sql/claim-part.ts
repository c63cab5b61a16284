import { type BenchResult, median } from '../bench-result.ts';
import { startProcess } from '../process-calls.ts';
import type { ClaimProcess } from './claim-process.ts';
import type { SqlPlace } from './sql-place.ts';
import { throughputTarget } from './targets.ts';

const BATCH = 200;

/** Rows that workers claim and complete in a second. */
export async function benchClaims({ programs, createDatabase, short }: SqlPlace): Promise<readonly BenchResult[]> {
  const rows = short ? 400 : 20_000;
  const runs = short ? 1 : 3;
  const url = await createDatabase('claim');
  await using process = startProcess<ClaimProcess>(programs.claim);
  await process.call('open', url, 16);
  const results: BenchResult[] = [];
  for (const workers of [1, 8, 16]) {
    const rates: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      await process.call('request', rows);
      const { milliseconds, completed } = await process.call('work', workers, BATCH);
      if (completed !== rows) throw new Error(`${completed} of ${rows} rows were completed`);
      rates.push((rows / milliseconds) * 1000);
    }
    results.push({
      name: 'sql-claim',
      work: 'claim and complete work',
      against: null,
      unit: 'rows/s',
      median: median(rates),
      againstMedian: null,
      ratio: null,
      target: throughputTarget(short, workers, median(rates)),
      runs,
      parameters: { workers, batch: BATCH, rows },
    });
  }
  await process.call('close');
  return results;
}
