import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, installPackage, libraryPath } from './debian-package.ts';
import { endServer, freePort, saidBy, unprivileged } from './server-process.ts';

const run = promisify(execFile);

/** A PostgreSQL server of our own, on loopback. */
export interface PostgresServer {
  /** Names no database; the role is a superuser without a password. */
  readonly url: string;
  stop(): Promise<void>;
}

/** The directory of `initdb` and `postgres`, if PostgreSQL is installed here. */
export async function findPostgres(): Promise<string | undefined> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => []);
  const newestFirst = versions.toSorted((a, b) => Number(b) - Number(a));
  const configured = await run('pg_config', ['--bindir']).then(
    ({ stdout }) => [stdout.trim()],
    () => [],
  );
  const candidates = [
    ...newestFirst.map((version) => join('/usr/lib/postgresql', version, 'bin')),
    ...configured,
    ...(process.env.PATH ?? '').split(delimiter),
    ...(await unpackedIn(cacheFolder('postgresql'))),
  ];
  return candidates.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** Installs Debian's package. */
export async function installPostgres(): Promise<string> {
  await installPackage('postgresql', async () => {
    const { stdout } = await run('apt-cache', ['depends', '--important', 'postgresql']);
    const server = /Depends: (postgresql-\d+)/.exec(stdout)?.[1];
    if (server === undefined) throw new Error('apt-cache knows no package postgresql.');
    return [server, server.replace('postgresql', 'postgresql-client'), 'libpq5'];
  });
  const found = await findPostgres();
  if (found === undefined) throw new Error('PostgreSQL was installed, but initdb and postgres cannot be found.');
  return found;
}

async function unpackedIn(folder: string): Promise<readonly string[]> {
  const root = join(folder, 'usr/lib/postgresql');
  return (await readdir(root).catch(() => [])).map((version) => join(root, version, 'bin'));
}

/** Runs a program of PostgreSQL, such as `psql`, and gives what it prints. */
export async function postgresProgram(program: string, args: readonly string[], input = ''): Promise<string> {
  const binaries = await findPostgres();
  if (binaries === undefined) throw new Error('PostgreSQL is not installed.');
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath(binaries) };
  const running = run(join(binaries, program), args, { env, maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** Makes a cluster in a temporary directory and starts it. `settings` replace those that tests are fastest with. */
export async function startPostgres(
  binaries: string,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-postgres-'));
  const data = join(folder, 'data');
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: libraryPath(binaries) };
  // initdb refuses to be run by root.
  const as = await unprivileged(folder);
  const initArgs = ['-D', data, '-U', 'caelus', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run(...as(join(binaries, 'initdb'), initArgs), { env, cwd: folder });

  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: folder,
    // Lost on a power cut, which a test does not have; what is killed here are clients.
    fsync: 'off',
    // It takes transaction numbers at times of its own, and events wait for the oldest of these.
    autovacuum: 'off',
    max_connections: 200,
    // A zone that is not UTC, so that what depends on it goes wrong.
    timezone: 'America/New_York',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(...as(join(binaries, 'postgres'), ['-D', data, ...flags]), {
    env,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async () => {
    // A fast shutdown: it ends the connections that are left.
    await endServer(child, 'SIGINT');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await saidBy(child, 'ready to accept connections');
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://caelus@127.0.0.1:${port}`, stop };
}
