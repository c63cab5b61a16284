import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stateStoreContract } from '@caelus/core/testing';
import { createGitStore, type GitStore, type NativeGitSshOptions, nativeGit } from '@caelus/git-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory, treeOf } from '../git-command.ts';
import { createGitWrapper } from '../git-wrapper.ts';
import { failure, readText, write } from '../store-writing.ts';
import { createKey, findSshServer, publicKey, type SshServer, startSshServer } from './ssh-server.ts';

const run = promisify(execFile);

const program = await findSshServer().catch((error: unknown) => {
  if (process.env.CI) throw error;
  return undefined;
});

describe.skipIf(program === undefined)('SSH (sshd is not installed, and cannot be downloaded by apt-get)', () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: SshServer;
  let count = 0;

  beforeAll(async () => {
    if (program === undefined) return;
    root = await temporaryDirectory();
    server = await startSshServer(program, root.path);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await root?.[Symbol.asyncDispose]();
  });

  /** A remote behind SSH, and stores with a directory each. */
  async function scene() {
    count += 1;
    const folder = join(root.path, `scene-${count}`);
    const directory = join(folder, 'remote.git');
    await mkdir(folder);
    await git(folder, ['init', '-q', '--bare', '-b', 'main', directory]);
    const clones: string[] = [];
    return {
      folder,
      directory,
      clones,
      open(ssh: Partial<NativeGitSshOptions> = {}, url = server.url(directory)): Promise<GitStore> {
        const clone = join(folder, `clone-${clones.length}.git`);
        clones.push(clone);
        const options = { knownHosts: server.knownHosts, identity: server.identity, ...ssh };
        return createGitStore({ directory: clone, remote: { url }, transport: nativeGit({ ssh: options }) });
      },
    };
  }

  stateStoreContract(
    { describe, it },
    {
      name: 'native git and SSH remote',
      capabilities: { remote: true, durable: true },
      async create() {
        const { directory, clones, open } = await scene();
        return {
          open: () => open(),
          inspect: () => treeOf(directory, 'refs/heads/main'),
          async [Symbol.asyncDispose]() {
            await Promise.all([directory, ...clones].map(fsck));
          },
        };
      },
    },
  );

  describe('a host key', () => {
    it('that is not known is refused, before anything is sent', async () => {
      const { directory, folder, open } = await scene();
      const knownHosts = join(folder, 'known hosts');
      await writeFile(knownHosts, '');
      await using store = await open({ knownHosts });
      for (const call of [() => store.snapshot(), () => write(store, { a: '1' })]) {
        expect(await failure(call())).toMatchObject({ code: 'GIT_HOST_KEY_REFUSED', retryable: false });
      }
      // Nor is it learnt.
      expect(await readFile(knownHosts, 'utf8')).toBe('');
      expect(await git(directory, ['for-each-ref'])).toBe('');
    });

    it('that is another one than before is refused', async () => {
      const { folder, open } = await scene();
      await createKey(join(folder, 'other'));
      const knownHosts = join(folder, "it's known");
      const key = await publicKey(join(folder, 'other'));
      await writeFile(knownHosts, `[127.0.0.1]:${server.port} ${key}\n`);
      await using store = await open({ knownHosts });
      const error = await failure(write(store, { a: '1' }));
      expect(error).toMatchObject({ code: 'GIT_HOST_KEY_REFUSED' });
      // A store that knew the right one before is no different.
      await writeFile(knownHosts, await readFile(server.knownHosts));
      expect((await write(store, { a: '1' })).outcome).toBe('written');
    });
  });

  describe('a key', () => {
    it('that the server does not take is reported', async () => {
      const { folder, open } = await scene();
      await createKey(join(folder, 'stranger'));
      await using store = await open({ identity: join(folder, 'stranger') });
      for (const call of [() => store.snapshot(), () => write(store, { a: '1' })]) {
        expect(await failure(call())).toMatchObject({ code: 'GIT_AUTH_FAILED', retryable: false });
      }
    });

    it('that lies at a path with spaces and quotes is found', async () => {
      const { folder, open } = await scene();
      const identity = join(folder, "it's a key; touch pwned");
      await copyFile(server.identity, identity);
      await chmod(identity, 0o600);
      await using store = await open({ identity });
      expect((await write(store, { a: '1' })).outcome).toBe('written');
    });

    it('of an agent is used where that is asked for', async () => {
      const { folder, open } = await scene();
      const agent = join(folder, 'agent');
      const { stdout } = await run('ssh-agent', ['-a', agent]);
      const process_ = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
      try {
        await run('ssh-add', ['-q', server.identity], { env: { ...process.env, SSH_AUTH_SOCK: agent } });
        await using store = await open({ identity: undefined, agent });
        expect((await write(store, { a: '1' })).outcome).toBe('written');
        await using chosen = await open({ identity: `${server.identity}.pub`, agent });
        expect(await readText(await chosen.snapshot(), 'a')).toBe('1');
      } finally {
        process.kill(process_);
      }
    });
  });

  it('names a repository that is not there, and a server that is not there', async () => {
    const { folder, open } = await scene();
    await using missing = await open({}, server.url(join(folder, 'missing.git')));
    expect(await failure(write(missing, { a: '1' }))).toMatchObject({ code: 'GIT_REMOTE_NOT_FOUND' });
    await using gone = await open({}, server.url('/x').replace(`:${server.port}`, ':1'));
    expect(await failure(write(gone, { a: '1' }))).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });

  it('reports what a hook refuses, with its words', async () => {
    const { directory, open } = await scene();
    const hook = join(directory, 'hooks/pre-receive');
    await writeFile(hook, '#!/bin/sh\necho "Permission denied (publickey) is what we are frozen by" >&2\nexit 1\n');
    await chmod(hook, 0o755);
    await using store = await open();
    const error = await failure(write(store, { a: '1' }));
    expect(error).toMatchObject({ code: 'GIT_PUSH_REFUSED', retryable: false });
    expect(error.message).toContain('frozen');
  });

  it('looks at the remote when the connection breaks after a push has arrived', async () => {
    const { directory, open } = await scene();
    await using store = await open();
    await write(store, { a: '0' });
    const hook = join(directory, 'hooks/post-update');
    // Ends the server's side of the connection, before it says that the branch has moved.
    await writeFile(hook, `#!/bin/sh\nrm '${hook}'\nkill -9 $PPID\n`);
    await chmod(hook, 0o755);
    expect((await write(store, { a: '1' })).outcome).toBe('written');
    expect(await git(directory, ['rev-list', '--count', 'main'])).toBe('2\n');
  });

  it('gives git no secret, and its server no options', async () => {
    const { directory, folder } = await scene();
    const wrapper = await createGitWrapper(folder);
    const ssh = { knownHosts: server.knownHosts, identity: server.identity };
    await using store = await createGitStore({
      directory: join(folder, 'store.git'),
      remote: { url: server.url(directory) },
      transport: nativeGit({ executable: wrapper.executable, ssh }),
    });
    await write(store, { a: '1' });
    const commands = (await wrapper.starts()).map(({ args }) => args);
    expect(commands.filter((args) => args.includes('ssh://')).length).toBeGreaterThan(1);
    expect(commands.filter((args) => args.includes('ssh://') && !args.includes('--end-of-options ssh://'))).toEqual([]);
    expect(commands.join()).not.toContain(server.identity);
  });
});
