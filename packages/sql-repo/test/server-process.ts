import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Says how to start a program that refuses to be run by root: as the user of PostgreSQL, or nobody, who is given the folder.
 * Whoever is not root runs it as they are.
 */
export async function unprivileged(
  folder: string,
): Promise<(program: string, args: readonly string[]) => [string, readonly string[]]> {
  if (process.getuid?.() !== 0) return (program, args) => [program, args];
  const { stdout } = await run('id', ['-u', 'postgres']).catch(() => run('id', ['-u', 'nobody']));
  const user = Number(stdout);
  await chown(folder, user, user);
  return (program, args) => ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', program, ...args]];
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

/** Resolves once the server has written the text to its log, which is its standard error. Rejects if it ends before. */
export async function saidBy(child: ChildProcess, text: string): Promise<void> {
  let log = '';
  const { stderr } = child;
  if (stderr === null) throw new Error('The server has no output.');
  await new Promise<void>((resolve, reject) => {
    stderr.setEncoding('utf8').on('data', (part: string) => {
      // Read to the end, so that the server never waits for us; kept only until it is there.
      if (log.length < 100_000) log += part;
      if (log.includes(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`${child.spawnfile} did not start: ${log}`)));
    child.once('error', reject);
  });
}

/** Asks a server to end, by the signal that it understands, and makes it end where it does not. */
export async function endServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  const forced = sleep(20_000, undefined, { ref: false }).then(() => child.kill('SIGQUIT'));
  await Promise.race([exited, forced]);
  await exited;
}
