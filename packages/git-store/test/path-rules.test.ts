import { join } from 'node:path';
import { parseRepoPath } from '@caelus/core';
import { type StateStoreHarness, stateStoreContract } from '@caelus/core/testing';
import { createGitStore, DEFAULT_PROTECTED_PATHS } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { fsck, temporaryDirectory, treeOf } from './git-command.ts';
import { put, readText, write } from './store-writing.ts';

const PREFIX = 'clusters/eu-1';

stateStoreContract(
  { describe, it },
  {
    name: 'a directory of a repository that others use too',
    capabilities: { remote: false, durable: true },
    async create(): Promise<StateStoreHarness> {
      const root = await temporaryDirectory();
      const directory = join(root.path, 'store.git');
      return {
        open: () => createGitStore({ directory, pathPrefix: PREFIX }),
        inspect: async () => {
          const all = await treeOf(directory, 'refs/heads/main');
          return new Map([...all].map(([path, bytes]) => [parseRepoPath(path.slice(PREFIX.length + 1)), bytes]));
        },
        async [Symbol.asyncDispose]() {
          await fsck(directory);
          await root[Symbol.asyncDispose]();
        },
      };
    },
  },
);

/** Stores of one repository in memory. */
function repository() {
  const fs = createFsFromVolume(new Volume());
  return (options: { pathPrefix?: string; protectedPaths?: readonly string[] } = {}) =>
    createGitStore({ directory: '/store.git', fs, ...options });
}

describe('a path prefix', () => {
  it('keeps stores of one branch apart, and each sees its own part alone', async () => {
    const open = repository();
    await using whole = await open();
    await using a = await open({ pathPrefix: 'a' });
    await using ab = await open({ pathPrefix: 'a/b' });
    await using c = await open({ pathPrefix: 'c' });
    await write(whole, { 'c/deep/x': 'theirs' });
    await write(ab, { x: 'ab' });
    await write(a, { x: 'a' });
    await write(c, { x: 'c', 'deep/x': null });
    const entries = async (store: typeof a) =>
      (await (await store.snapshot()).listDirectory(null)).map((each) => each.name);
    expect([await entries(whole), await entries(a), await entries(ab), await entries(c)]).toEqual([
      ['a', 'c'],
      ['b', 'x'],
      ['x'],
      ['x'],
    ]);
    expect(await readText(await whole.snapshot(), 'a/b/x')).toBe('ab');
    expect(await readText(await a.snapshot(), 'b/x')).toBe('ab');
    expect(await readText(await c.snapshot(), 'a/x')).toBeUndefined();
    expect([a.pathPrefix, whole.pathPrefix]).toEqual(['a', null]);
  });

  it('is not there before the first write, and not after the last file went', async () => {
    const open = repository();
    await using whole = await open();
    await using store = await open({ pathPrefix: PREFIX });
    await write(whole, { other: '1' });
    expect(await (await store.snapshot()).listDirectory(null)).toEqual([]);
    await write(store, { x: '1' });
    await write(store, { x: null });
    expect((await (await whole.snapshot()).listDirectory(null)).map(({ name }) => name)).toEqual(['other']);
  });

  it.each(['clusters', 'clusters/eu-1'])('is refused where %s is a file, which stays', async (path) => {
    const open = repository();
    await using whole = await open();
    await write(whole, { [path]: 'a file' });
    await using store = await open({ pathPrefix: PREFIX });
    const expected = { code: 'GIT_PREFIX_OCCUPIED', details: { path: PREFIX } };
    await expect(store.snapshot()).rejects.toMatchObject(expected);
    await expect(store.write([put({ x: '1' })])).rejects.toMatchObject(expected);
    expect(await readText(await whole.snapshot(), path)).toBe('a file');
  });

  it('has at most eight segments, and leaves a path at most sixteen in all', async () => {
    const open = repository();
    const deep = (segments: number) => Array.from({ length: segments }, (_, index) => `s${index}`).join('/');
    await expect(open({ pathPrefix: deep(9) })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await using store = await open({ pathPrefix: deep(8) });
    const [fits, tooDeep] = await store.write([put({ [deep(8)]: '1' }), put({ [`${deep(8)}/x`]: '1' })]);
    expect(fits).toMatchObject({ outcome: 'written' });
    expect(tooDeep).toMatchObject({ outcome: 'failed', error: { code: 'PATH_INVALID' } });
  });

  it.each(['', '/', '/a', 'a/', '../a', 'a/../b', '.git', 'a//b', 'a b', 'é'])(
    'of %j is refused',
    async (pathPrefix) => {
      await expect(repository()({ pathPrefix })).rejects.toMatchObject({ code: 'PATH_INVALID' });
    },
  );
});

describe('protected paths', () => {
  const protectedPaths = ['OWNERS', 'policy/prod'];
  const rows: readonly [string, Readonly<Record<string, string | null>>, boolean][] = [
    ['the file itself', { OWNERS: 'me' }, false],
    ['its removal', { OWNERS: null }, false],
    ['another case of it', { Owners: 'me' }, false],
    ['a file below it', { 'policy/prod/deep/x': '1' }, false],
    ['a file in place of a directory above it', { policy: '1' }, false],
    ['one edit of many', { a: '1', 'policy/prod': '1' }, false],
    ['a file beside it', { 'policy/production': '1', OWNERS2: '1', 'x/OWNERS': '1' }, true],
    ['the removal of what lies above it, which is no file', { policy: null, b: '1' }, true],
  ];
  it.each(rows)('decide on %s', async (_, contents, accepted) => {
    await using store = await repository()({ protectedPaths });
    const [receipt, neighbour] = await store.write([put(contents), put({ neighbour: '1' })]);
    if (accepted) expect(receipt).toMatchObject({ outcome: 'written' });
    else expect(receipt).toMatchObject({ outcome: 'failed', error: { code: 'GIT_PATH_PROTECTED' } });
    expect(neighbour).toMatchObject({ outcome: 'written' });
    const written = (await (await store.snapshot()).listDirectory(null)).map(({ name }) => name);
    expect(written.filter((name) => name !== 'neighbour').length > 0).toBe(accepted);
  });

  it('are what hosts run or take rights from, where nothing else is said', async () => {
    await using store = await repository()();
    for (const path of [...DEFAULT_PROTECTED_PATHS, '.github/workflows/x.yaml', 'jenkinsfile']) {
      const [receipt] = await store.write([put({ [path]: 'x' })]);
      expect(receipt).toMatchObject({ outcome: 'failed', error: { code: 'GIT_PATH_PROTECTED' } });
    }
    await using open = await repository()({ protectedPaths: [] });
    expect(await write(open, { Jenkinsfile: 'x' })).toMatchObject({ outcome: 'written' });
  });

  it('are at most a thousand, each a path', async () => {
    const open = repository();
    const paths = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);
    await expect(open({ protectedPaths: paths(1001) })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(open({ protectedPaths: ['../x'] })).rejects.toMatchObject({ code: 'PATH_INVALID' });
    await using store = await open({ protectedPaths: paths(1000) });
    expect(await store.write([put({ p999: '1' })])).toMatchObject([{ outcome: 'failed' }]);
  });
});
