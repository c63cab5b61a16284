import { type BenchResult, median } from '../bench-result.ts';
import { startProcess } from '../process-calls.ts';
import type { EnqueueProcess } from './enqueue-process.ts';
import type { SqlPlace } from './sql-place.ts';
import { enqueueTarget } from './targets.ts';

/** What it costs a host's transaction to ask for the work of the rows that it changes. */
export async function benchEnqueues({ programs, createDatabase, short }: SqlPlace): Promise<readonly BenchResult[]> {
  const count = short ? 50 : 1000;
  const runs = short ? 2 : 15;
  const url = await createDatabase('enqueue');
  await using process = startProcess<EnqueueProcess>(programs.enqueue);
  await process.call('open', url, count);
  await process.call('change', count, true);
  const [withWork, without]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    without.push(await process.call('change', count, false));
    withWork.push(await process.call('change', count, true));
  }
  const perRow = (milliseconds: readonly number[], of: number) => (median(milliseconds) * 1000) / of;

  const all = short ? 100 : 5000;
  await process.call('attach', all);
  const [triggered, plain]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    plain.push(await process.call('changeAll', 2 * run, false));
    triggered.push(await process.call('changeAll', 2 * run + 1, true));
  }
  await process.call('close');
  const cost = perRow(triggered, all) - perRow(plain, all);
  return [
    {
      name: 'sql-enqueue',
      work: `an UPDATE of a host, with the trigger: ${cost.toFixed(1)} µs more`,
      against: 'without the trigger',
      unit: 'µs/row',
      median: perRow(triggered, all),
      againstMedian: perRow(plain, all),
      ratio: perRow(plain, all) / perRow(triggered, all),
      target: enqueueTarget(short, cost),
      runs,
      parameters: { rows: all, statement: 'one for all' },
    },
    {
      name: 'sql-enqueue',
      work: 'an UPDATE of a host, and requestWork in its transaction',
      against: 'the UPDATE alone',
      unit: 'µs/row',
      median: perRow(withWork, count),
      againstMedian: perRow(without, count),
      ratio: perRow(without, count) / perRow(withWork, count),
      target: null,
      runs,
      parameters: { rows: count, statement: 'one a row' },
    },
  ];
}
