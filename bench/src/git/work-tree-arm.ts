import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Arm, ArmSettings } from './arm.ts';
import { git } from './git-command.ts';
import { watchPeakMemory } from './peak-memory.ts';
import type { Files } from './workload.ts';

/**
 * `git add` and `git commit` in a work tree that is kept. With a remote, the whole cycle of the tools that keep one: fetch,
 * reset, add, commit, push. Only the paths that changed are added, which is kinder than the `git add -A` of most.
 */
export async function openWorkTreeArm({ directory, url, watchMemory = false }: ArmSettings): Promise<Arm> {
  let peak = 0;
  const started = watchMemory
    ? (child: ChildProcess) => watchPeakMemory(child, (bytes) => (peak = Math.max(peak, bytes)))
    : undefined;
  const run = (...args: readonly string[]) => git(directory, args, { started });
  if (url !== undefined) await git(directory, ['remote', 'set-url', 'origin', url]);

  return {
    async write(files) {
      if (url !== undefined) {
        await run('fetch', '-q', 'origin', 'main');
        await run('reset', '-q', '--hard', 'FETCH_HEAD');
      }
      await writeToWorkTree(directory, files);
      await run('add', '--', ...files.map(([path]) => path));
      await run('commit', '-q', '-m', 'update one instance');
      if (url !== undefined) await run('push', '-q', 'origin', 'HEAD:main');
    },
    get peakMemoryOfChildren() {
      return peak;
    },
    async [Symbol.asyncDispose]() {},
  };
}

export async function writeToWorkTree(directory: string, files: Files): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}
