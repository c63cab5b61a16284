import type { BenchResult } from '../bench-result.ts';
import type { ArmSettings } from './arm.ts';
import { createContest } from './contest.ts';
import type { Place } from './place.ts';
import { memoryTarget } from './targets.ts';

const name = 'git-memory';
/** A commit of the git CLI is a new process each time, so more of them say no more. */
const CLI_COMMITS = 3;

/** Peak resident memory of a process that writes, beside that of the largest process of the git CLI. */
export async function benchMemory(place: Place, short: boolean): Promise<readonly BenchResult[]> {
  const { layout, size } = place;
  const commits = short ? 3 : 50;

  async function peak(settings: ArmSettings, rounds: number): Promise<number> {
    await using contest = createContest(`${settings.kind} ${settings.directory} ${rounds}`, place);
    const process = await contest.enter({
      label: settings.kind,
      settings,
      repository: null,
      warmUp: 0,
      rounds: commits,
    });
    await contest.compete();
    return (await process.call('peakMemory')) / 1e6;
  }

  async function besideCli(work: string, ours: ArmSettings, theirs: ArmSettings, against: string) {
    const own = await peak(ours, commits);
    const cli = await peak({ ...theirs, watchMemory: true }, CLI_COMMITS);
    // Without /proc nobody can tell.
    return { ...row(work, own), against, ...(cli === 0 ? {} : { againstMedian: cli, ratio: cli / own }) };
  }

  function row(work: string, megabytes: number): BenchResult {
    return {
      name,
      work,
      against: null,
      unit: 'MB',
      median: megabytes,
      againstMedian: null,
      ratio: null,
      target: memoryTarget(size, megabytes),
      runs: 1,
      parameters: { layout, instances: size },
    };
  }

  const directory = await place.workTree();
  const { url } = await place.serve('memory-store');
  const cached = { kind: 'store', directory: place.path('memory-remote'), url } as const;
  return [
    await besideCli(
      `peak memory of the process over ${commits} commits`,
      { kind: 'store', directory: await place.copy('memory-local') },
      { kind: 'work-tree', directory },
      'git CLI: add, commit',
    ),
    row('peak memory of the process: first contact with the remote, one commit', await peak(cached, 1)),
    await besideCli(
      `peak memory of the process over ${commits} commits, pushed`,
      cached,
      { kind: 'work-tree', directory, url: (await place.serve('memory-cli')).url },
      'git CLI: fetch, reset, add, commit, push',
    ),
  ];
}
