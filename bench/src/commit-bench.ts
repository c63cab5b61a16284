// One-instance commits: the Git store beside `git add` + `git commit` in a work tree (GitPython's way), and beside
// isomorphic-git's own add + commit. The arms are interleaved round by round, so that noise of the machine meets all of them.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { type ProposedChange, parseRepoPath, type StateStore } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import isomorphic from 'isomorphic-git';
import { type BenchResult, median, timed } from './bench-result.ts';

export interface CommitBenchOptions {
  /** Instances in the repository. Default 100, 1,000 and 10,000. */
  readonly sizes?: readonly number[] | undefined;
  readonly layouts?: readonly ('flat' | 'sharded')[] | undefined;
  /** Measured commits of each arm; isomorphic-git's own way is sampled less at large sizes. Default 15. */
  readonly rounds?: number | undefined;
}

const WARM_UP = 2;
const run = promisify(execFile);
const identity = { name: 'Bench', email: 'bench@example.com' };
const environment = {
  PATH: process.env.PATH,
  HOME: tmpdir(),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: identity.name,
  GIT_AUTHOR_EMAIL: identity.email,
  GIT_COMMITTER_NAME: identity.name,
  GIT_COMMITTER_EMAIL: identity.email,
};

/** Measures commits of one instance (values of 2 kB, an Application of 1.4 kB). */
export async function benchCommit(options: CommitBenchOptions = {}): Promise<BenchResult[]> {
  const { sizes = [100, 1000, 10_000], layouts = ['flat', 'sharded'], rounds = 15 } = options;
  const results: BenchResult[] = [];
  for (const layout of layouts) for (const size of sizes) results.push(...(await benchOne(layout, size, rounds)));
  return results;
}

async function benchOne(layout: 'flat' | 'sharded', size: number, rounds: number): Promise<BenchResult[]> {
  const root = await mkdtemp(join(tmpdir(), 'caelus-bench-'));
  try {
    const bare = join(root, 'store.git');
    const worktrees = { cli: join(root, 'cli'), isomorphic: join(root, 'isomorphic') };
    await fillRepository(bare, layout, size);
    for (const directory of Object.values(worktrees)) {
      await git(root, 'clone', '-q', bare, directory);
      await git(directory, 'config', 'gc.auto', '0');
      await git(directory, 'config', 'core.fsync', 'committed,loose-object');
    }
    await using store = await createGitStore({ directory: bare });

    const slow = size >= 10_000 ? 3 : rounds;
    const samples = { store: [] as number[], cli: [] as number[], isomorphic: [] as number[] };
    for (let round = -WARM_UP; round < rounds; round += 1) {
      const files = filesOf(layout, ((round + WARM_UP) * 7) % size, `round ${round}`);
      const times = {
        store: await timed(() => writeToStore(store, files)),
        cli: await timed(() => commitByCli(worktrees.cli, files)),
        isomorphic:
          round < 0 || round >= slow ? undefined : await timed(() => commitByIsomorphic(worktrees.isomorphic, files)),
      };
      if (round < 0) continue;
      samples.store.push(times.store);
      samples.cli.push(times.cli);
      if (times.isomorphic !== undefined) samples.isomorphic.push(times.isomorphic);
    }
    await checkSameTree(bare, worktrees.cli);

    const ours = median(samples.store);
    return (['cli', 'isomorphic'] as const).map((arm) => ({
      name: 'commit',
      work: 'one instance by the Git store',
      against: arm === 'cli' ? 'git add + git commit' : 'isomorphic-git add + commit',
      medianMs: ours,
      ratio: median(samples[arm]) / ours,
      runs: samples[arm].length,
      parameters: {
        layout,
        instances: size,
        againstMs: Math.round(median(samples[arm]) * 10) / 10,
        fsync: arm === 'cli',
      },
    }));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

type Files = ReadonlyMap<string, string>;

function idOf(index: number): string {
  const hex = createHash('sha1').update(String(index)).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function filesOf(layout: 'flat' | 'sharded', index: number, text: string): Files {
  const id = idOf(index);
  const shard = layout === 'sharded' ? `${id.slice(-2)}/` : '';
  const filler = (bytes: number) => {
    const hex = createHash('sha512').update(`${id} ${text}`).digest('hex');
    return Array.from(
      { length: Math.ceil(bytes / 64) },
      (_, line) => `key${line}: ${hex.slice(line % 60, (line % 60) + 52)}\n`,
    )
      .join('')
      .slice(0, bytes);
  };
  return new Map([
    [`instances/${shard}${id}/values.yaml`, filler(2055)],
    [`argo-cd/applications/${shard}${id}.yaml`, filler(1404)],
  ]);
}

/** One commit of all instances, packed, as a clone of a real repository would be. */
async function fillRepository(directory: string, layout: 'flat' | 'sharded', size: number): Promise<void> {
  await git(tmpdir(), 'init', '-q', '--bare', '-b', 'main', directory);
  const child = run('git', ['-C', directory, 'fast-import', '--quiet'], { env: environment });
  const input = child.child.stdin;
  if (input === null) throw new Error('git fast-import takes no input');
  input.write(`commit refs/heads/main\ncommitter ${identity.name} <${identity.email}> 1 +0000\ndata 4\nfill\n`);
  for (let index = 0; index < size; index += 1) {
    for (const [path, text] of filesOf(layout, index, 'fill')) {
      if (!input.write(`M 100644 inline ${path}\ndata ${text.length}\n${text}\n`)) {
        await new Promise((resolve) => input.once('drain', resolve));
      }
    }
  }
  input.end();
  await child;
  await git(directory, 'repack', '-adq');
}

async function writeToStore(store: StateStore, files: Files): Promise<void> {
  const edits = [...files].map(([path, text]) => ({ path: parseRepoPath(path), bytes: Buffer.from(text) }));
  const change: ProposedChange = {
    subject: 'bench',
    propose: async () => ({ edits, summary: 'update one instance', trailers: [], actor: null }),
  };
  const [receipt] = await store.write([change]);
  if (receipt?.outcome !== 'written') throw new Error(`the commit was ${receipt?.outcome}`);
}

async function writeToWorktree(directory: string, files: Files): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}

async function commitByCli(directory: string, files: Files): Promise<void> {
  await writeToWorktree(directory, files);
  await git(directory, 'add', '--', ...files.keys());
  await git(directory, 'commit', '-q', '-m', 'update one instance');
}

async function commitByIsomorphic(directory: string, files: Files): Promise<void> {
  await writeToWorktree(directory, files);
  for (const filepath of files.keys()) await isomorphic.add({ fs, dir: directory, filepath });
  await isomorphic.commit({ fs, dir: directory, message: 'update one instance', author: identity });
}

async function checkSameTree(bare: string, worktree: string): Promise<void> {
  const [ours, theirs] = await Promise.all([
    git(bare, 'rev-parse', 'main^{tree}'),
    git(worktree, 'rev-parse', 'HEAD^{tree}'),
  ]);
  if (ours !== theirs) throw new Error('the arms did not end on the same tree');
}

async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run('git', ['-C', directory, ...args], { env: environment, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
