import { join } from 'node:path';
import { type BenchResult, median, percentile } from '../bench-result.ts';
import { git, SERVER_CONFIGURATION } from '../git/git-command.ts';
import { startProcess } from '../process-calls.ts';
import type { FleetProcess } from './fleet-process.ts';
import type { SqlPlace } from './sql-place.ts';
import { statusTarget, sweepMemoryTarget, sweepTarget } from './targets.ts';

/** What a worker does with all its instances, and from a command to the pushed commit. */
export async function benchFleet(place: SqlPlace): Promise<readonly BenchResult[]> {
  const { programs, createDatabase, directory, serverUrl, short, wants } = place;
  const instances = short ? 20 : 10_000;
  const runs = short ? 1 : 3;
  await git('.', ['init', '-q', '--bare', '-b', 'main', join(directory, 'fleet.git')]);
  await git(join(directory, 'fleet.git'), ['config', 'http.receivepack', 'true']);
  for (const setting of SERVER_CONFIGURATION.filter((text) => text !== '-c')) {
    const [name = '', value = ''] = setting.split('=');
    await git(join(directory, 'fleet.git'), ['config', name, value]);
  }
  await using process = startProcess<FleetProcess>(programs.fleet);
  place.progress(`  filling a fleet of ${instances} instances`);
  await process.call('open', {
    database: await createDatabase('fleet'),
    directory: join(directory, 'cache.git'),
    remote: `${serverUrl}/fleet.git`,
    instances,
  });
  const plain = { against: null, againstMedian: null, ratio: null, parameters: { instances } } as const;
  const results: BenchResult[] = [];

  if (wants('sql-sweep')) {
    place.progress('  sql-sweep');
    const sweeps: number[] = [];
    for (let run = 0; run < runs; run += 1) sweeps.push(await process.call('sweep'));
    const milliseconds = median(sweeps);
    const megabytes = (await process.call('sweepBytes')) / 1e6;
    const row = { ...plain, name: 'sql-sweep', runs };
    results.push(
      {
        ...row,
        work: 'compare all rows with Git',
        unit: 'ms',
        median: milliseconds,
        target: sweepTarget(short, milliseconds),
      },
      {
        ...row,
        work: 'memory kept during a comparison',
        unit: 'MB',
        median: megabytes,
        target: sweepMemoryTarget(short, megabytes),
      },
    );
  }
  if (wants('sql-status')) {
    place.progress('  sql-status');
    const passes: number[] = [];
    for (let run = 0; run < runs; run += 1) passes.push(await process.call('status'));
    const milliseconds = median(passes);
    results.push({
      ...plain,
      name: 'sql-status',
      work: 'all Applications changed, in one pass',
      unit: 'ms',
      median: milliseconds,
      target: statusTarget(short, milliseconds),
      runs,
    });
  }
  if (wants('sql-push')) {
    place.progress('  sql-push');
    await process.call('push', short ? 1 : 5);
    const times = await process.call('push', short ? 2 : 100);
    for (const percent of [50, 95]) {
      results.push({
        ...plain,
        name: 'sql-push',
        work: `from a command to its pushed commit, p${percent}`,
        unit: 'ms',
        median: percentile(times, percent),
        target: null,
        runs: times.length,
      });
    }
  }
  await process.call('close');
  return results;
}
