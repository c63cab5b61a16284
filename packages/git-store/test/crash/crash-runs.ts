import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type CommitId, type RepoPath, repoPath } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import { expect } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';
import { checkCommitsAreComplete, fsck, git, temporaryDirectory } from '../git-command.ts';
import { startHttpGitServer } from '../http-git-server.ts';
import { readText } from '../store-writing.ts';
import type { KillMoment, RecordedStep } from './crash-child.ts';
import { BRANCH, type CrashScenario, open, type Place, writePair } from './crash-scenarios.ts';
import type { WatchedCall } from './watch-calls.ts';

/** The program whose processes are killed. */
export function bundleChild(directory: string): Promise<string> {
  return bundleProgram(new URL('crash-child.ts', import.meta.url), directory);
}

export type CrashChild = ChildProcessByStdio<null, Readable, Readable>;

export interface ChildEnd {
  /** Whether it was killed; otherwise it has done all its work. */
  readonly wasKilled: boolean;
  /** How many calls it made, where it was not killed at one of them. */
  readonly calls: number;
  readonly acknowledged: readonly string[];
  readonly steps: readonly RecordedStep[];
}

export function startChild(bundle: string, ...args: readonly string[]): CrashChild {
  return spawn(process.execPath, [bundle, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

export async function endOf(child: CrashChild): Promise<ChildEnd> {
  const said: Buffer[] = [];
  let failure = '';
  child.stdout.on('data', (part: Buffer) => said.push(part));
  child.stderr.on('data', (part: Buffer) => {
    failure += part.toString('utf8');
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`the process failed: ${failure}`);
  // What comes after the last end of a line was cut off by the kill.
  const lines = Buffer.concat(said).toString('utf8').split('\n').slice(0, -1);
  const recorded = lines.find((line) => line.startsWith('recorded '));
  const lived = lines.find((line) => line.startsWith('lived '));
  return {
    wasKilled: signal === 'SIGKILL',
    calls: Number(lived?.slice('lived '.length)),
    acknowledged: lines.filter((line) => line !== recorded && line !== lived),
    steps: recorded === undefined ? [] : (JSON.parse(recorded.slice('recorded '.length)) as RecordedStep[]),
  };
}

/** A place that is put back as it was before each run. */
export interface CrashSite extends AsyncDisposable {
  readonly place: Place;
  /** The branch's history before the work, newest first. */
  readonly before: readonly string[];
  reset(): Promise<void>;
  /** Ends when the server does nothing any more. */
  settled(): Promise<void>;
}

export async function prepareSite(scenario: CrashScenario): Promise<CrashSite> {
  const root = await temporaryDirectory();
  const server = scenario.hasRemote ? await startHttpGitServer(root.path) : undefined;
  const run = join(root.path, 'run');
  const template = join(root.path, 'template');
  const place: Place = {
    root: run,
    directory: join(run, 'store.git'),
    remoteDirectory: join(run, 'remote.git'),
    url: server === undefined ? undefined : `${server.url}/run/remote.git`,
  };
  await mkdir(run);
  if (server !== undefined) await emptyRepository(place.remoteDirectory);
  await scenario.prepare(place);
  const before = await historyOf(decidingDirectory(place));
  await cp(run, template, { recursive: true });
  return {
    place,
    before,
    async reset() {
      await rm(run, { recursive: true, force: true });
      await cp(template, run, { recursive: true });
    },
    settled: async () => server?.settled(),
    async [Symbol.asyncDispose]() {
      await server?.[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

async function emptyRepository(directory: string): Promise<void> {
  await (await createGitStore({ directory, branch: BRANCH }))[Symbol.asyncDispose]();
}

/** Where the branch is decided. */
function decidingDirectory({ url, directory, remoteDirectory }: Place): string {
  return url === undefined ? directory : remoteDirectory;
}

async function historyOf(directory: string): Promise<readonly string[]> {
  if (!(await isRepository(directory))) return [];
  // There is no other branch, and at first none.
  const listing = await git(directory, ['rev-list', '--branches']);
  return listing.trim().split('\n').filter(Boolean);
}

async function isRepository(directory: string): Promise<boolean> {
  return (await readdir(directory).catch((): string[] => [])).includes('HEAD');
}

/** One place at which a process is killed. */
export interface CrashPoint {
  readonly number: number;
  readonly name: WatchedCall['name'];
  readonly when: KillMoment;
}

/**
 * What the process of a scenario does when nobody kills it, and the points at which it is killed: before each call, in the
 * middle of what can be half done, and after each call, unless that is the same as before the next one and the check of it
 * takes requests.
 */
export async function recordScenario(
  bundle: string,
  scenario: CrashScenario,
): Promise<{ readonly steps: readonly RecordedStep[]; readonly points: readonly CrashPoint[] }> {
  await using site = await prepareSite(scenario);
  const { steps } = await endOf(startChild(bundle, scenario.name, JSON.stringify(site.place), 'record'));
  const names = steps.flatMap((step) => ('acknowledged' in step ? [] : [step.name]));
  const points = names.flatMap((name, index) => {
    const canBeHalf = name === 'write' || name === 'request';
    const moments: KillMoment[] = canBeHalf ? ['before', 'half'] : ['before'];
    if (!scenario.hasRemote || name === 'request' || index === names.length - 1) moments.push('after');
    return moments.map((when) => ({ number: index + 1, name, when }));
  });
  return { steps, points };
}

/** Kills processes at these points, two at a time, and checks everything after each; returns how many were killed. */
export async function killAtEach(
  bundle: string,
  scenario: CrashScenario,
  points: readonly CrashPoint[],
): Promise<number> {
  const waiting = points.values();
  const kill = async () => {
    await using site = await prepareSite(scenario);
    let kills = 0;
    for (const point of waiting) {
      const { number, name, when } = point;
      await site.reset();
      const end = await endOf(startChild(bundle, scenario.name, JSON.stringify(site.place), `${when}:${number}`));
      await site.settled();
      try {
        await checkPlace(site.place, site.before, end.acknowledged, scenario);
        // What a remote sends may come in fewer parts than it did before, and be written by fewer calls.
        if (!end.wasKilled) expect(end.calls).toBeLessThan(number);
      } catch (error) {
        throw new Error(`${scenario.name}, killed ${when} call ${number}, ${name}: ${String(error)}`, { cause: error });
      }
      if (end.wasKilled) kills += 1;
    }
    return kills;
  };
  const [one, two] = await Promise.all([kill(), kill()]);
  return one + two;
}

/**
 * What has to be true wherever the process was killed: the tip is the old one or one that the process made, nothing that was
 * acknowledged is lost, Git finds nothing wrong, and the next writer goes on.
 */
export async function checkPlace(
  place: Place,
  before: readonly string[],
  acknowledged: readonly string[],
  { commits = Number.POSITIVE_INFINITY, tags = [] }: Partial<Pick<CrashScenario, 'commits' | 'tags'>>,
): Promise<void> {
  const deciding = decidingDirectory(place);
  const repositories = place.url === undefined ? [place.directory] : [place.directory, place.remoteDirectory];
  for (const directory of repositories) await checkRepository(directory);
  const history = await historyOf(deciding);
  const added = history.slice(0, history.length - before.length);
  expect(history.slice(added.length)).toEqual(before);
  expect(added.length).toBeLessThanOrEqual(commits);
  await checkAcknowledged(deciding, history, acknowledged);
  if (place.url !== undefined) {
    // The cache never runs ahead of the remote.
    const [cached] = await historyOf(place.directory);
    if (cached !== undefined) expect(history).toContain(cached);
  }

  const commit = await writeNext(place, history, tags);
  // Once nothing is folded in the background any more, because Git looks for packs but once.
  for (const directory of repositories) await fsck(directory);
  expect(await historyOf(deciding)).toEqual([commit, ...history]);
  await checkAcknowledged(deciding, [commit, ...history], acknowledged);
  const locked = await readdir(join(place.directory, 'refs/heads'), { recursive: true });
  expect(locked.filter((name) => name.endsWith('.lock'))).toEqual([]);
}

/** What the next process does: it reads the tip, and goes on from it. */
async function writeNext(place: Place, history: readonly string[], tags: readonly string[]): Promise<CommitId> {
  await using store = await open(place);
  const snapshot = await store.snapshot();
  expect(snapshot.commit).toBe(history[0] ?? null);
  expect(textsBelow(await snapshot.readTree(repoPath('left')))).toEqual(
    textsBelow(await snapshot.readTree(repoPath('right'))),
  );
  // Something new in each round.
  const text = `after commit ${snapshot.commit}`;
  const commit = await writePair(store, 'next', text);
  expect(await readText(await store.snapshot(), 'left/next')).toBe(text);
  const known = (await store.listTags()).map(({ name }) => name);
  for (const name of tags) if (!known.includes(name)) await store.createTag({ name, commit });
  return commit;
}

async function checkRepository(directory: string): Promise<void> {
  if (!(await isRepository(directory))) return;
  await fsck(directory);
  await checkCommitsAreComplete(directory);
}

async function checkAcknowledged(
  directory: string,
  history: readonly string[],
  acknowledged: readonly string[],
): Promise<void> {
  const tags = acknowledged.filter((each) => each.startsWith('refs/tags/'));
  const commits = acknowledged.filter((each) => !tags.includes(each));
  expect(commits.filter((each) => !history.includes(each))).toEqual([]);
  if (tags.length === 0) return;
  const refs = await git(directory, ['for-each-ref', '--format=%(refname)', 'refs/tags']);
  expect(tags.filter((each) => !refs.split('\n').includes(each))).toEqual([]);
}

function textsBelow(tree: ReadonlyMap<RepoPath, Uint8Array>): readonly (readonly [string, string])[] {
  return [...tree].map(([path, bytes]) => [path.replace(/^[^/]*/, ''), Buffer.from(bytes).toString('utf8')]);
}
