import type { Arm, ArmSettings } from './arm.ts';
import { commitCommand, fileCommands } from './fast-import-stream.ts';
import { git } from './git-command.ts';
import type { Files } from './workload.ts';

interface WaitingWrite {
  readonly files: Files;
  resolve(): void;
  reject(reason: unknown): void;
}

/**
 * One writer with stock Git: all that wait go into one commit by `git fast-import`, and out with one `git push` that
 * believes the branch to be where it was left.
 */
export async function openFastImportArm({ directory, url }: ArmSettings): Promise<Arm> {
  let waiting: WaitingWrite[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        await commit(batch.map(({ files }) => files));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      // Callers that go on at once are part of the next commit.
      await new Promise(setImmediate);
    }
    running = undefined;
  }

  async function commit(changes: readonly Files[]): Promise<void> {
    const head = commitCommand(`update ${changes.length} instances`, 'refs/heads/main^0');
    const input = `${head}${changes.map(fileCommands).join('')}done\n`;
    // Kept as one pack: thousands of loose objects would cost an fsync each.
    await git(directory, ['-c', 'fastimport.unpackLimit=1', 'fast-import', '--quiet', '--done'], { input });
    if (url !== undefined) await git(directory, ['push', '-q', url, 'refs/heads/main']);
  }

  return {
    write: (files) =>
      new Promise((resolve, reject) => {
        waiting.push({ files, resolve, reject });
        running ??= drain();
      }),
    async [Symbol.asyncDispose]() {
      await running;
    },
  };
}
