import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createGitStore } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { write } from './store-writing.ts';

// The same tests with the counts that take minutes: `pnpm --filter @caelus/git-store test:heavy`.
const heavy = process.env.CAELUS_HEAVY === '1';
const counts = heavy ? { local: 100, remote: 50, kills: 60 } : { local: 20, remote: 6, kills: 4 };

type Writer = ChildProcessByStdio<null, Readable, Readable>;

function startWriter(...args: readonly string[]): {
  readonly child: Writer;
  readonly acknowledged: string[];
  failure: string;
} {
  const script = fileURLToPath(new URL('write-changes.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@caelus/source', script, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const writer = { child, acknowledged: [] as string[], failure: '' };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    writer.acknowledged.push(...lines);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    writer.failure += text;
  });
  return writer;
}

async function finish(writer: ReturnType<typeof startWriter>): Promise<readonly string[]> {
  const [code] = await once(writer.child, 'close');
  if (code !== 0) throw new Error(`a writer failed: ${writer.failure}`);
  return writer.acknowledged;
}

async function historyOf(directory: string): Promise<readonly string[]> {
  return (await git(directory, ['rev-list', 'main'])).trim().split('\n');
}

describe('several processes', () => {
  it(`lose nothing on one directory: 2 x ${counts.local}`, { timeout: 300_000 }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    const writers = ['one', 'two'].map((name) => startWriter(name, String(counts.local), directory));
    const acknowledged = (await Promise.all(writers.map(finish))).flat();
    expect(acknowledged).toHaveLength(2 * counts.local);
    expect((await historyOf(directory)).toSorted()).toEqual(acknowledged.toSorted());
    await fsck(directory);
  });

  it(`lose nothing on one remote, each with a clone: 2 x ${counts.remote}`, { timeout: 600_000 }, async () => {
    await using root = await temporaryDirectory();
    const remote = join(root.path, 'remote.git');
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', remote]);
    await using server = await startHttpGitServer(root.path);
    const url = `${server.url}/remote.git`;
    const writers = ['one', 'two'].map((name) => startWriter(name, String(counts.remote), join(root.path, name), url));
    const acknowledged = (await Promise.all(writers.map(finish))).flat();
    expect(acknowledged).toHaveLength(2 * counts.remote);
    expect((await historyOf(remote)).toSorted()).toEqual(acknowledged.toSorted());
    for (const directory of [remote, join(root.path, 'one'), join(root.path, 'two')]) await fsck(directory);
  });

  it(`leave the old or the new tip when they are killed: ${counts.kills} times`, { timeout: 600_000 }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    const acknowledged: string[] = [];
    for (let kill = 0; kill < counts.kills; kill += 1) {
      const writer = startWriter(`w${kill}`, '0', directory);
      // At any point of a commit: some milliseconds after it was seen to write.
      await once(writer.child.stdout, 'data');
      const until = performance.now() + Math.random() * 60;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      writer.child.kill('SIGKILL');
      await once(writer.child, 'close');
      acknowledged.push(...writer.acknowledged);
      await fsck(directory);
      const history = new Set(await historyOf(directory));
      expect(acknowledged.filter((commit) => !history.has(commit))).toEqual([]);
      // At most the one commit that was on its way is there without having been acknowledged.
      expect(history.size - acknowledged.length).toBeLessThanOrEqual(kill + 1);
    }
    await using store = await createGitStore({ directory });
    expect((await write(store, { last: '1' })).outcome).toBe('written');
    await fsck(directory);
  });
});
