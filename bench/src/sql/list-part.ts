import { type BenchResult, percentile } from '../bench-result.ts';
import { startProcess } from '../process-calls.ts';
import type { FilterName, ListProcess } from './list-process.ts';
import type { SqlPlace } from './sql-place.ts';
import { listTarget } from './targets.ts';

const name = 'sql-list';
const FILTERS: readonly FilterName[] = ['none', 'tenant', 'tenant and status', 'two statuses', 'rare sync status'];

/** A page of 50 instances of many. */
export async function benchLists({ programs, createDatabase, short }: SqlPlace): Promise<readonly BenchResult[]> {
  const instances = short ? 2000 : 100_000;
  const pages = short ? 3 : 200;
  const url = await createDatabase('list');
  await using process = startProcess<ListProcess>(programs.list);
  await process.call('open', url, instances);
  const results: BenchResult[] = [];
  for (const filter of FILTERS) {
    await process.call('pages', filter, 3);
    const times = await process.call('pages', filter, pages);
    const p95 = percentile(times, 95);
    results.push({
      name,
      work: 'a page of 50, p95',
      against: null,
      unit: 'ms',
      median: p95,
      againstMedian: null,
      ratio: null,
      target: listTarget(short, p95),
      runs: times.length,
      parameters: { instances, filter },
    });
  }
  const distance = instances / 2;
  const { keyset, offset } = await process.call('deep', distance, short ? 2 : 20);
  const [ours, theirs] = [percentile(keyset, 95), percentile(offset, 95)];
  results.push({
    name,
    work: 'a page of 50 in the middle, p95',
    against: 'LIMIT 50 OFFSET, rows as they come',
    unit: 'ms',
    median: ours,
    againstMedian: theirs,
    ratio: theirs / ours,
    target: listTarget(short, ours),
    runs: keyset.length,
    parameters: { instances, filter: 'none' },
  });
  await process.call('close');
  return results;
}
