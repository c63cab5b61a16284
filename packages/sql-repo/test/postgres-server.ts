import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const isRoot = process.getuid?.() === 0;

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
    ...(await unpackedIn(cacheFolder())),
  ];
  return candidates.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** Installs Debian's package: as root by apt, else unpacked into the user's cache folder. */
export async function installPostgres(): Promise<string> {
  if (isRoot) {
    await run('apt-get', ['update']);
    await run('apt-get', ['install', '--yes', '--no-install-recommends', 'postgresql'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } else {
    await unpackPackages(cacheFolder());
  }
  const found = await findPostgres();
  if (found === undefined) throw new Error('PostgreSQL was installed, but initdb and postgres cannot be found.');
  return found;
}

const cacheFolder = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus-tests', 'postgresql');

async function unpackedIn(folder: string): Promise<readonly string[]> {
  const root = join(folder, 'usr/lib/postgresql');
  return (await readdir(root).catch(() => [])).map((version) => join(root, version, 'bin'));
}

async function unpackPackages(folder: string): Promise<void> {
  const { stdout } = await run('apt-cache', ['depends', '--important', 'postgresql']);
  const server = /Depends: (postgresql-\d+)/.exec(stdout)?.[1];
  if (server === undefined) throw new Error('apt-cache knows no package postgresql.');
  await mkdir(dirname(folder), { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  const client = server.replace('postgresql', 'postgresql-client');
  await run('apt-get', ['download', server, client, 'libpq5'], { cwd: unfinished });
  for (const file of await readdir(unfinished)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(unfinished, file), unfinished]);
  }
  await rename(unfinished, folder);
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

/** Makes a cluster in a temporary directory and starts it. */
export async function startPostgres(binaries: string): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-postgres-'));
  const data = join(folder, 'data');
  const user = await ownerOf(folder);
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: libraryPath(binaries) };
  const as = (program: string, args: readonly string[]): [string, readonly string[]] =>
    user === undefined
      ? [join(binaries, program), args]
      : ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', join(binaries, program), ...args]];
  const initArgs = ['-D', data, '-U', 'caelus', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await run(...as('initdb', initArgs), { env, cwd: folder });

  const port = await freePort();
  const settings = {
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
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(...as('postgres', ['-D', data, ...flags]), {
    env,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://caelus@127.0.0.1:${port}`, stop };
}

/** initdb refuses to be run by root. */
async function ownerOf(folder: string): Promise<number | undefined> {
  if (!isRoot) return undefined;
  const { stdout } = await run('id', ['-u', 'postgres']).catch(() => run('id', ['-u', 'nobody']));
  const id = Number(stdout);
  await chown(folder, id, id);
  return id;
}

/** Where the packages were unpacked and not installed, libpq lies beside them. */
function libraryPath(binaries: string): string {
  const root = binaries.replace(/\/usr\/lib\/postgresql\/.*$/, '');
  const own = root === '' ? [] : [join(root, 'usr/lib/x86_64-linux-gnu'), join(root, 'usr/lib/aarch64-linux-gnu')];
  return [...own, process.env.LD_LIBRARY_PATH].filter((path) => path !== undefined).join(delimiter);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('There is no free port.');
  return address.port;
}

async function ready(child: ChildProcess): Promise<void> {
  let log = '';
  const { stderr } = child;
  if (stderr === null) throw new Error('The server has no output.');
  await new Promise<void>((resolve, reject) => {
    stderr.setEncoding('utf8').on('data', (text: string) => {
      // Read to the end, so that the server never waits for us; kept only until it is there.
      if (log.length < 100_000) log += text;
      if (log.includes('ready to accept connections')) resolve();
    });
    child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)));
    child.once('error', reject);
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  // A fast shutdown: it ends the connections that are left.
  child.kill('SIGINT');
  const forced = sleep(20_000, undefined, { ref: false }).then(() => child.kill('SIGQUIT'));
  await Promise.race([exited, forced]);
  await exited;
}
