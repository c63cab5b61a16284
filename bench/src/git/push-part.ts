import type { BenchResult } from '../bench-result.ts';
import { changedTreeBytes } from './changed-trees.ts';
import { compareTimes } from './comparison.ts';
import { createContest } from './contest.ts';
import type { Place } from './place.ts';
import { isomorphicRounds, roundsOf } from './rounds.ts';
import { fasterTarget, sentTarget } from './targets.ts';

const name = 'git-push';

/** Commits of one instance that are pushed over HTTP, one by one, and what a push sends. */
export async function benchPushes(place: Place, short: boolean): Promise<readonly BenchResult[]> {
  const { layout, size } = place;
  const rounds = roundsOf(size, short);
  const slow = isomorphicRounds(size, short);
  const served = {
    store: await place.serve('push-store'),
    native: await place.serve('push-native'),
    cli: await place.serve('push-cli'),
    isomorphic: await place.serve('push-isomorphic'),
    floor: await place.serve('push-floor'),
  };

  await using contest = createContest(name, place);
  await contest.enter({
    label: 'store',
    repository: served.store.directory,
    settings: { kind: 'store', directory: place.path('push-store'), url: served.store.url },
    ...rounds,
  });
  await contest.enter({
    label: 'native',
    repository: served.native.directory,
    settings: { kind: 'native-store', directory: place.path('push-native'), url: served.native.url },
    ...rounds,
  });
  await contest.enter({
    label: 'cli',
    repository: served.cli.directory,
    settings: { kind: 'work-tree', directory: await place.workTree(), url: served.cli.url },
    ...rounds,
  });
  if (slow !== undefined) {
    const settings = { directory: await place.copy('push-isomorphic'), url: served.isomorphic.url };
    await contest.enter({
      label: 'isomorphic',
      repository: served.isomorphic.directory,
      settings: { kind: 'isomorphic-objects', ...settings },
      ...slow,
    });
  }
  const treeBytes = await changedTreeBytes(place);
  await contest.enter({
    label: 'floor',
    repository: null,
    settings: { kind: 'floor', directory: place.directory, treeBytes, url: served.floor.url },
    ...rounds,
  });
  const samples = await contest.compete();

  const parameters = { layout, instances: size };
  const row = { name, work: 'commit of one instance, pushed', parameters, ours: samples('store') };
  const pushes = rounds.warmUp + rounds.rounds;
  const sent = (await served.store.received()) / pushes;
  const sentByGit = (await served.cli.received()) / pushes;
  return [
    compareTimes({
      ...row,
      against: 'work tree: fetch, reset, add, commit, push',
      theirs: samples('cli'),
      target: (ratio) => fasterTarget('push from a work tree', place, ratio),
    }),
    ...(slow === undefined
      ? []
      : [
          compareTimes({
            ...row,
            against: 'isomorphic-git objects + push',
            theirs: samples('isomorphic'),
            target: (ratio) => fasterTarget('push by isomorphic-git', place, ratio),
          }),
        ]),
    compareTimes({ ...row, against: 'the Git store with nativeGit', theirs: samples('native') }),
    compareTimes({
      ...row,
      against: 'floor: SHA-1 of the changed trees, one fsync, one push without objects',
      theirs: samples('floor'),
    }),
    {
      name,
      work: 'bytes sent for a change',
      against: 'git push --thin',
      unit: 'bytes',
      median: Math.round(sent),
      againstMedian: Math.round(sentByGit),
      ratio: sentByGit / sent,
      target: sentTarget(size, sent, sentByGit),
      runs: pushes,
      parameters,
    },
  ];
}
