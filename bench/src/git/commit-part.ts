import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type BenchResult, median } from '../bench-result.ts';
import { changedTreeBytes } from './changed-trees.ts';
import { compareTimes } from './comparison.ts';
import { createContest } from './contest.ts';
import type { Place } from './place.ts';
import { isomorphicRounds, roundsOf } from './rounds.ts';
import { exponentTarget, fasterTarget, objectsTarget, writtenTarget } from './targets.ts';
import type { LayoutName } from './workload.ts';

const COMMIT_WORK = 'commit of one instance';
const name = 'git-commit';

/** Commits of one instance in a local repository, and what one adds to it. */
export async function benchCommits(place: Place, short: boolean): Promise<readonly BenchResult[]> {
  const { layout, size } = place;
  const rounds = roundsOf(size, short);
  const directory = await place.copy('commit');
  const workTree = await place.workTree();
  const treeBytes = await changedTreeBytes(place);
  const packsBefore = new Set(await packsOf(directory));

  await using contest = createContest(name, place);
  const slow = isomorphicRounds(size, short);
  await contest.enter({ label: 'store', repository: directory, settings: { kind: 'store', directory }, ...rounds });
  const native = await place.copy('commit-native');
  await contest.enter({
    label: 'native',
    repository: native,
    settings: { kind: 'native-store', directory: native },
    ...rounds,
  });
  await contest.enter({
    label: 'cli',
    repository: workTree,
    settings: { kind: 'work-tree', directory: workTree },
    ...rounds,
  });
  if (slow !== undefined) {
    const own = await place.copyWorkTree('commit-isomorphic');
    await contest.enter({
      label: 'isomorphic',
      repository: own,
      settings: { kind: 'isomorphic-work-tree', directory: own },
      ...slow,
    });
  }
  await contest.enter({
    label: 'floor',
    repository: null,
    settings: { kind: 'floor', directory: place.directory, treeBytes },
    ...rounds,
  });
  const samples = await contest.compete();

  const row = { name, work: COMMIT_WORK, parameters: { layout, instances: size }, ours: samples('store') };
  const results = [
    compareTimes({
      ...row,
      against: 'git add + git commit in a work tree',
      theirs: samples('cli'),
      target: (ratio) => fasterTarget('commit by the git CLI', place, ratio),
    }),
    ...(slow === undefined
      ? []
      : [
          compareTimes({
            ...row,
            against: 'isomorphic-git add + commit',
            theirs: samples('isomorphic'),
            target: (ratio) => fasterTarget('commit by isomorphic-git', place, ratio),
          }),
        ]),
    compareTimes({ ...row, against: 'the Git store with nativeGit', theirs: samples('native') }),
    compareTimes({ ...row, against: 'floor: SHA-1 of the changed trees, one fsync', theirs: samples('floor') }),
  ];

  const added = (await packsOf(directory)).filter((pack) => !packsBefore.has(pack));
  const written = await Promise.all(added.map((pack) => sizeOfPack(join(directory, 'objects/pack', pack))));
  const objects = median(written.map((pack) => pack.objects));
  const bytes = median(written.map((pack) => pack.bytes));
  const plain = { name, against: null, againstMedian: null, ratio: null, runs: written.length };
  return [
    ...results,
    {
      ...plain,
      work: 'objects written for a commit',
      unit: 'objects',
      median: objects,
      target: objectsTarget(layout, size, objects),
      parameters: row.parameters,
    },
    {
      ...plain,
      work: 'bytes written for a commit',
      unit: 'bytes',
      median: bytes,
      target: writtenTarget(layout, size, bytes),
      parameters: row.parameters,
    },
  ];
}

/** How the cost of a commit grows with the repository: the slope of time over instances, both as logarithms. */
export function growthOfCommits(results: readonly BenchResult[]): readonly BenchResult[] {
  const cost = results.filter(({ work, against }) => work === COMMIT_WORK && against?.startsWith('git add'));
  const layouts = new Set(cost.map(({ parameters }) => parameters.layout as LayoutName));
  return [...layouts].flatMap((layout) => {
    const points = cost
      .filter(({ parameters }) => parameters.layout === layout && Number(parameters.instances) >= 1000)
      .map((each) => ({ x: Math.log(Number(each.parameters.instances)), y: Math.log(each.median) }));
    if (points.length < 2) return [];
    const exponent = slope(points);
    return [
      {
        name,
        work: 'growth of the cost of a commit from 1,000 instances on',
        against: null,
        unit: 'exponent',
        median: exponent,
        againstMedian: null,
        ratio: null,
        target: exponentTarget(layout, exponent),
        runs: points.length,
        parameters: { layout },
      },
    ];
  });
}

/** Of the straight line that is nearest to the points. */
function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map((point) => point.x));
  const y = mean(points.map((point) => point.y));
  const covariance = mean(points.map((point) => (point.x - x) * (point.y - y)));
  return covariance / mean(points.map((point) => (point.x - x) ** 2));
}

async function packsOf(directory: string): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'objects/pack'));
  return names.filter((each) => each.endsWith('.pack'));
}

/** With its index. */
async function sizeOfPack(pack: string): Promise<{ readonly objects: number; readonly bytes: number }> {
  const [bytes, index] = await Promise.all([readFile(pack), stat(pack.replace(/pack$/, 'idx'))]);
  return { objects: bytes.readUInt32BE(8), bytes: bytes.length + index.size };
}
