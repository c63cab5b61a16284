import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { until } from './condition.ts';

/**
 * Does what only one process may do at a time in this folder, and makes the folder if need be.
 *
 * @throws Error when another process has not let go after so many seconds.
 */
export async function withFolderLock<T>(folder: string, seconds: number, work: () => Promise<T>): Promise<T> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = createHash('sha256').update(realpathSync(folder)).digest('hex');
  const what = `another process that works in ${folder}`;
  const lock = await until(() => take(name), { seconds, what });
  try {
    return await work();
  } finally {
    lock.close();
    await once(lock, 'close');
  }
}

/** A socket in Linux's abstract namespace: one process has it, and a process that ends, however it ends, lets go of it. */
async function take(name: string): Promise<Server | undefined> {
  const server = createServer().listen(`\0caelus-testbed-${name}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
