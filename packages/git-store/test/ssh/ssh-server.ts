import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALLED = '/usr/sbin/sshd';
/** What sshd links to, and what lets it run where nobody has made the user that it drops its rights to. */
const PACKAGES = ['openssh-server', 'libwrap0', 'libnss-wrapper'];

export interface SshProgram {
  readonly path: string;
  /** Where it was unpacked; `undefined` where it is installed. */
  readonly folder: string | undefined;
}

/** The machine's sshd, or Debian's, downloaded and checked by apt, and unpacked into the user's cache folder. */
export async function findSshServer(): Promise<SshProgram> {
  if (existsSync(INSTALLED)) return { path: INSTALLED, folder: undefined };
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus', 'tools');
  const folder = join(cache, 'openssh-server');
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true });
    // Unpacked beside and then renamed, so that a run that is interrupted leaves no half of a program behind.
    const unpacking = await mkdtemp(join(cache, 'unpacking-'));
    try {
      await run('apt-get', ['download', ...PACKAGES], { cwd: unpacking });
      for (const name of await readdir(unpacking)) await run('dpkg', ['-x', name, unpacking], { cwd: unpacking });
      await rename(unpacking, folder);
    } finally {
      await rm(unpacking, { recursive: true, force: true });
    }
  }
  return { path: join(folder, INSTALLED), folder };
}

export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** The file of host keys that a client has to have. */
  readonly knownHosts: string;
  /** The private key that the server takes. */
  readonly identity: string;
  /** Of a repository by its absolute path. */
  url(directory: string): string;
}

/** Runs sshd as the current user on a high port of the loopback interface, with keys of its own, below `root`. */
export async function startSshServer(program: SshProgram, root: string): Promise<SshServer> {
  const at = (name: string) => join(root, name);
  for (const name of ['host_key', 'identity']) await createKey(at(name));
  await copyFile(at('identity.pub'), at('authorized_keys'));
  const port = await freePort();
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host_key')}`,
    `AuthorizedKeysFile ${at('authorized_keys')}`,
    'PidFile none',
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxStartups 100',
    'SetEnv GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null',
  ];
  await writeFile(at('sshd_config'), `${settings.join('\n')}\n`);
  const child = spawn(program.path, ['-D', '-e', '-f', at('sshd_config')], {
    env: { PATH: process.env.PATH, ...(await libraries(program, root)) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await isListening(child);
  const { username } = userInfo();
  await writeFile(at('known_hosts'), `[127.0.0.1]:${port} ${await publicKey(at('host_key'))}\n`);
  return {
    port,
    knownHosts: at('known_hosts'),
    identity: at('identity'),
    url: (directory) => `ssh://${username}@127.0.0.1:${port}${directory}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill();
      await closed;
    },
  };
}

export async function createKey(path: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path]);
}

/** Type and key, without the comment. */
export async function publicKey(path: string): Promise<string> {
  return (await readFile(`${path}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
}

/** Root's sshd gives up its rights to the user `sshd`, which the package would have made. Here a list of users has it. */
async function libraries({ folder }: SshProgram, root: string): Promise<Readonly<Record<string, string>>> {
  if (folder === undefined) return {};
  const [architecture = ''] = (await readdir(join(folder, 'usr/lib'))).filter((name) => name.endsWith('-linux-gnu'));
  const path = join(folder, 'usr/lib', architecture);
  if (process.getuid?.() !== 0) return { LD_LIBRARY_PATH: path };
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const users = (await readFile('/etc/passwd', 'utf8')).replace(/^(root:.*):[^:]*$/m, '$1:/bin/sh');
  await writeFile(join(root, 'passwd'), `${users}sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n`);
  await copyFile('/etc/group', join(root, 'group'));
  return {
    LD_LIBRARY_PATH: path,
    LD_PRELOAD: join(path, 'libnss_wrapper.so'),
    NSS_WRAPPER_PASSWD: join(root, 'passwd'),
    NSS_WRAPPER_GROUP: join(root, 'group'),
  };
}

function isListening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
      if (said.includes('Server listening')) resolve();
    });
    child.once('error', reject);
    child.once('close', () => reject(new Error(`sshd ended: ${said}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
