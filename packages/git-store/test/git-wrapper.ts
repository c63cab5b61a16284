import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An executable that is git, and writes down the process and the arguments of each start. */
export interface GitWrapper {
  readonly executable: string;
  starts(): Promise<readonly { readonly process: number; readonly args: string }[]>;
}

export async function createGitWrapper(directory: string): Promise<GitWrapper> {
  const executable = join(directory, 'git wrapper');
  const record = join(directory, 'git-starts');
  await writeFile(record, '');
  // One printf is one write, so that lines of several processes do not mix.
  await writeFile(
    executable,
    `#!/bin/sh\nprintf '%s %s\\n' "$$" "$(printf '%s ' "$@" | tr '\\n' ' ')" >>'${record}'\nexec git "$@"\n`,
  );
  await chmod(executable, 0o755);
  return {
    executable,
    async starts() {
      const lines = (await readFile(record, 'utf8')).split('\n').filter(Boolean);
      return lines.map((line) => ({
        process: Number(line.slice(0, line.indexOf(' '))),
        args: line.slice(line.indexOf(' ') + 1),
      }));
    },
  };
}
