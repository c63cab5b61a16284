import { spawn } from 'node:child_process';

/** How a program is run to its end. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

const SHOWN_CHARACTERS = 4000;

/**
 * Runs a program to its end and returns what it printed.
 *
 * @throws Error that ends with the last of its error output, when it cannot be started or does not end with 0.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { cwd, env = process.env, input } = options;
  const child = spawn(program, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-SHOWN_CHARACTERS);
  });
  // A program that ends before it has read all closes the pipe; its exit code tells more than that.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number | string | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, name) => resolve(status ?? name));
  });
  if (code !== 0) {
    const [first = ''] = args;
    throw new Error(
      `${program} ${first} ended with ${code}: ${errors.trim() || output.slice(-SHOWN_CHARACTERS).trim()}`,
    );
  }
  return output;
}
