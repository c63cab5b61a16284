import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommitId } from '@caelus/core';
import { createGitStore, type GitStore, type GitStoreOptions, type NewTag } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { type HttpGitServer, startHttpGitServer } from './http-git-server.ts';
import { write } from './store-writing.ts';

async function commitOf(store: GitStore, text: string): Promise<CommitId> {
  const receipt = await write(store, { a: text });
  if (receipt.outcome !== 'written') throw new Error(receipt.outcome);
  return receipt.commit;
}

interface Place extends AsyncDisposable {
  /** Where stock Git finds the tags; `null` where it cannot look. */
  readonly directory: string | null;
  readonly server: HttpGitServer | null;
  open(options?: Partial<GitStoreOptions>): Promise<GitStore>;
}

async function disk(): Promise<Place> {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  return {
    directory,
    server: null,
    open: (options) => createGitStore({ directory, ...options }),
    async [Symbol.asyncDispose]() {
      await fsck(directory);
      await root[Symbol.asyncDispose]();
    },
  };
}

async function memory(): Promise<Place> {
  const fs = createFsFromVolume(new Volume());
  return {
    directory: null,
    server: null,
    open: (options) => createGitStore({ directory: '/store.git', fs, ...options }),
    async [Symbol.asyncDispose]() {},
  };
}

async function remote(): Promise<Place & { readonly server: HttpGitServer; readonly directory: string }> {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'remote.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
  const server = await startHttpGitServer(root.path);
  let opened = 0;
  return {
    directory,
    server,
    open(options) {
      opened += 1;
      const clone = join(root.path, `clone-${opened}.git`);
      return createGitStore({ directory: clone, remote: { url: `${server.url}/remote.git` }, ...options });
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await fsck(directory);
      await root[Symbol.asyncDispose]();
    },
  };
}

const places: Readonly<Record<string, () => Promise<Place>>> = { disk, memfs: memory, 'an HTTP remote': remote };

describe.each(Object.entries(places))('tags over %s', (_name, create) => {
  it('are made once, listed by name, and found by a store that was opened later', async () => {
    await using place = await create();
    const now = () => new Date('2026-02-03T04:05:06Z');
    await using store = await place.open({ now });
    expect(await store.listTags()).toEqual([]);
    const first = await commitOf(store, '1');
    const second = await commitOf(store, '2');
    const light = { name: 'release/v2+build.1', commit: second, annotated: false };
    const annotated = { name: 'release/v1', commit: first, annotated: true };
    expect(await store.createTag({ name: light.name, commit: second })).toEqual(light);
    const ann = { name: 'Ann', email: 'ann@example.com' };
    const message = 'Release 1\n\n\tWith Gruß.\n\n';
    expect(await store.createTag({ name: 'release/v1', commit: first, message, tagger: ann })).toEqual(annotated);
    expect(await store.createTag({ name: 'release/v1', commit: first })).toEqual(annotated);

    await using later = await place.open();
    expect(await later.listTags()).toEqual([annotated, light]);
    if (place.directory === null) return;
    const format = '--format=%(refname) %(objecttype) %(*objectname)%(taggername) %(taggeremail) %(taggerdate:unix)';
    expect((await git(place.directory, ['for-each-ref', format, 'refs/tags'])).trim().split('\n')).toEqual(
      [`refs/tags/release/v1 tag ${first}Ann <ann@example.com> 1770091506`, 'refs/tags/release/v2+build.1 commit'].map(
        (line) => expect.stringContaining(line),
      ),
    );
    expect(await git(place.directory, ['tag', '-l', '--format=%(contents)', 'release/v1'])).toBe(
      'Release 1\n\n\tWith Gruß.\n\n',
    );
  });

  it('never move, and refuse a name that lies in the way of another', async () => {
    await using place = await create();
    await using store = await place.open();
    const first = await commitOf(store, '1');
    const second = await commitOf(store, '2');
    await store.createTag({ name: 'v1', commit: first });
    await store.createTag({ name: 'dir/v1', commit: first, message: 'One' });
    const cases: readonly [string, string][] = [
      ['v1', 'v1'],
      ['dir/v1', 'dir/v1'],
      ['v1/x', 'v1'],
      ['dir', 'dir/v1'],
    ];
    for (const [name, tag] of cases) {
      for (const message of [undefined, 'Two']) {
        await expect(store.createTag({ name, commit: second, message })).rejects.toMatchObject({
          code: 'GIT_TAG_EXISTS',
          details: { tag, commit: first },
        });
      }
    }
    expect((await store.listTags()).map(({ name, commit }) => [name, commit])).toEqual([
      ['dir/v1', first],
      ['v1', first],
    ]);
  });

  it('are made by one of those who race for a name', async () => {
    await using place = await create();
    await using store = await place.open();
    const commits = [await commitOf(store, '1'), await commitOf(store, '2')];
    const results = await Promise.allSettled(
      [0, 1, 0, 1].map((index) => store.createTag({ name: 'v1', commit: commits[index] as CommitId, message: 'x' })),
    );
    const [tag] = await store.listTags();
    const winner = commits.indexOf(tag?.commit as CommitId);
    expect(winner).not.toBe(-1);
    for (const [index, result] of results.entries()) {
      if (index % 2 === winner) expect(result).toMatchObject({ status: 'fulfilled', value: tag });
      else expect(result).toMatchObject({ status: 'rejected', reason: { code: 'GIT_TAG_EXISTS' } });
    }
  });

  it('refuse what Git or a person could misread', async () => {
    await using place = await create();
    await using store = await place.open();
    const commit = await commitOf(store, '1');
    const names = [
      '',
      'HEAD',
      '-v',
      '.v',
      'v.',
      'v..1',
      'v.lock',
      'a.lock/b',
      'a//b',
      '/a',
      'a/',
      'a/.b',
      'a b',
      'a~1',
      'a^',
      'a:b',
      'a@{1}',
      'ä',
      'a\n',
      'x'.repeat(201),
    ];
    for (const name of names) {
      await expect(store.createTag({ name, commit })).rejects.toMatchObject({ code: 'NAME_INVALID' });
    }
    const messages = [
      '',
      ' \n',
      'a\0b',
      '\u001b[2J',
      'a\rb',
      '\ud800',
      'x\n-----BEGIN PGP SIGNATURE-----',
      'x'.repeat(65_537),
    ];
    for (const message of messages) {
      await expect(store.createTag({ name: 'v1', commit, message })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: { issues: [{ path: '/message' }] },
      });
    }
    const tagger = { name: 'a\nb' };
    await expect(store.createTag({ name: 'v1', commit, message: 'x', tagger })).rejects.toMatchObject({
      code: 'NAME_INVALID',
    });
    expect(await store.listTags()).toEqual([]);
    const longest: NewTag = { name: 'x'.repeat(200), commit, message: 'x'.repeat(65_536) };
    expect(await store.createTag(longest)).toMatchObject({ name: longest.name });
    const signal = AbortSignal.abort('enough');
    await expect(store.createTag({ name: 'v2', commit }, { signal })).rejects.toBe('enough');
    await expect(store.listTags({ signal })).rejects.toBe('enough');
    await store[Symbol.asyncDispose]();
    await expect(store.listTags()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('tags beside stock Git', () => {
  it('reads its tags: packed, nested, of odd names, and leaves out those of no commit', async () => {
    await using place = await disk();
    await using store = await place.open();
    const directory = place.directory as string;
    const commit = await commitOf(store, '1');
    await git(directory, ['tag', 'packed', commit]);
    await git(directory, ['tag', '-m', 'x', 'annotated', commit]);
    await git(directory, ['pack-refs', '--all']);
    await git(directory, ['tag', '-m', 'x', 'nested', 'annotated']);
    await git(directory, ['tag', 'ä/ö', commit]);
    await mkdir(join(directory, 'refs/tags/empty'));
    await git(directory, ['tag', 'tree', `${commit}^{tree}`]);
    await writeFile(join(directory, 'refs/tags/locked.lock'), '');
    expect((await store.listTags()).map((tag) => [tag.name, tag.commit, tag.annotated])).toEqual([
      ['annotated', commit, true],
      ['nested', commit, true],
      ['packed', commit, false],
      ['ä/ö', commit, false],
    ]);
    await expect(store.createTag({ name: 'packed', commit: await commitOf(store, '2') })).rejects.toMatchObject({
      code: 'GIT_TAG_EXISTS',
    });
    await expect(git(directory, ['tag', 'packed', 'main'])).rejects.toThrow('already exists');
  });

  it('reports a torn tag and a commit that is not there', async () => {
    await using place = await disk();
    await using store = await place.open();
    const commit = await commitOf(store, '1');
    const unknown = 'f'.repeat(40) as CommitId;
    await expect(store.createTag({ name: 'v1', commit: unknown })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const tree = (await git(place.directory as string, ['rev-parse', 'main^{tree}'])).trim() as CommitId;
    await expect(store.createTag({ name: 'v1', commit: tree })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const torn = join(place.directory as string, 'refs/tags/torn');
    await writeFile(torn, '');
    await expect(store.listTags()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      details: { what: 'refs/tags/torn' },
    });
    await writeFile(torn, `${commit}\n`);
    expect(await store.listTags()).toHaveLength(1);
  });
});

describe('tags on a remote', () => {
  const isPush = (path: string | undefined) => path?.endsWith('/git-receive-pack') === true;

  it('are looked up when the answer to the push is lost, and pushed once', async () => {
    await using place = await remote();
    await using store = await place.open();
    const commit = await commitOf(store, '1');
    let lost = 0;
    place.server.answering = (request) => {
      if (!isPush(request.url) || lost > 0) return true;
      lost += 1;
      return false;
    };
    expect(await store.createTag({ name: 'v1', commit, message: 'x' })).toMatchObject({ annotated: true });
    expect(lost).toBe(1);
    expect(place.server.requests.filter(({ path }) => isPush(path))).toHaveLength(2);
  });

  it('are pushed again when the push did not arrive, with the same object', async () => {
    await using place = await remote();
    let time = 0;
    await using store = await place.open({ now: () => new Date(1_700_000_000_000 + time++ * 1000) });
    const commit = await commitOf(store, '1');
    const bodies: Buffer[] = [];
    place.server.intercept = (request, response, body) => {
      if (!isPush(request.url)) return false;
      bodies.push(body);
      if (bodies.length > 1) return false;
      response.destroy();
      return true;
    };
    await store.createTag({ name: 'v1', commit, message: 'x' });
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toEqual(bodies[1]);
    place.server.intercept = (request, response) => {
      if (isPush(request.url)) response.destroy();
      return isPush(request.url);
    };
    await expect(store.createTag({ name: 'v2', commit })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
    });
  });

  it('say why the remote refuses', async () => {
    await using place = await remote();
    await using store = await place.open();
    const commit = await commitOf(store, '1');
    const unknown = 'f'.repeat(40) as CommitId;
    await expect(store.createTag({ name: 'v0', commit: unknown })).rejects.toMatchObject({ code: 'GIT_PUSH_REFUSED' });
    const hook = join(place.directory, 'hooks/pre-receive');
    await mkdir(join(place.directory, 'hooks'), { recursive: true });
    await writeFile(hook, '#!/bin/sh\necho no tags today >&2\nexit 1\n');
    await chmod(hook, 0o755);
    await expect(store.createTag({ name: 'v1', commit })).rejects.toMatchObject({
      code: 'GIT_PUSH_REFUSED',
      details: { reason: expect.stringContaining('no tags today') },
    });
    expect(await store.listTags()).toEqual([]);
  });
});
