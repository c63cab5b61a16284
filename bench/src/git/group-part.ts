import { type BenchResult, median, percentile } from '../bench-result.ts';
import { createContest } from './contest.ts';
import type { Place } from './place.ts';
import { fasterTarget } from './targets.ts';

const name = 'git-group';
const AGAINST = 'one writer: git fast-import + git push for all that wait';
const LABELS = ['store', 'fast-import'] as const;

/** Many callers at once, each with one change after the other, pushed over HTTP: how many a second, and how long one waits. */
export async function benchGroups(place: Place, short: boolean): Promise<readonly BenchResult[]> {
  const { layout, size } = place;
  const [callers, changes, rounds] = short ? [20, 3, 1] : [200, 10, 3];
  await using contest = createContest(name, place);
  const arms = await Promise.all(
    LABELS.map(async (kind) => {
      const { directory: repository, url } = await place.serve(`group-${kind}`);
      const directory = kind === 'store' ? place.path('group-store') : await place.copy(`group-${kind}`);
      const settings = { kind, directory, url };
      const process = await contest.enter({ label: kind, repository, settings, warmUp: 1, rounds });
      return { kind, process, throughput: [] as number[], latency: [] as number[] };
    }),
  );
  for (let round = 0; round <= rounds; round += 1) {
    for (const { process, throughput, latency } of round % 2 === 0 ? arms : arms.toReversed()) {
      const { total, each } = await process.call('callers', { layout, callers, changes, round });
      if (round === 0) continue;
      throughput.push((callers * changes * 1000) / total);
      latency.push(...each);
    }
    await contest.assertSameTree();
  }

  const [ours, theirs] = LABELS.map((kind) => arms.find((arm) => arm.kind === kind));
  if (ours === undefined || theirs === undefined) throw new Error('an arm is missing');
  const row = {
    name,
    against: AGAINST,
    runs: rounds,
    parameters: { layout, instances: size, callers, changesOfEach: changes },
  };
  const ratio = median(ours.throughput) / median(theirs.throughput);
  return [
    {
      ...row,
      work: 'concurrent callers, pushed: changes a second',
      unit: 'changes/s',
      median: median(ours.throughput),
      againstMedian: median(theirs.throughput),
      ratio,
      target: fasterTarget('concurrent callers', place, ratio),
    },
    ...[50, 95].map((percent): BenchResult => {
      const [latency, againstLatency] = [percentile(ours.latency, percent), percentile(theirs.latency, percent)];
      return {
        ...row,
        work: `concurrent callers, pushed: latency of a change, ${percent}th percentile`,
        unit: 'ms',
        median: latency,
        againstMedian: againstLatency,
        ratio: againstLatency / latency,
        target: null,
      };
    }),
  ];
}
