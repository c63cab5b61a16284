import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRepoPath } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createObject, type GitObject } from '../src/git-object.ts';
import { encodeObjects } from '../src/pack/encode-pack.ts';
import { applyDelta } from '../src/pack/pack-delta.ts';
import { fsck, git, gitBytes, temporaryDirectory } from './git-command.ts';
import { allObjects, expectSameObjects, openObjects } from './read-objects.ts';
import { write } from './store-writing.ts';

/** A history of a file and of a large directory, so that Git finds much to make deltas of. */
async function fillWithHistory(directory: string, commits: number): Promise<void> {
  await git(directory, ['init', '-q', '--bare', '-b', 'main', '.']);
  const lines = Array.from({ length: 400 }, (_, line) => `key${line}: value ${(line * 7919) % 1009}\n`);
  const stream: string[] = [];
  for (let commit = 0; commit < commits; commit += 1) {
    stream.push(`commit refs/heads/main\ncommitter A <a@b> ${commit + 1} +0000\ndata 3\nfix\n`);
    lines[(commit * 31) % lines.length] = `changed in ${commit}\n`;
    const text = lines.join('');
    stream.push(`M 100644 inline dir/file\ndata ${text.length}\n${text}\n`);
    const names = commit === 0 ? Array.from({ length: 1500 }, (_, index) => index) : [commit * 13];
    for (const name of names) stream.push(`M 100644 inline dir/entry-${name}\ndata 3\n${commit % 10}-x\n`);
  }
  await git(directory, ['fast-import', '--quiet'], stream.join(''));
}

const objectsOf = (contents: readonly Uint8Array[]): GitObject[] =>
  contents.map((content) => createObject('blob', content));

describe('packs of stock Git', () => {
  it('are read object for object: whole, and as deltas by distance and by name', { timeout: 120_000 }, async () => {
    await using root = await temporaryDirectory();
    await fillWithHistory(root.path, 40);
    const repack = ['repack', '-adfq', '--depth=50', '--window=20'];
    await git(root.path, ['-c', 'repack.useDeltaBaseOffset=true', ...repack]);
    const count = await expectSameObjects(root.path);
    expect(count).toBeGreaterThan(120);
    const chains = await git(root.path, ['verify-pack', '-s', await indexPath(root.path)]);
    expect(chains).toMatch(/chain length = 10:/);
    await git(root.path, ['-c', 'repack.useDeltaBaseOffset=false', ...repack]);
    expect(await expectSameObjects(root.path)).toBe(count);
    await git(root.path, ['repack', '-adFq', '--depth=0']);
    expect(await expectSameObjects(root.path)).toBe(count);
  });

  it('are read where an index has offsets of 64 bits', async () => {
    await using root = await temporaryDirectory();
    await fillWithHistory(root.path, 3);
    await git(root.path, ['repack', '-adq']);
    const index = await indexPath(root.path);
    const pack = await readFile(index.replace(/idx$/, 'pack'));
    await rm(index.replace(/idx$/, 'pack'));
    await rm(index);
    await rm(index.replace(/idx$/, 'rev'), { force: true });
    // Every offset past 0x40 is written as a large one.
    const target = join(root.path, 'objects/pack/pack-1234567890123456789012345678901234567890.pack');
    await writeFile(target, pack);
    await git(root.path, ['index-pack', '--index-version=2,0x40', target]);
    expect(await expectSameObjects(root.path)).toBeGreaterThan(5);
  });

  async function indexPath(directory: string): Promise<string> {
    const names = (await readdir(join(directory, 'objects/pack'))).filter((name) => name.endsWith('.idx'));
    expect(names).toHaveLength(1);
    return join(directory, 'objects/pack', names[0] ?? '');
  }
});

describe('packs that the store writes', () => {
  it('are taken by stock Git, which makes the same index of them', { timeout: 120_000 }, async () => {
    const byte = fc.oneof(fc.constant(0), fc.constant(97), fc.integer({ min: 0, max: 255 }));
    const content = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(byte, { maxLength: 300, size: 'max' }).map((bytes) => Uint8Array.from(bytes)),
      // Around the sizes at which another way of compression, or of reading, is taken.
      fc
        .tuple(
          fc.constantFrom(15, 16, 2047, 2048, 4090, 32 * 1024, 64 * 1024, 300_000),
          fc.integer({ min: -1, max: 1 }),
        )
        .map(([size, more]) => new Uint8Array(size + more).map((_, index) => (index * index) >> 3)),
    );
    const samples = fc.sample(fc.array(content, { minLength: 1, maxLength: 30, size: 'max' }), {
      numRuns: 25,
      seed: 11,
    });
    for (const contents of samples) {
      await using root = await temporaryDirectory();
      await git(root.path, ['init', '-q', '--bare', '.']);
      const objects = objectsOf(contents);
      const { name, pack, index } = await encodeObjects([...objects, ...objects]);
      const target = join(root.path, `${name}.pack`);
      await writeFile(target, pack);
      await git(root.path, ['index-pack', '--strict', target]);
      expect((await readFile(join(root.path, `${name}.idx`))).equals(index)).toBe(true);

      const store = openObjects(root.path);
      await store.write(objects, { name, pack, index }, async () => {});
      const found = await Promise.all(objects.map(({ id }) => store.find(id)));
      expect(found.map((each) => each?.content.toString('hex'))).toEqual(
        contents.map((each) => Buffer.from(each).toString('hex')),
      );
      await store.close();
      expect(await expectSameObjects(root.path)).toBe(new Set(objects.map(({ id }) => id)).size);
    }
  });

  it('hold trees of any size that Git calls the same', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, maxBatch: 10_000 });
    for (const count of [3000, 1]) {
      const edits = Array.from({ length: count }, (_, index) => ({
        path: parseRepoPath(`flat/instance-${String(index).padStart(6, '0')}.yaml`),
        bytes: Buffer.from(`${count} ${index % 7}`),
      }));
      const proposal = { edits, summary: 'fill', trailers: [], actor: null };
      expect(await store.write([{ subject: 'x', propose: async () => proposal }])).toMatchObject([
        { outcome: 'written' },
      ]);
    }
    await fsck(directory);
    const listing = await gitBytes(directory, ['ls-tree', '-z', 'main:flat']);
    const made = await git(directory, ['mktree', '-z'], listing);
    expect((await git(directory, ['rev-parse', 'main:flat'])).trim()).toBe(made.trim());
  });

  it('cost what changed: at most 12 objects and 40 KB at 10,000 instances', { timeout: 120_000 }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory, maxBatch: 10_000 });
    const filesOf = (index: number, text: string) => {
      const id = createObject('blob', Buffer.from(String(index))).id.slice(0, 36);
      const body = `${text} ${id}\n`;
      return {
        [`instances/${id.slice(0, 2)}/${id}/values.yaml`]: body.repeat(45),
        [`argo-cd/applications/${id.slice(0, 2)}/${id}.yaml`]: body.repeat(30),
      };
    };
    const all = Array.from({ length: 10_000 }, (_, index) => Object.entries(filesOf(index, 'fill'))).flat();
    const edits = all.map(([path, text]) => ({ path: parseRepoPath(path), bytes: Buffer.from(text) }));
    const fill = { edits, summary: 'fill', trailers: [], actor: null };
    expect(await store.write([{ subject: 'x', propose: async () => fill }])).toMatchObject([{ outcome: 'written' }]);

    const packs = join(directory, 'objects/pack');
    const before = new Set(await readdir(packs));
    const loose = await git(directory, ['count-objects']);
    for (const index of [0, 77, 9999]) {
      await write(store, filesOf(index, 'changed'));
      const added = (await readdir(packs)).filter((name) => !before.has(name));
      expect(added.map((name) => name.split('.')[1]).toSorted()).toEqual(['idx', 'pack']);
      const sizes: number[] = [];
      for (const name of added) {
        const bytes = await readFile(join(packs, name));
        if (name.endsWith('.pack')) expect(bytes.readUInt32BE(8)).toBeLessThanOrEqual(12);
        sizes.push(bytes.length);
        before.add(name);
      }
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(40 * 1024);
    }
    expect(await git(directory, ['count-objects'])).toBe(loose);
    await fsck(directory);
  });
});

describe('a delta', () => {
  const base = Buffer.from('0123456789');
  // Sizes of the base and of the result, a copy of four bytes from the third on, and one byte of its own.
  const delta = Buffer.from([10, 5, 0x80 | 0x01 | 0x10, 3, 4, 1, 0x21]);

  it('is applied', () => expect(applyDelta(base, delta).toString()).toBe('3456!'));

  it.each([
    ['another base', base.subarray(1), delta],
    ['an end too soon', base, delta.subarray(0, -2)],
    ['half an instruction', base, delta.subarray(0, -1)],
    ['bytes past its size', base, Buffer.concat([delta, delta.subarray(-2)])],
    ['a copy past the base', base, Buffer.from([10, 5, 0x91, 7, 4, 1, 0x21])],
    ['a reserved instruction', base, Buffer.from([10, 5, 0x91, 3, 4, 0, 1, 0x21])],
    ['nothing', base, Buffer.alloc(0)],
  ])('is refused with %s', (_, from, bytes) => expect(() => applyDelta(from, bytes)).toThrow());
});

describe('packs that come and go', () => {
  it('are found again while others repack all the time', { timeout: 120_000 }, async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await mkdir(directory);
    await fillWithHistory(directory, 12);
    await git(directory, ['repack', '-adq']);
    const ids = [...(await allObjects(directory)).keys()].filter((_, index) => index % 40 === 0);
    const objects = openObjects(directory);
    let done = false;
    const repacking = (async () => {
      for (let round = 0; round < 8; round += 1) {
        // Other packs each time: other names, because their bytes differ.
        await git(directory, ['repack', '-adfFq', `--depth=${round}`]);
      }
      done = true;
    })();
    let reads = 0;
    while (!done) {
      await objects.refresh();
      const found = await Promise.all(ids.map((id) => objects.find(id)));
      expect(found.filter((each) => each === undefined)).toEqual([]);
      reads += found.length;
    }
    await repacking;
    await objects.close();
    expect(reads).toBeGreaterThan(ids.length);
  });
});
