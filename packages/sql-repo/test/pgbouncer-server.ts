import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cacheFolder, installPackage, libraryPath } from './debian-package.ts';
import { endServer, freePort, saidBy, unprivileged } from './server-process.ts';

/** PgBouncer in transaction mode, on loopback, before a server of PostgreSQL. */
export interface PgbouncerServer extends AsyncDisposable {
  /** The same database as the URL that it was started for. */
  readonly url: string;
}

export function findPgbouncer(): string | undefined {
  const folders = [
    '/usr/sbin',
    join(cacheFolder('pgbouncer'), 'usr/sbin'),
    ...(process.env.PATH ?? '').split(delimiter),
  ];
  return folders.map((folder) => join(folder, 'pgbouncer')).find((path) => existsSync(path));
}

/** Installs Debian's package. */
export async function installPgbouncer(): Promise<string> {
  await installPackage('pgbouncer', async () => ['pgbouncer', 'libevent-2.1-7', 'libc-ares2']);
  const found = findPgbouncer();
  if (found === undefined) throw new Error('PgBouncer was installed, but cannot be found.');
  return found;
}

/** `connections` to the server are shared by all clients, so that a client gets another one with each transaction. */
export async function startPgbouncer(
  binary: string,
  database: string,
  { connections }: { readonly connections: number },
): Promise<PgbouncerServer> {
  const { hostname, port, username, pathname } = new URL(database);
  const folder = await mkdtemp(join(tmpdir(), 'caelus-pgbouncer-'));
  const as = await unprivileged(folder);
  const own = await freePort();
  const file = join(folder, 'pgbouncer.ini');
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: own,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: connections,
    max_client_conn: 200,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const target = `* = host=${hostname} port=${port} user=${username}`;
  await writeFile(file, `[databases]\n${target}\n\n[pgbouncer]\n${lines.join('\n')}\n`);
  const child = spawn(...as(binary, [file]), {
    cwd: folder,
    env: { ...process.env, LD_LIBRARY_PATH: libraryPath(binary) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = async () => {
    await endServer(child, 'SIGTERM');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await saidBy(child, 'process up');
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `postgres://${username}@127.0.0.1:${own}${pathname}`, [Symbol.asyncDispose]: stop };
}
