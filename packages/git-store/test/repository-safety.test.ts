import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CommitId, LogFields, Logger } from '@caelus/core';
import { createGitStore, type GitStoreOptions } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { collect, failure, put, readText, write } from './store-writing.ts';

async function withStore<T>(
  body: (
    directory: string,
    open: (extra?: Partial<GitStoreOptions>) => ReturnType<typeof createGitStore>,
  ) => Promise<T>,
): Promise<T> {
  await using root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  return await body(directory, (extra) => createGitStore({ directory, lockWaitMilliseconds: 50, ...extra }));
}

function recordingLogger(): Logger & { readonly lines: { message: string; fields: LogFields | undefined }[] } {
  const lines: { message: string; fields: LogFields | undefined }[] = [];
  const add = (message: string, fields?: LogFields) => void lines.push({ message, fields });
  return { lines, debug: add, info: add, warn: add, error: add };
}

describe('a branch file that a crash has damaged', () => {
  const damages = [
    ['is empty', ''],
    ['is cut off', '0123456789abcdef'],
    ['holds no id', 'ref: refs/heads/other\n'],
    ['is zeroed', '\0'.repeat(41)],
  ] as const;

  it.each(damages)('is never followed where it %s, not even to packed-refs', (_, content) =>
    withStore(async (directory, open) => {
      const store = await open();
      await write(store, { a: '1' });
      await git(directory, ['pack-refs', '--all']);
      await write(store, { a: '2' });
      const ref = join(directory, 'refs/heads/main');
      const good = await readFile(ref);
      await writeFile(ref, content);
      let asked = false;
      const change = {
        subject: 'x',
        propose: async () => {
          asked = true;
          return null;
        },
      };
      for (const call of [
        () => store.snapshot(),
        () => store.write([change]),
        () => collect(store.log()),
        () => open(),
      ]) {
        const error = await failure(call());
        expect(error).toMatchObject({ code: 'STORE_CORRUPT', details: { what: 'refs/heads/main' } });
      }
      expect(asked).toBe(false);
      expect(await readFile(ref, 'latin1')).toBe(content);
      await writeFile(ref, good);
      await write(store, { a: '3' });
      expect(await collect(store.log())).toHaveLength(3);
    }),
  );
});

describe('objects that are damaged', () => {
  const objectPath = (directory: string, id: string) => join(directory, 'objects', id.slice(0, 2), id.slice(2));
  const revisions = [
    ['commit', 'main'],
    ['tree', 'main^{tree}'],
    ['blob', 'main:a'],
  ] as const;

  async function onlyPack(directory: string): Promise<string> {
    const packs = (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.pack'));
    expect(packs).toHaveLength(1);
    return join(directory, 'objects/pack', packs[0] ?? '');
  }

  async function readAll(open: () => ReturnType<typeof createGitStore>): Promise<string | undefined> {
    await using store = await open();
    return readText(await store.snapshot(), 'a');
  }

  it.each(revisions)('are reported: a loose %s cut off, then empty', (_, revision) =>
    withStore(async (directory, open) => {
      await write(await open(), { a: 'some content that is long enough' });
      const id = (await git(directory, ['rev-parse', revision])).trim();
      const pack = await onlyPack(directory);
      const bytes = await readFile(pack);
      await rm(pack);
      await rm(pack.replace(/pack$/, 'idx'));
      await git(directory, ['unpack-objects', '-q'], bytes);
      await git(directory, ['config', 'core.sharedRepository', '0666']);
      expect(await readAll(open)).toBe('some content that is long enough');
      for (const length of [8, 0]) {
        await truncate(objectPath(directory, id), length);
        expect(await failure(readAll(open))).toMatchObject({ code: 'STORE_CORRUPT', details: { what: id } });
      }
    }),
  );

  it.each(revisions)('are reported: a pack with a %s that is cut off anywhere, or whose index is', (_, revision) =>
    withStore(async (directory, open) => {
      await write(await open(), { a: 'some content that is long enough' });
      const id = (await git(directory, ['rev-parse', 'main'])).trim();
      const wanted = (await git(directory, ['rev-parse', revision])).trim();
      const pack = await onlyPack(directory);
      for (const path of [pack, pack.replace(/pack$/, 'idx')]) {
        const whole = await readFile(path);
        for (const length of [whole.length - 1, whole.length - 20, whole.length >> 1, 12, 0]) {
          await truncate(path, length);
          expect(await failure(readAll(open))).toMatchObject({ code: 'STORE_CORRUPT', details: { what: id } });
          await writeFile(path, whole);
        }
      }
      // Within an object: its own checksum tells, and the others are still read.
      const listing = await git(directory, ['show-index'], await readFile(pack.replace(/pack$/, 'idx')));
      const offset = Number(
        listing
          .split('\n')
          .find((line) => line.includes(wanted))
          ?.split(' ')[0],
      );
      const whole = await readFile(pack);
      const damaged = Buffer.from(whole);
      damaged.writeUInt8(damaged.readUInt8(offset + 6) ^ 0xff, offset + 6);
      await writeFile(pack, damaged);
      expect(await failure(readAll(open))).toMatchObject({ code: 'STORE_CORRUPT', details: { what: wanted } });
      await writeFile(pack, whole);
      expect(await readAll(open)).toBe('some content that is long enough');
    }),
  );

  it('do no harm where another copy is whole', () =>
    withStore(async (directory, open) => {
      await write(await open(), { a: '1' });
      const pack = await onlyPack(directory);
      const id = (await git(directory, ['rev-parse', 'main:a'])).trim();
      await write(await open(), { b: '1' });
      await truncate(pack, 100);
      await using store = await open();
      const snapshot = await store.snapshot();
      expect(await readText(snapshot, 'a')).toBe('1');
      // What only the damaged pack had is reported, and not taken for missing.
      const [, first] = await history(directory);
      expect(await failure(store.isAncestor(first, first))).toMatchObject({ code: 'STORE_CORRUPT' });
      expect(id).toBe((await git(directory, ['rev-parse', 'main:b'])).trim());
    }));

  async function history(directory: string): Promise<readonly [CommitId, CommitId]> {
    const lines = (await git(directory, ['cat-file', '-p', 'main'])).split('\n');
    const parent = lines.find((line) => line.startsWith('parent '))?.slice(7) ?? '';
    return [(await git(directory, ['rev-parse', 'main'])).trim() as CommitId, parent as CommitId];
  }
});

describe('the lock of the branch', () => {
  it('is respected where another process holds it, however old it is', () =>
    withStore(async (directory, open) => {
      const logger = recordingLogger();
      const store = await open({ logger });
      await write(store, { a: '1' });
      const lock = join(directory, 'refs/heads/main.lock');
      await writeFile(lock, '');
      expect(await failure(write(store, { a: '2' }))).toMatchObject({
        code: 'GIT_REF_LOCKED',
        retryable: true,
        details: { lock, ageSeconds: expect.toSatisfy((age: number) => age < 5) },
      });
      expect(logger.lines.filter(({ message }) => /stale/.test(message))).toEqual([]);

      const hourAgo = Date.now() / 1000 - 3600;
      await utimes(lock, hourAgo, hourAgo);
      const error = await failure(write(store, { a: '2' }));
      expect(error).toMatchObject({ details: { ageSeconds: expect.toSatisfy((age: number) => age >= 3600) } });
      expect(error.message).toContain(lock);
      expect(logger.lines).toContainEqual({
        message: 'the branch has a stale lock file',
        fields: { lock, ageSeconds: expect.any(Number) },
      });
      expect((await stat(lock)).size).toBe(0);
      expect(await readText(await store.snapshot(), 'a')).toBe('1');
    }));

  it('is waited for', () =>
    withStore(async (directory, open) => {
      const logger = recordingLogger();
      const store = await open({ lockWaitMilliseconds: 20_000, logger });
      await write(store, { a: '1' });
      const lock = join(directory, 'refs/heads/main.lock');
      await writeFile(lock, '');
      const written = write(store, { a: '2' });
      // Released once the commit's pack is there, which is when the writer comes to the lock. Until then no branch leads
      // to the pack, and Git would take it away.
      while ((await countPacks(directory)) < 2) await new Promise((resolve) => setImmediate(resolve));
      await git(directory, ['repack', '-adq']);
      await git(directory, ['prune', '--expire=now']);
      await rm(lock);
      expect((await written).outcome).toBe('written');
      await fsck(directory);
      expect((await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.keep'))).toEqual([]);
    }));

  it('is taken in a way that stock Git respects', () =>
    withStore(async (directory, open) => {
      const store = await open();
      await write(store, { a: '1' });
      const commit = (await git(directory, ['rev-parse', 'main'])).trim();
      const lock = join(directory, 'refs/heads/main.lock');
      const child = await holdLock(directory);
      try {
        expect(JSON.parse(await readFile(lock, 'utf8'))).toMatchObject({ process: child.pid });
        await expect(git(directory, ['update-ref', 'refs/heads/main', commit, commit])).rejects.toThrow(/lock/);
        expect(await failure(write(store, { a: '2' }))).toMatchObject({ code: 'GIT_REF_LOCKED' });
      } finally {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      // Its owner is gone now, which can be proven.
      expect((await stat(lock)).isFile()).toBe(true);
      const logger = recordingLogger();
      const others = await Promise.all(Array.from({ length: 8 }, () => open({ logger, lockWaitMilliseconds: 10_000 })));
      const receipts = await Promise.all(others.map((other, index) => write(other, { [`f${index}`]: '1' })));
      expect(new Set(receipts.map(({ outcome }) => outcome))).toEqual(new Set(['written']));
      expect(logger.lines.filter(({ message }) => message.startsWith('removed the lock'))).toHaveLength(1);
      expect(await collect(store.log())).toHaveLength(9);
      await expect(stat(lock)).rejects.toThrow('ENOENT');
      await Promise.all(others.map((other) => other[Symbol.asyncDispose]()));
      // Maintenance in the background has a lock of its own for a moment.
      const locks = async () => (await readdir(join(directory, 'caelus'))).filter((name) => name.includes('lock'));
      await expect.poll(locks, { timeout: 10_000 }).toEqual([]);
      await fsck(directory);
    }));

  it('is not broken where its owner is of another machine', () =>
    withStore(async (directory, open) => {
      const store = await open();
      await write(store, { a: '1' });
      const lock = join(directory, 'refs/heads/main.lock');
      const owner = {
        caelus: 1,
        host: 'elsewhere',
        namespace: '',
        process: 999_999_999,
        started: '1',
        nonce: '0123456789abcdef',
      };
      await writeFile(lock, JSON.stringify(owner));
      expect(await failure(write(store, { a: '2' }))).toMatchObject({ code: 'GIT_REF_LOCKED' });
      expect(JSON.parse(await readFile(lock, 'utf8'))).toEqual(owner);
    }));

  async function countPacks(directory: string): Promise<number> {
    return (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.idx')).length;
  }

  async function holdLock(directory: string) {
    const script = fileURLToPath(new URL('hold-lock.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@caelus/source', script, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  }
});

describe('a directory that is not for this store', () => {
  it.each([
    ['has SHA-256 names', ['init', '-q', '--bare', '--object-format=sha256', 'store.git'], /SHA-1/],
    ['has a work tree', ['init', '-q', 'store.git'], /work tree/],
  ])('is refused where it %s', async (_, args, reason) => {
    await using root = await temporaryDirectory();
    await git(root.path, args);
    const error = await failure(createGitStore({ directory: join(root.path, 'store.git') }));
    expect(error).toMatchObject({ code: 'GIT_REPOSITORY_UNSUPPORTED', message: expect.stringMatching(reason) });
  });

  it('is refused where it is the inside of a work tree, and where it holds other files', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', 'work']);
    for (const directory of [join(root.path, 'work/.git'), root.path]) {
      expect(await failure(createGitStore({ directory }))).toMatchObject({ code: 'GIT_REPOSITORY_UNSUPPORTED' });
    }
    expect(await readdir(root.path)).toEqual(['work']);
  });

  it('is refused where refs are not files', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '.']);
    await writeFile(
      join(root.path, 'config'),
      '[core]\nrepositoryformatversion = 1\n[extensions] refStorage = reftable\n',
    );
    expect(await failure(createGitStore({ directory: root.path }))).toMatchObject({
      code: 'GIT_REPOSITORY_UNSUPPORTED',
      message: expect.stringMatching(/refs/),
    });
  });

  it('is refused as the cache of a remote where it has a branch of its own, or another remote', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { a: '1' });
    const remote = { url: 'https://git.example.com/a.git' };
    expect(await failure(createGitStore({ directory, remote }))).toMatchObject({ code: 'GIT_REPOSITORY_UNSUPPORTED' });

    const cache = join(root.path, 'cache.git');
    await using first = await createGitStore({ directory: cache, remote });
    expect(first.name).toBe(remote.url);
    for (const other of [{ url: 'https://git.example.com/b.git' }, undefined]) {
      const error = await failure(createGitStore({ directory: cache, remote: other }));
      expect(error).toMatchObject({ code: 'GIT_REPOSITORY_UNSUPPORTED' });
    }
    await using again = await createGitStore({ directory: cache, remote });
    expect(again.capabilities).toEqual({ remote: true, durable: true });
  });
});

describe('opening', () => {
  it('makes a repository that stock Git takes, also where several open it at once', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'deep/store.git');
    const stores = await Promise.all(
      Array.from({ length: 6 }, () => createGitStore({ directory, branch: 'gitops/prod' })),
    );
    await Promise.all(stores.map((store, index) => write(store, { [`f${index}`]: '1' })));
    expect((await git(directory, ['symbolic-ref', 'HEAD'])).trim()).toBe('refs/heads/gitops/prod');
    expect((await git(directory, ['rev-list', '--count', 'gitops/prod'])).trim()).toBe('6');
    await fsck(directory);
  });

  it('opens a bare repository that is there, on a branch of its own', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '.']);
    await using store = await createGitStore({ directory: root.path, branch: 'gitops' });
    await write(store, { a: '1' });
    expect((await git(root.path, ['for-each-ref', '--format=%(refname)'])).trim()).toBe('refs/heads/gitops');
  });

  it('removes what processes left behind long ago, and nothing newer', async () => {
    await using root = await temporaryDirectory();
    const scratch = join(root.path, 'caelus');
    await using store = await createGitStore({ directory: root.path });
    await write(store, { a: '1' });
    await mkdir(scratch, { recursive: true });
    for (const name of ['ref-old', 'lock-old', 'ref-new', 'other']) await writeFile(join(scratch, name), '');
    for (const name of ['ref-old', 'lock-old', 'other']) await utimes(join(scratch, name), 1, 1);
    const packs = join(root.path, 'objects/pack');
    const whole = (await readdir(packs)).toSorted();
    const [pack = ''] = whole.filter((name) => name.endsWith('.pack'));
    const mark = 'caelus: a branch is about to lead here\n';
    await writeFile(join(packs, pack.replace(/pack$/, 'keep')), mark);
    const left = ['tmp_pack_a', 'tmp_idx_a', 'pack-aa.pack'];
    for (const name of [...left, 'tmp_pack_new', 'pack-bb.pack']) await writeFile(join(packs, name), 'half');
    await writeFile(join(packs, 'pack-cc.keep'), 'of somebody else');
    for (const name of [...left, 'pack-cc.keep', pack.replace(/pack$/, 'keep'), pack])
      await utimes(join(packs, name), 1, 1);
    await using again = await createGitStore({ directory: root.path });
    expect(await readText(await again.snapshot(), 'a')).toBe('1');
    expect((await readdir(scratch)).toSorted()).toEqual(['other', 'ref-new']);
    const kept = [...whole, 'tmp_pack_new', 'pack-bb.pack', 'pack-cc.keep'];
    expect((await readdir(packs)).toSorted()).toEqual(kept.toSorted());
  });

  it.each([
    [{ directory: '' }, '/directory'],
    [{ branch: '../x' }, '/branch'],
    [{ branch: 'a.lock' }, '/branch'],
    [{ branch: '-a' }, '/branch'],
    [{ branch: 'a//b' }, '/branch'],
    [{ branch: 'a b' }, '/branch'],
    [{ branch: 'a'.repeat(201) }, '/branch'],
    [{ retries: -1 }, '/retries'],
    [{ retries: 1001 }, '/retries'],
    [{ maxBatch: 0 }, '/maxBatch'],
    [{ maxBatch: 10_001 }, '/maxBatch'],
    [{ maxWaiting: 0 }, '/maxWaiting'],
    [{ maxWaiting: 1_000_001 }, '/maxWaiting'],
    [{ lockWaitMilliseconds: 60_001 }, '/lockWaitMilliseconds'],
    [{ durability: 'none' as 'strict' }, '/durability'],
    [{ remote: { url: 'https://git.example.com/a.git', timeoutMilliseconds: 0 } }, '/remote/timeoutMilliseconds'],
    [{ dir: 'typo' }, '/dir'],
  ])('refuses options that cannot be: %j', async (extra, path) => {
    await using root = await temporaryDirectory();
    const options = { directory: join(root.path, 'store.git'), ...extra } as GitStoreOptions;
    const error = await failure(createGitStore(options));
    expect(error).toMatchObject({ code: 'INVALID_INPUT', details: { issues: [{ path }] } });
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each([
    ['https://user:hunter2@git.example.com/a.git', 'REPOSITORY_URL_CREDENTIALS'],
    ['ssh://git@git.example.com/a.git', 'REPOSITORY_URL_INVALID'],
    ['file:///srv/a.git', 'REPOSITORY_URL_INVALID'],
    ['ext::sh -c x', 'REPOSITORY_URL_INVALID'],
  ])('refuses the remote %s', async (url, code) => {
    await using root = await temporaryDirectory();
    const error = await failure(createGitStore({ directory: join(root.path, 'store.git'), remote: { url } }));
    expect(error.code).toBe(code);
    expect(String(error)).not.toContain('hunter2');
    expect(await readdir(root.path)).toEqual([]);
  });
});

describe('limits and ends', () => {
  it('takes as many changes as maxBatch says, and no more', () =>
    withStore(async (_, open) => {
      await using store = await open({ maxBatch: 3 });
      const changes = (count: number) => Array.from({ length: count }, (_, index) => put({ [`f${index}`]: '1' }));
      expect(await store.write(changes(2))).toHaveLength(2);
      expect(await store.write(changes(3))).toHaveLength(3);
      expect(await failure(store.write(changes(4)))).toMatchObject({ code: 'INVALID_INPUT' });
      expect(await collect(store.log())).toHaveLength(2);
    }));

  it('lets a change fail that makes its batch larger than 64 MiB, and not its neighbours', () =>
    withStore(async (_, open) => {
      await using store = await open();
      const bytes = new Uint8Array(64 * 1024 * 1024 - 1);
      const large = put({ large: null });
      const proposal = await large.propose(await store.snapshot());
      const edits = (proposal?.edits ?? []).map((edit) => ({ ...edit, bytes }));
      const receipts = await store.write([
        { subject: 'large', propose: async () => (proposal === null ? null : { ...proposal, edits }) },
        put({ 'one-too-many': '12' }),
        put({ 'just-fits': '1' }),
      ]);
      expect(receipts.map(({ outcome }) => outcome)).toEqual(['written', 'failed', 'written']);
      expect(receipts[1]).toMatchObject({ error: { code: 'STORE_CONFLICT', retryable: true } });
      const tooLarge = edits.map((edit) => ({ ...edit, bytes: new Uint8Array(64 * 1024 * 1024 + 1) }));
      const [alone] = await store.write([
        { subject: 'alone', propose: async () => (proposal === null ? null : { ...proposal, edits: tooLarge }) },
      ]);
      expect(alone).toMatchObject({ error: { code: 'INVALID_INPUT', retryable: false } });
    }));

  it('gives up with STORE_CONFLICT once the branch has moved more often than it retries', () =>
    withStore(async (_, open) => {
      await using store = await open({ retries: 2 });
      await using other = await open();
      let asked = 0;
      const moving = store.write([
        {
          subject: 'x',
          propose: async (snapshot) => {
            asked += 1;
            await write(other, { a: String(asked) });
            return put({ b: String(asked) }).propose(snapshot);
          },
        },
      ]);
      expect(await failure(moving)).toMatchObject({
        code: 'STORE_CONFLICT',
        retryable: true,
        details: { attempts: 3 },
      });
      expect(await readText(await store.snapshot(), 'b')).toBeUndefined();
      expect(await collect(store.log())).toHaveLength(3);
    }));

  it('finishes what was begun before it closes, and takes nothing after', () =>
    withStore(async (_, open) => {
      const store = await open();
      const begun = write(store, { a: '1' });
      await store[Symbol.asyncDispose]();
      expect((await begun).outcome).toBe('written');
      expect(await failure(write(store, { a: '2' }))).toMatchObject({ code: 'UNAVAILABLE' });
      expect(await failure(store.snapshot())).toMatchObject({ code: 'UNAVAILABLE' });
    }));

  it('lets a caller go who stops while others write, and takes up nothing for it', () =>
    withStore(async (_, open) => {
      await using store = await open();
      let letGo = () => {};
      const held = new Promise<null>((resolve) => {
        letGo = () => resolve(null);
      });
      const first = store.write([{ subject: 'x', propose: () => held }]);
      const controller = new AbortController();
      const reason = new Error('enough');
      let asked = false;
      const change = {
        subject: 'y',
        propose: async () => {
          asked = true;
          return null;
        },
      };
      const waiting = store.write([change], { signal: controller.signal });
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      const third = write(store, { a: '1' });
      letGo();
      expect((await first)[0]?.outcome).toBe('unchanged');
      expect((await third).outcome).toBe('written');
      expect(asked).toBe(false);
    }));

  it('uses the committer, the clock and the actor that it is given', () =>
    withStore(async (directory, open) => {
      const committer = { name: 'GitOps Bot', email: 'bot@example.com' };
      await using store = await open({ committer, now: () => new Date('2031-02-03T04:05:06.789Z') });
      await write(store, { a: '1' });
      await store.write([put({ a: '2' }, { actor: { name: ' Ann ', email: 'ann@example.com' } })]);
      const format = '--format=%an <%ae> %cn <%ce> %aI';
      expect((await git(directory, ['log', format, 'main'])).trim().split('\n')).toEqual([
        'Ann <ann@example.com> GitOps Bot <bot@example.com> 2031-02-03T04:05:06+00:00',
        'GitOps Bot <bot@example.com> GitOps Bot <bot@example.com> 2031-02-03T04:05:06+00:00',
      ]);
      const [record] = await collect(store.log({ limit: 1 }));
      expect(record?.committedAt).toBe('2031-02-03T04:05:06.000Z');
    }));
});
