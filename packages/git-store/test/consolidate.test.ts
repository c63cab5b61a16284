import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepoPath } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editTree, type NewTreeEntry } from '../src/git-tree.ts';
import { countToFold } from '../src/pack/consolidate-packs.ts';
import { applyDelta } from '../src/pack/pack-delta.ts';
import { encodeTreeDelta } from '../src/pack/tree-delta.ts';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { collect, write } from './store-writing.ts';

async function packsOf(directory: string): Promise<readonly string[]> {
  return (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.pack')).toSorted();
}

async function sizeOf(directory: string): Promise<number> {
  const sizes = await Promise.all(
    (await packsOf(directory)).map((name) => stat(join(directory, 'objects/pack', name)).then(({ size }) => size)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

const objectsOf = (directory: string) => git(directory, ['cat-file', '--batch-all-objects', '--batch-check']);

describe('the delta from one tree to another', () => {
  const entry = fc.record({
    mode: fc.constantFrom('100644', '40000', '160000'),
    id: fc.constantFrom('1', '2', 'a').map((digit) => digit.repeat(40)),
  });
  const names = fc.oneof(fc.constantFrom('a', 'a.b', 'a-', 'aa', 'b', 'zz'), fc.stringMatching(/^[a-z.]{1,30}$/));
  const edits = fc.array(fc.tuple(names, fc.option(entry)), { maxLength: 120, size: 'max' });

  it('leads from the one to the other', () => {
    fc.assert(
      fc.property(edits, edits, fc.boolean(), (first, second, isLarge) => {
        const many: [string, NewTreeEntry][] = isLarge
          ? Array.from({ length: 300 }, (_, index) => [`m${index}`, { mode: '100644', id: '3'.repeat(40) }])
          : [];
        const base = editTree(Buffer.alloc(0), new Map([...many, ...first]));
        const target = editTree(base, new Map(second));
        for (const [from, to] of [
          [base, target],
          [target, base],
        ] as const) {
          expect(applyDelta(from, encodeTreeDelta(from, to)).equals(to)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is small where little has changed', () => {
    const all = Array.from({ length: 10_000 }, (_, index): [string, NewTreeEntry] => [
      `instance-${index}`,
      { mode: '40000', id: (index + 1).toString(16).padStart(40, '0') },
    ]);
    const base = editTree(Buffer.alloc(0), new Map(all));
    const renewed = editTree(base, new Map([['instance-5000', { mode: '40000', id: 'f'.repeat(40) }]]));
    const more = editTree(renewed, new Map([['instance-x', { mode: '40000', id: 'e'.repeat(40) }]]));
    expect(encodeTreeDelta(base, renewed).length).toBeLessThan(60);
    expect(encodeTreeDelta(base, more).length).toBeLessThan(130);
    expect(encodeTreeDelta(more, base).length).toBeLessThan(130);
  });
});

describe('which packs are folded', () => {
  const MIB = 1024 * 1024;
  it.each([
    ['none', [], 0],
    ['one alone', [10], 0],
    ['each twice the one before', [10, 20, 40], 0],
    ['one less than that', [10, 19, 40], 3],
    ['two alike below larger ones', [10, 10, 100, 200], 2],
    ['what they make is too close to the next', [10, 10, 39, 500], 3],
    ['what they make is half of the next', [10, 10, 40, 500], 2],
    ['many alike', Array.from({ length: 32 }, () => 10), 32],
  ])('%s', (_, counts, expected) => {
    expect(countToFold(counts.map((count) => ({ count, bytes: 1 })))).toBe(expected);
  });

  it('no more than 32 MiB at a time, but two', () => {
    const packs = (bytes: number) => Array.from({ length: 5 }, () => ({ count: 10, bytes }));
    expect(countToFold(packs(8 * MIB))).toBe(4);
    expect(countToFold(packs(8 * MIB + 1))).toBe(3);
    expect(countToFold(packs(16 * MIB))).toBe(2);
    expect(countToFold(packs(32 * MIB))).toBe(2);
  });
});

describe('packs', () => {
  /** Commits that each change one file of a directory of 200. */
  async function fill(directory: string, commits: number): Promise<void> {
    await using store = await createGitStore({ directory });
    const edits = Array.from({ length: 200 }, (_, index) => ({
      path: parseRepoPath(`flat/instance-${index}.yaml`),
      bytes: Buffer.from('fill'),
    }));
    await store.write([{ subject: 'x', propose: async () => ({ edits, summary: 'fill', trailers: [], actor: null }) }]);
    for (let index = 1; index < commits; index += 1) {
      await write(store, { [`flat/instance-${index % 200}.yaml`]: `${index}` });
    }
  }

  it('stay few by themselves, and become fewer on demand, with all that was in them', {
    timeout: 120_000,
  }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await fill(directory, 30);
    expect(await packsOf(directory)).toHaveLength(30);
    const [before, size] = [await objectsOf(directory), await sizeOf(directory)];
    await using store = await createGitStore({ directory });
    await store.consolidate();
    expect(await packsOf(directory)).toHaveLength(1);
    expect(await objectsOf(directory)).toBe(before);
    // Older versions of the directory are deltas now.
    expect(await sizeOf(directory)).toBeLessThan(size / 3);
    await store.consolidate();
    const [pack = ''] = await packsOf(directory);
    await git(directory, [
      'index-pack',
      '--strict',
      '-o',
      join(root.path, 'x.idx'),
      join(directory, 'objects/pack', pack),
    ]);
    expect(
      (await readFile(join(root.path, 'x.idx'))).equals(
        await readFile(join(directory, 'objects/pack', pack.replace(/pack$/, 'idx'))),
      ),
    ).toBe(true);

    for (let index = 0; index < 80; index += 1)
      await write(store, { [`flat/instance-${index}.yaml`]: `again ${index}` });
    await store[Symbol.asyncDispose]();
    expect((await packsOf(directory)).length).toBeLessThan(40);
    await using again = await createGitStore({ directory });
    await again.consolidate();
    expect((await packsOf(directory)).length).toBeLessThan(4);
    expect(await collect(again.log())).toHaveLength(110);
    const chains = await git(directory, [
      'verify-pack',
      '-s',
      ...(await packsOf(directory)).map((name) => `objects/pack/${name}`),
    ]);
    expect(chains).not.toMatch(/chain length = \d\d/);
    await fsck(directory);
    expect(await readdir(join(directory, 'caelus'))).toEqual([]);
  });

  it('are folded while others write, read, fold and repack', { timeout: 120_000 }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using one = await createGitStore({ directory, retries: 500, lockWaitMilliseconds: 30_000 });
    await using two = await createGitStore({ directory, retries: 500, lockWaitMilliseconds: 30_000 });
    let writing = true;
    const writers = Promise.all(
      [one, two].map(async (store, which) => {
        for (let index = 0; index < 25; index += 1) await write(store, { [`${which}/${index}`]: `${index}` });
      }),
    ).finally(() => {
      writing = false;
    });
    const folding = (async () => {
      while (writing) await Promise.all([one.consolidate(), two.consolidate()]);
    })();
    const repacking = (async () => {
      // Git may give up when packs vanish under it; nothing may be lost all the same.
      while (writing) await git(directory, ['repack', '-adq']).catch(() => '');
    })();
    const reading = (async () => {
      while (writing) await collect(two.log());
    })();
    await Promise.all([writers, folding, repacking, reading]);
    expect(await collect(one.log())).toHaveLength(50);
    expect((await git(directory, ['ls-tree', '-r', '--name-only', 'main'])).trim().split('\n')).toHaveLength(50);
    await fsck(directory);
  });

  it('are left alone that somebody keeps, and where Git has an index over all of them', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await fill(directory, 5);
    const [kept = '', ...others] = await packsOf(directory);
    await writeFile(join(directory, 'objects/pack', kept.replace(/pack$/, 'keep')), '');
    await using store = await createGitStore({ directory });
    await store.consolidate();
    const after = await packsOf(directory);
    expect(after).toHaveLength(2);
    expect(after).toContain(kept);
    expect(after.filter((name) => others.includes(name))).toEqual([]);
    await write(store, { a: '1' });
    await write(store, { a: '2' });
    await git(directory, ['multi-pack-index', 'write']);
    const before = await packsOf(directory);
    await store.consolidate();
    expect(await packsOf(directory)).toEqual(before);
    await fsck(directory);
  });

  it('stay, all of them, where one is damaged', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await fill(directory, 5);
    const before = await packsOf(directory);
    const path = join(directory, 'objects/pack', before[2] ?? '');
    const whole = await readFile(path);
    for (const damage of [() => truncate(path, 60), () => writeFile(path, Buffer.from(whole).fill(0, 20, 24))]) {
      await damage();
      await using store = await createGitStore({ directory });
      await expect(store.consolidate()).rejects.toMatchObject({
        code: 'STORE_CORRUPT',
        details: { what: before[2]?.replace('.pack', '') },
      });
      expect(await packsOf(directory)).toEqual(before);
      await writeFile(path, whole);
    }
    await using store = await createGitStore({ directory });
    await store.consolidate();
    expect(await packsOf(directory)).toHaveLength(1);
    await fsck(directory);
  });
});
