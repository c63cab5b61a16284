import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CommitId, StateStore } from '@caelus/core';
import { createGitStore, type GitStoreOptions, nativeGit } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { createGitWrapper } from './git-wrapper.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { collect, failure, put, readText, write } from './store-writing.ts';

const run = promisify(execFile);
const commitOf = (receipt: Awaited<ReturnType<typeof write>>) =>
  receipt.outcome === 'written' ? receipt.commit : ('' as CommitId);

/** Ends what the store has started, as a killer for want of memory does. */
function kill(processes: readonly number[]): void {
  for (const process_ of processes) {
    try {
      process.kill(process_, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}

function isAlive(process_: number): boolean {
  try {
    process.kill(process_, 0);
    return true;
  } catch {
    return false;
  }
}

describe('processes of git', () => {
  it('are few, go on, and end with the store', async () => {
    await using root = await temporaryDirectory();
    const wrapper = await createGitWrapper(root.path);
    const directory = join(root.path, 'store.git');
    const store = await createGitStore({ directory, transport: nativeGit({ executable: wrapper.executable }) });
    for (let index = 0; index < 10; index += 1) await write(store, { [`dir/${index}`]: String(index) });
    expect(await readText(await store.snapshot(), 'dir/7')).toBe('7');
    const starts = await wrapper.starts();
    const commands = starts.map(({ args }) => args.split(' ')[0]);
    expect(commands).toEqual(['version', 'index-pack', 'cat-file', ...Array.from({ length: 9 }, () => 'index-pack')]);
    // Marks would keep the packs from being folded.
    expect((await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.keep'))).toEqual([]);
    await store[Symbol.asyncDispose]();
    expect(starts.filter((start) => isAlive(start.process))).toEqual([]);

    await fsck(directory);
    const packs = await readdir(join(directory, 'objects/pack'));
    // Neither marks nor half a pack, and no ref of its own.
    expect(packs.filter((name) => !/^pack-[0-9a-f]{40}\.(?:pack|idx)$/.test(name))).toEqual([]);
    expect(packs).toHaveLength(20);
    expect(await git(directory, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
    expect((await readdir(join(directory, 'caelus'))).filter((name) => name !== 'remote')).toEqual([]);
  });

  it('are started again when somebody has killed them', async () => {
    await using root = await temporaryDirectory();
    const wrapper = await createGitWrapper(root.path);
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit({ executable: wrapper.executable }) });
    for (let index = 0; index < 5; index += 1) {
      await write(store, { a: String(index), [`file-${index}`]: '1' });
      kill((await wrapper.starts()).map((start) => start.process));
      expect(await readText(await store.snapshot(), 'a')).toBe(String(index));
      kill((await wrapper.starts()).map((start) => start.process));
    }
    expect(await collect(store.log())).toHaveLength(5);
    await fsck(directory);
  });

  it('may be killed at any time: what was acknowledged is there once, and the next write goes on', async () => {
    await using root = await temporaryDirectory();
    const wrapper = await createGitWrapper(root.path);
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit({ executable: wrapper.executable }) });
    const acknowledged = new Set<string>();
    let killed = 0;
    let isDone = false;
    const killing = (async () => {
      for (let seen = 0; !isDone; ) {
        const alive = (await wrapper.starts()).map((start) => start.process).filter(isAlive);
        const [first] = alive.slice(killed % Math.max(1, alive.length));
        if (first !== undefined) kill([first]);
        killed += 1;
        // As fast as writes go, not as fast as the processor can.
        const before = acknowledged.size;
        for (; !isDone && seen < 3 && acknowledged.size === before; seen += 1) await new Promise(setImmediate);
        seen = 0;
      }
    })();
    for (let index = 0; index < 60; index += 1) {
      try {
        acknowledged.add(commitOf(await write(store, { a: String(index), [`dir/${index}`]: '1' })));
      } catch (error) {
        // Where the second process was killed too, the store says so, and nothing is half done.
        expect(error).toMatchObject({ name: 'CaelusError' });
      }
    }
    isDone = true;
    await killing;
    expect(killed).toBeGreaterThan(20);
    expect((await write(store, { last: '1' })).outcome).toBe('written');
    const commits = (await git(directory, ['rev-list', 'main'])).trim().split('\n');
    expect([...acknowledged].filter((commit) => !commits.includes(commit))).toEqual([]);
    await fsck(directory);
  });

  it('do not keep alive a program that forgets to close its store', { timeout: 60_000 }, async () => {
    await using root = await temporaryDirectory();
    const program = join(root.path, 'forgetful.mts');
    const source = fileURLToPath(new URL('../src/index.ts', import.meta.url));
    await writeFile(
      program,
      `import { createGitStore, nativeGit } from ${JSON.stringify(source)};
      const store = await createGitStore({ directory: ${JSON.stringify(join(root.path, 'store.git'))}, transport: nativeGit() });
      await store.write([{ subject: 'x', propose: async () => ({ edits: [{ path: 'a', bytes: Buffer.from('1') }], summary: 'x', trailers: [], actor: null }) }]);
      console.log((await store.snapshot()).commit);`,
    );
    const { stdout } = await run(process.execPath, ['--conditions=@caelus/source', '--import', 'tsx', program], {
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
      timeout: 14_000,
    });
    expect(stdout.trim()).toBe((await git(join(root.path, 'store.git'), ['rev-parse', 'main'])).trim());
  });

  it('do not rely on objects that garbage collection has taken', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit() });
    await using other = await createGitStore({ directory });
    await write(store, { a: '0' });
    let asked = 0;
    await store.write([
      {
        subject: 'x',
        propose: async (snapshot) => {
          asked += 1;
          // The first attempt loses its race, so what it has written belongs to nothing, and is removed.
          if (asked === 1) await write(other, { b: '1' });
          else await git(directory, ['repack', '-adq']);
          return put({ 'dir/file': 'written twice' }).propose(snapshot);
        },
      },
    ]);
    expect(asked).toBe(2);
    expect(await git(directory, ['show', 'main:dir/file'])).toBe('written twice');
    expect((await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.keep'))).toEqual([]);
    await fsck(directory);
  });

  it('fold packs on demand, beside a store without them', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using native = await createGitStore({ directory, transport: nativeGit() });
    await using other = await createGitStore({ directory });
    for (let index = 0; index < 12; index += 1) {
      await write(index % 2 === 0 ? native : other, { [`dir/${index}`]: String(index) });
    }
    const countPacks = async () =>
      (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.pack')).length;
    expect(await countPacks()).toBeGreaterThanOrEqual(12);
    await native.consolidate();
    expect(await countPacks()).toBeLessThan(4);
    for (const store of [native, other, native]) {
      await write(store, { last: String(Math.random()) });
      expect(await readText(await store.snapshot(), 'dir/3')).toBe('3');
    }
    await other.consolidate();
    expect((await write(native, { end: '1' })).outcome).toBe('written');
    await fsck(directory);
  });
});

describe('a store by native git and one without it', () => {
  it('share a directory, and take turns or race', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using native = await createGitStore({ directory, transport: nativeGit(), retries: 200 });
    await using plain = await createGitStore({ directory, retries: 200 });
    const stores = [native, plain];
    const receipts = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const store = stores[index % 2] as StateStore;
        // One after the other within a store: a commit each.
        return write(store, { [`dir/${index}`]: String(index), [`s${index % 2}`]: String(index) });
      }),
    );
    const commits = (await git(directory, ['rev-list', 'main'])).trim().split('\n');
    for (const receipt of receipts) expect(commits).toContain(commitOf(receipt));
    expect((await git(directory, ['ls-tree', '-r', '--name-only', 'main', 'dir/'])).trim().split('\n')).toHaveLength(
      40,
    );
    expect((await native.snapshot()).commit).toBe((await plain.snapshot()).commit);
    await fsck(directory);
  });

  it('share a remote and its cache', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'remote.git']);
    await using server = await startHttpGitServer(root.path);
    const remote = { url: `${server.url}/remote.git` };
    const directory = join(root.path, 'cache.git');
    await using native = await createGitStore({ directory, remote, transport: nativeGit() });
    await using plain = await createGitStore({ directory, remote });
    for (let index = 0; index < 6; index += 1) {
      await write(index % 2 === 0 ? native : plain, { a: String(index), [`f${index}`]: '1' });
    }
    expect(await collect(native.log())).toEqual(await collect(plain.log()));
    expect(await git(join(root.path, 'remote.git'), ['rev-list', '--count', 'main'])).toBe('6\n');
    for (const each of [directory, join(root.path, 'remote.git')]) await fsck(each);
  });

  it('sign the same commit alike', async () => {
    await using root = await temporaryDirectory();
    const now = () => new Date('2026-01-02T03:04:05Z');
    const sign = async (payload: Uint8Array) =>
      `-----BEGIN PGP SIGNATURE-----\n\n${Buffer.from(payload.subarray(0, 20)).toString('base64')}\n-----END PGP SIGNATURE-----\n`;
    const made = await Promise.all(
      [nativeGit(), undefined].map(async (transport, index) => {
        const directory = join(root.path, `store-${index}.git`);
        await using store = await createGitStore({ directory, transport, sign, now });
        const commits = [];
        for (const text of ['1', '2', '3']) commits.push(commitOf(await write(store, { 'dir/a': text })));
        await store.createTag({ name: 'v1', commit: commits[0] as CommitId, message: 'One' });
        await store.createTag({ name: 'v2', commit: commits[1] as CommitId });
        await fsck(directory);
        return [commits, await store.listTags(), await git(directory, ['rev-parse', 'v1', 'v2'])];
      }),
    );
    expect(made[0]).toEqual(made[1]);
  });

  it('refuse a failing signer alike, and write nothing', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    const sign = () => Promise.reject(new Error('secret passphrase'));
    await using store = await createGitStore({ directory, transport: nativeGit(), sign });
    const error = await failure(write(store, { a: '1' }));
    expect(error).toMatchObject({ code: 'GIT_SIGNING_FAILED' });
    expect(String(error)).not.toContain('passphrase');
    expect((await store.snapshot()).commit).toBeNull();
    expect(await readdir(join(directory, 'objects/pack'))).toEqual([]);
  });
});

describe('what native git reads', () => {
  it('is checked, and what is damaged is not taken for missing', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit() });
    const first = commitOf(await write(store, { a: '1' }));
    const [pack = ''] = (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
    const second = commitOf(await write(store, { a: '2' }));
    const path = join(directory, 'objects/pack', pack);
    const whole = await readFile(path);
    await chmod(path, 0o644);
    for (const bytes of [whole.subarray(0, 40), Buffer.from(whole).fill(7, 12, whole.length - 20)]) {
      await writeFile(path, bytes);
      await using fresh = await createGitStore({ directory, transport: nativeGit() });
      const error = await failure(fresh.isAncestor(first, second));
      expect(error).toMatchObject({ code: 'STORE_CORRUPT', details: { what: first } });
    }
    await writeFile(path, whole);
    await using fresh = await createGitStore({ directory, transport: nativeGit() });
    expect(await fresh.isAncestor(first, second)).toBe(true);
    expect(await fresh.isAncestor('f'.repeat(40) as CommitId, second)).toBe(false);
  });

  it('is the object itself, not one that replaces it', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit() });
    await write(store, { a: 'real', b: 'other' });
    await git(directory, ['replace', 'main:a', 'main:b']);
    await using fresh = await createGitStore({ directory, transport: nativeGit() });
    expect(await readText(await fresh.snapshot(), 'a')).toBe('real');
  });
});

describe('tags on a remote, by native git', () => {
  it('name also a commit that the cache has left out, and none that the remote has not', async () => {
    await using root = await temporaryDirectory();
    const served = join(root.path, 'remote.git');
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', served]);
    await using server = await startHttpGitServer(root.path);
    const open = (name: string) =>
      createGitStore({
        directory: join(root.path, name),
        remote: { url: `${server.url}/remote.git` },
        transport: nativeGit(),
      });
    await using author = await open('author.git');
    const old = commitOf(await write(author, { a: '1' }));
    await write(author, { a: '2' });
    await write(author, { a: '3' });
    await using store = await open('cache.git');
    await store.snapshot();
    expect(await store.createTag({ name: 'v1', commit: old })).toEqual({ name: 'v1', commit: old, annotated: false });
    expect((await git(served, ['rev-parse', 'v1'])).trim()).toBe(old);
    await store.createTag({ name: 'v2', commit: old, message: 'Two' });
    expect(await author.listTags()).toHaveLength(2);
    const unknown = 'f'.repeat(40) as CommitId;
    const refused = await failure(store.createTag({ name: 'v3', commit: unknown }));
    expect(refused.code).toBe('GIT_PUSH_REFUSED');
    await fsck(join(root.path, 'cache.git'));
  });
});

describe('what comes from outside', () => {
  it('is content and never a command', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, transport: nativeGit() });
    const hostile = [
      '\ncheckpoint\n\nreset refs/heads/main\nfrom 0000000000000000000000000000000000000000\n\ndone\n',
      'data 5\nhello\nD ""\n',
      '\0\u0001\r\n"\\',
      "$(touch pwned) `touch pwned` '; touch pwned; '",
      'ünï — 日本語 — 🚀 — \u202e',
    ];
    const receipts = await store.write(
      hostile.map((text, index) =>
        put(
          { [`dir/${index}`]: text },
          { summary: `${text} --amend`, actor: { name: `N${index} 日本`, email: 'a@example.com' } },
        ),
      ),
    );
    expect(receipts.map(({ outcome }) => outcome)).toEqual(hostile.map(() => 'written'));
    const snapshot = await store.snapshot();
    for (const [index, text] of hostile.entries()) expect(await readText(snapshot, `dir/${index}`)).toBe(text);
    expect(await collect(store.log())).toHaveLength(1);
    expect(await git(directory, ['for-each-ref', '--format=%(refname)'])).toBe('refs/heads/main\n');
    await fsck(directory);
  });

  it.each([
    'ext::sh -c touch% /tmp/pwned',
    'ext::sh',
    'file:///srv/repository.git',
    '/srv/repository.git',
    'host::repository',
    'git://git.example.com/repository.git',
    'ftp://git.example.com/repository.git',
    '--upload-pack=touch pwned',
    'ssh://-oProxyCommand=touch/repository.git',
    'ssh://git@-oProxyCommand=touch/repository.git',
    'git@-oProxyCommand=touch:repository.git',
    'git@git.example.com:-repository.git',
    '-oProxyCommand=touch@git.example.com:repository.git',
    "ssh://git@git.example.com/a'b",
    'ssh://git@git.example.com/a b',
    'ssh://git:secret@git.example.com/repository.git',
    'https://token@git.example.com/repository.git',
    'https://git.example.com/a/../b',
    'https://git.example.com/a\n--upload-pack=x',
  ])('is refused as a URL, before anything is started: %s', async (url) => {
    await using root = await temporaryDirectory();
    const wrapper = await createGitWrapper(root.path);
    const ssh = { knownHosts: '/etc/caelus/known_hosts', identity: '/etc/caelus/key' };
    const transport = nativeGit({ executable: wrapper.executable, ssh });
    const error = await failure(
      createGitStore({ directory: join(root.path, 'store.git'), remote: { url }, transport }),
    );
    expect(error.code).toMatch(/^REPOSITORY_URL_(?:INVALID|CREDENTIALS)$/);
    expect(await wrapper.starts()).toEqual([]);
  });

  it.each(['--all', '-d', '+main', 'a:b', 'a b', 'a..b', 'a\nb', '../main', 'a.lock', 'refs/heads/-x', '@{u}', 'ä'])(
    'is refused as a branch: %s',
    async (branch) => {
      const options = { directory: '/nowhere/store.git', branch, transport: nativeGit() };
      expect((await failure(createGitStore(options))).code).toBe('INVALID_INPUT');
    },
  );

  it('stays out of arguments and configuration, where it is a credential', async () => {
    await using root = await temporaryDirectory();
    const wrapper = await createGitWrapper(root.path);
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'remote.git']);
    await using server = await startHttpGitServer(root.path);
    const secret = 'canary-51fe07';
    const encoded = Buffer.from(`x-access-token:${secret}`).toString('base64');
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({
      directory,
      remote: { url: `${server.url}/remote.git`, credentials: () => ({ token: secret }) },
      transport: nativeGit({ executable: wrapper.executable }),
    });
    await write(store, { a: '1' });
    await store.snapshot();
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Basic ${encoded}`]));
    const shown = [
      JSON.stringify(await wrapper.starts()),
      await readFile(join(directory, 'config'), 'utf8'),
      await readFile(join(directory, 'caelus/remote'), 'utf8'),
    ].join('\n');
    expect(shown).toContain('push');
    for (const each of [secret, encoded]) expect(shown).not.toContain(each);
  });

  it('is not taken from the configuration of the user, the machine or a repository', async () => {
    await using root = await temporaryDirectory();
    const home = join(root.path, 'home');
    const directory = join(root.path, 'store.git');
    const witness = join(root.path, 'witness');
    await mkdir(home);
    await mkdir(join(directory, 'hooks'), { recursive: true });
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'store.git']);
    const hook = join(directory, 'hooks/reference-transaction');
    await writeFile(hook, `#!/bin/sh\ntouch '${witness}'\n`);
    await chmod(hook, 0o755);
    await writeFile(join(home, '.gitconfig'), '[core]\n\tcompression = not a number\n');
    const before = {
      HOME: process.env.HOME,
      GIT_DIR: process.env.GIT_DIR,
      GIT_CONFIG_COUNT: process.env.GIT_CONFIG_COUNT,
    };
    Object.assign(process.env, { HOME: home, GIT_DIR: '/nowhere', GIT_CONFIG_COUNT: '7' });
    try {
      await using store = await createGitStore({ directory, transport: nativeGit() });
      expect((await write(store, { a: '1' })).outcome).toBe('written');
      expect(await readText(await store.snapshot(), 'a')).toBe('1');
    } finally {
      for (const [name, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
    expect(await readdir(root.path)).not.toContain('witness');
  });
});

describe('options of native git', () => {
  async function script(text: string): Promise<{ readonly executable: string } & AsyncDisposable> {
    const root = await temporaryDirectory();
    const executable = join(root.path, 'git');
    await writeFile(executable, text);
    await chmod(executable, 0o755);
    return { executable, [Symbol.asyncDispose]: () => root[Symbol.asyncDispose]() };
  }

  it.each([
    ['2.35.9', 'GIT_UNAVAILABLE'],
    ['1.99.0', 'GIT_UNAVAILABLE'],
    ['2.36.0', undefined],
    ['3.0.0', undefined],
  ])('need a git of at least 2.36: %s', async (version, code) => {
    await using root = await temporaryDirectory();
    await using old = await script(`#!/bin/sh\necho 'git version ${version}'\n`);
    const opened = createGitStore({ directory: join(root.path, 'store.git'), transport: nativeGit(old) });
    if (code === undefined) await (await opened)[Symbol.asyncDispose]();
    else expect(await failure(opened)).toMatchObject({ code, details: { needed: '2.36' } });
  });

  it('need a git at all', async () => {
    await using root = await temporaryDirectory();
    await using other = await script('#!/bin/sh\necho hello\n');
    const directory = join(root.path, 'store.git');
    for (const executable of [join(root.path, 'missing'), other.executable]) {
      const error = await failure(createGitStore({ directory, transport: nativeGit({ executable }) }));
      expect(error).toMatchObject({ code: 'GIT_UNAVAILABLE', details: { executable } });
    }
  });

  it('do not go with what the other transport is given', async () => {
    const url = 'https://git.example.com/repository.git';
    const refused: readonly Partial<GitStoreOptions>[] = [
      { fs: {} as never },
      { remote: { url, fetch: globalThis.fetch } },
      { transport: {} as never },
    ];
    for (const options of refused) {
      const all: GitStoreOptions = { directory: '/nowhere/store.git', transport: nativeGit(), ...options };
      expect((await failure(createGitStore(all))).code).toBe('INVALID_INPUT');
    }
  });

  it('need the host keys for SSH', async () => {
    const remote = { url: 'ssh://git@git.example.com/repository.git' };
    const directory = '/nowhere/store.git';
    for (const transport of [nativeGit(), undefined]) {
      const error = await failure(createGitStore({ directory, remote, transport }));
      expect(error).toMatchObject({ code: 'REPOSITORY_URL_INVALID' });
      expect(error.message).toContain('nativeGit');
    }
  });

  it.each([
    ['a relative path', { knownHosts: 'known_hosts', identity: '/key' }],
    ['a quote', { knownHosts: '/etc/known"hosts', identity: '/key' }],
    ['a token of SSH', { knownHosts: '/etc/known_hosts', identity: '/home/%u/key' }],
    ['a variable', { knownHosts: '/etc/known_hosts', agent: '/run/$USER/agent' }],
    ['a line break', { knownHosts: '/etc/known_hosts', identity: '/key\nProxyCommand x' }],
    ['neither a key nor an agent', { knownHosts: '/etc/known_hosts' }],
    ['no host keys', { identity: '/key' }],
    ['an unknown name', { knownHosts: '/etc/known_hosts', identity: '/key', command: 'ssh' }],
  ])('refuse %s for SSH', (_, ssh) => {
    expect(() => nativeGit({ ssh: ssh as never })).toThrow(/options of nativeGit cannot be accepted/);
  });

  it('refuse what cannot be given to a process', () => {
    for (const executable of ['', 'bin/git', '../git', 'a\0b']) {
      expect(() => nativeGit({ executable })).toThrow(/Give a name, or an absolute path/);
    }
    expect(() => nativeGit({ environment: { 'a\0b': '1' } })).toThrow(/cannot be accepted/);
    expect(() => nativeGit({ path: '/usr/bin/git' } as never)).toThrow(/not known/);
  });
});
