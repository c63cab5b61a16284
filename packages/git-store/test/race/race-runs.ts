import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';
import { fsck, git, temporaryDirectory } from '../git-command.ts';
import { startHttpGitServer } from '../http-git-server.ts';

export interface Race {
  readonly writers: number;
  /** How many of them let the git binary write. Default: none. */
  readonly native?: number;
  /** Of each writer. */
  readonly changes: number;
  /** How many calls of one writer wait at the same time. */
  readonly callers: number;
  /** Each n-th change is made to the file that all writers share. */
  readonly sharedEvery: number;
}

interface Acknowledged {
  readonly change: string;
  readonly commit: string;
}

async function runWriter(program: string, args: readonly string[]): Promise<readonly Acknowledged[]> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let failure = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    failure += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`a writer failed: ${failure}`);
  return said
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([change = '', commit = '']) => ({ change, commit }));
}

function runWriters(
  program: string,
  { writers, native = 0, changes, callers, sharedEvery }: Race,
  placeOf: (name: string) => readonly string[],
): Promise<readonly Acknowledged[]> {
  const names = Array.from({ length: writers }, (_, index) => `${index < native ? 'native' : 'w'}${index}`);
  const runs = names.map((name) =>
    runWriter(program, [name, ...[changes, callers, sharedEvery].map(String), ...placeOf(name)]),
  );
  return Promise.all(runs).then((all) => all.flat());
}

/** Every acknowledged change is in history exactly once, in the commit of its receipt, and generations go up by one. */
async function checkHistory(directory: string, race: Race, acknowledged: readonly Acknowledged[]): Promise<void> {
  const trailer = (key: string) => `%(trailers:key=${key},valueonly,separator=%x2c)`;
  const log = await git(directory, [
    'log',
    '--reverse',
    '--first-parent',
    `--format=%H ${trailer('Caelus-Change')} ${trailer('Caelus-Generation')}`,
    'main',
  ]);
  const commits = log
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const found = commits.flatMap(([commit = '', changes = '']) =>
    changes
      .split(',')
      .filter(Boolean)
      .map((change) => `${change} ${commit}`),
  );
  expect(acknowledged).toHaveLength(race.writers * race.changes);
  expect(found.toSorted()).toEqual(acknowledged.map(({ change, commit }) => `${change} ${commit}`).toSorted());
  const generations = commits.flatMap(([, , generation = '']) => generation.split(',').filter(Boolean));
  expect(generations).toEqual(generations.map((_, index) => String(index + 1)));
  expect(generations).toHaveLength(race.writers * Math.ceil(race.changes / race.sharedEvery));
  expect(await git(directory, ['show', 'main:shared/generation'])).toBe(generations.at(-1));
  await fsck(directory);
}

/** Processes on one directory, with stock Git beside them that commits, repacks and collects garbage. */
export async function raceOnDirectory(race: Race, stockGit: boolean): Promise<void> {
  await using root = await temporaryDirectory();
  const program = await bundleProgram(new URL('race-writer.ts', import.meta.url), root.path);
  const directory = join(root.path, 'store.git');
  let done = false;
  const writing = runWriters(program, race, () => [directory]).finally(() => {
    done = true;
  });
  let commits = 0;
  let maintained = 0;
  const commit = async () => {
    // At least once, also where the writers are done too soon.
    while (!done || commits === 0) {
      if (await succeeds(commitByHand(directory))) commits += 1;
    }
  };
  const maintain = async () => {
    for (let round = 0; !done || maintained === 0; round += 1) {
      const command = round % 2 === 0 ? ['repack', '-adq'] : ['gc', '-q'];
      // It may find that a pack was folded into another one, and stops; nothing is lost by that.
      if (await succeeds(git(directory, command))) maintained += 1;
    }
  };
  const [acknowledged] = await Promise.all([writing, ...(stockGit ? [commit(), maintain()] : [])]);
  await checkHistory(directory, race, acknowledged ?? []);
  if (!stockGit) return;
  expect((await git(directory, ['log', '--format=%s', 'main'])).match(/^by hand$/gm)).toHaveLength(commits);
}

async function commitByHand(directory: string): Promise<void> {
  const old = (await git(directory, ['rev-parse', 'main'])).trim();
  const next = await git(directory, ['commit-tree', `${old}^{tree}`, '-p', old, '-m', 'by hand']);
  await git(directory, ['update-ref', 'refs/heads/main', next.trim(), old]);
}

async function succeeds(command: Promise<unknown>): Promise<boolean> {
  return command.then(
    () => true,
    () => false,
  );
}

/** Processes with a clone each, on one remote. */
export async function raceOnRemote(race: Race): Promise<void> {
  await using root = await temporaryDirectory();
  const program = await bundleProgram(new URL('race-writer.ts', import.meta.url), root.path);
  const remote = join(root.path, 'remote.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', remote]);
  await using server = await startHttpGitServer(root.path);
  const clones = new Set<string>();
  const acknowledged = await runWriters(program, race, (name) => {
    clones.add(join(root.path, name));
    return [join(root.path, name), `${server.url}/remote.git`];
  });
  await checkHistory(remote, race, acknowledged);
  for (const clone of clones) await fsck(clone);
}
