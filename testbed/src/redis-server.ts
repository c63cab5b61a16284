import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { cacheFolder } from './cache-folder.ts';
import type { Progress } from './go-program.ts';
import { run } from './run.ts';

/** The program, and what of its libraries a small Debian lacks. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'];

/**
 * The path of `redis-server`: on the PATH, or from Debian's package. That is unpacked into the user's cache folder and not
 * installed: an installed one would start a server of its own, and only root could.
 */
export async function findRedis(progress: Progress): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    if (await isProgram(join(folder, 'redis-server'))) return join(folder, 'redis-server');
  }
  const folder = join(cacheFolder(), 'testbed', 'redis');
  const path = join(folder, 'redis-server');
  if (await isProgram(path)) return path;
  progress('Fetching Debian’s redis-server (once)');
  await mkdir(dirname(folder), { recursive: true });
  const unpacking = await mkdtemp(`${folder}-`);
  try {
    await unpack(unpacking, folder);
    await rename(unpacking, folder);
  } catch (error) {
    await rm(unpacking, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`There is no redis-server here. Install it (Debian: apt-get install redis-server). ${reason}`);
  }
  return path;
}

const isProgram = (path: string) =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

async function unpack(folder: string, destination: string): Promise<void> {
  const known = await run('apt-cache', ['policy', 'redis-server']);
  if (!/Candidate: \d/.test(known) && process.getuid?.() === 0) await run('apt-get', ['update']);
  await run('apt-get', ['download', ...PACKAGES], { cwd: folder });
  for (const file of await readdir(folder)) {
    await run('dpkg-deb', ['--extract', join(folder, file), folder]);
    await rm(join(folder, file));
  }
  const libraries = (await readdir(join(folder, 'usr/lib'))).map((name) => join(destination, 'usr/lib', name));
  const program = join(destination, 'usr/bin/redis-server');
  const script = `#!/bin/sh\nLD_LIBRARY_PATH='${libraries.join(':')}' exec '${program}' "$@"\n`;
  await writeFile(join(folder, 'redis-server'), script);
  await chmod(join(folder, 'redis-server'), 0o755);
}
