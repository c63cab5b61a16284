import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Child {
  /** What it has printed, line by line. */
  readonly lines: readonly string[];
  /** Its exit code or the signal that ended it, once all that it printed is read. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Resolves once it has printed so many lines. Rejects if it ends before. */
  printed(count: number): Promise<void>;
  /** `SIGKILL`: the process has no chance to do anything more. */
  kill(): void;
}

/** Runs one of the programs of this directory in a process of its own, from source. */
export function startProgram(program: string, ...args: readonly string[]): Child {
  const path = fileURLToPath(new URL(program, import.meta.url));
  return startNode(['--import', 'tsx', '--conditions=@caelus/source', path, ...args]);
}

/** Runs Node.js in a process of its own, in the root of the workspace. */
export function startNode(args: readonly string[]): Child {
  const cwd = fileURLToPath(new URL('../../..', import.meta.url));
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    lines,
    ended,
    async printed(count) {
      let isOver = false;
      const over = ended.then(() => {
        isOver = true;
      });
      while (lines.length < count) {
        if (isOver)
          throw new Error(`${args.join(' ')} ended after ${lines.length} of ${count} lines: ${lines.join(' ')}`);
        await Promise.race([once(reader, 'line'), over]);
      }
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
