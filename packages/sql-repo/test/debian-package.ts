import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the packages of a program are unpacked for a user who cannot install them. */
export function cacheFolder(name: string): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus-tests', name);
}

/**
 * Installs a package of Debian: as root by apt, else unpacked into the user's cache folder, with what `parts` names of the
 * packages that it needs and a machine may lack.
 */
export async function installPackage(name: string, parts: () => Promise<readonly string[]>): Promise<void> {
  if (process.getuid?.() !== 0) {
    await unpack(await parts(), cacheFolder(name));
    return;
  }
  await run('apt-get', ['update']);
  await run('apt-get', ['install', '--yes', '--no-install-recommends', name], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

async function unpack(packages: readonly string[], folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  await run('apt-get', ['download', ...packages], { cwd: unfinished });
  for (const file of await readdir(unfinished)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(unfinished, file), unfinished]);
  }
  await rename(unfinished, folder);
}

/** Where the packages were unpacked and not installed, a program's libraries lie beside it. */
export function libraryPath(binary: string): string {
  const root = binary.replace(/\/usr\/(?:lib\/postgresql|sbin)\/.*$/, '');
  const own = root === '' ? [] : [join(root, 'usr/lib/x86_64-linux-gnu'), join(root, 'usr/lib/aarch64-linux-gnu')];
  return [...own, process.env.LD_LIBRARY_PATH].filter((path) => path !== undefined).join(delimiter);
}
