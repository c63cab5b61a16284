import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { createDiskFiles } from '../src/disk-files.ts';
import { viewOf } from '../src/file-access.ts';
import { createObject } from '../src/git-object.ts';
import { createInjectedFiles } from '../src/injected-files.ts';
import { encodeEntries, encodeObjects } from '../src/pack/encode-pack.ts';
import { indexPack } from '../src/pack/index-pack.ts';
import { encodePackIndex } from '../src/pack/pack-index.ts';
import { receivePack } from '../src/pack/receive-pack.ts';
import { encodeThinPack } from '../src/pack/thin-pack.ts';
import { git, gitBytes, temporaryDirectory } from './git-command.ts';

/** Versions of files that are like each other, so that Git makes deltas of deltas. */
const versions = fc.array(
  fc.array(fc.tuple(fc.nat(3), fc.nat(60), fc.string({ maxLength: 30 })), { minLength: 1, maxLength: 4 }),
  { minLength: 1, maxLength: 12 },
);

/** A repository with those versions in its history, all in one pack. */
async function repository(root: string, history: readonly (readonly (readonly [number, number, string])[])[]) {
  const directory = join(root, 'source.git');
  await git(root, ['init', '-q', '--bare', '-b', 'main', directory]);
  const files = Array.from({ length: 4 }, (_, file) => Array.from({ length: 61 }, (__, line) => `${file} ${line} `));
  let stream = '';
  for (const [index, edits] of history.entries()) {
    stream += `commit refs/heads/main\ncommitter A <a@b> ${index + 1} +0000\ndata 1\nx\n`;
    for (const [file, line, text] of edits) {
      const lines = files[file] ?? [];
      lines[line] = text;
      const content = Buffer.from(lines.join('\n'));
      stream += `M 100644 inline dir${file % 2}/file${file}\ndata ${content.length}\n${content}\n`;
    }
  }
  await git(directory, ['fast-import', '--quiet'], stream);
  return directory;
}

async function packOf(directory: string, ...options: readonly string[]): Promise<Buffer> {
  return gitBytes(directory, ['pack-objects', '--all', '--stdout', '-q', '--no-reuse-delta', ...options], '');
}

/** The index that stock Git makes of a pack. */
async function stockIndex(root: string, pack: Buffer): Promise<Buffer> {
  await writeFile(join(root, 'x.pack'), pack);
  await git(root, ['index-pack', '-o', join(root, 'x.idx'), join(root, 'x.pack')]);
  return readFile(join(root, 'x.idx'));
}

const checksumOf = (pack: Buffer) => pack.subarray(-20);
const resealed = (pack: Buffer) =>
  Buffer.concat([pack.subarray(0, -20), createHash('sha1').update(pack.subarray(0, -20)).digest()]);

describe('the index of a received pack', () => {
  it.each([
    ['deltas that name their base by its place', ['--delta-base-offset', '--depth=50']],
    ['deltas that name their base by its id', ['--depth=50']],
    ['no deltas', ['--window=0']],
  ])('is that of stock Git, byte for byte: %s', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(versions, async (history) => {
        await using root = await temporaryDirectory();
        const pack = await packOf(await repository(root.path, history), ...options);
        const index = encodePackIndex(await indexPack(viewOf(pack)), checksumOf(pack));
        expect(index.equals(await stockIndex(root.path, pack))).toBe(true);
      }),
      { numRuns: 6 },
    );
  });

  it('is that of stock Git for objects larger than what is read at once', async () => {
    await using root = await temporaryDirectory();
    // Bytes that no compression makes smaller, and some that it makes a thousandth of.
    const noise = Buffer.concat(
      Array.from({ length: 60_000 }, (_, index) => createHash('sha256').update(String(index)).digest()),
    );
    const objects = [noise, Buffer.alloc(3_000_000), Buffer.alloc(0)].map((content) => createObject('blob', content));
    const { pack } = await encodeObjects(objects);
    const bytes = Buffer.concat(pack);
    const index = encodePackIndex(await indexPack(viewOf(bytes)), checksumOf(bytes));
    expect(index.equals(await stockIndex(root.path, bytes))).toBe(true);
  });

  it.each<[string, (pack: Buffer) => Buffer]>([
    ['cut off', (pack) => pack.subarray(0, -30)],
    ['longer than its entries', (pack) => Buffer.concat([pack.subarray(0, -20), Buffer.alloc(40)])],
    [
      'without as many entries as it says',
      (pack) => Buffer.concat([pack.subarray(0, 11), Buffer.from([9]), pack.subarray(12)]),
    ],
  ])('is refused for a pack that is %s', async (_, spoil) => {
    const pack = Buffer.concat((await encodeObjects([createObject('blob', Buffer.from('some text'))])).pack);
    await expect(indexPack(viewOf(spoil(pack)))).rejects.toThrow();
  });

  it('is refused for a delta whose base is not in the pack', async () => {
    const lines = Array.from({ length: 50 }, (_, index) => createHash('sha1').update(`${index}`).digest('hex'));
    const old = createObject('blob', Buffer.from(lines.join('\n')));
    const next = createObject('blob', Buffer.from(lines.with(7, 'x').join('\n')), old.id);
    const pack = await encodeThinPack([next], await encodeEntries([next]), async () => ({
      type: 'blob',
      content: Buffer.from(old.content),
    }));
    await expect(indexPack(viewOf(pack))).rejects.toThrow('base of a delta');
  });
});

describe.each(['disk', 'memfs'] as const)('a pack that comes to %s', (kind) => {
  async function place() {
    const root = await temporaryDirectory();
    if (kind === 'disk')
      return { ...root, directory: root.path, files: createDiskFiles(), list: () => readdir(root.path) };
    const fs = createFsFromVolume(new Volume());
    await fs.promises.mkdir('/pack');
    const list = async () => (await fs.promises.readdir('/pack')) as string[];
    return { ...root, directory: '/pack', files: createInjectedFiles(fs), list };
  }
  const text = (index: number) => Buffer.from(`object ${index}\n`.repeat(20));
  const objects = Array.from({ length: 10 }, (_, index) => createObject('blob', text(index)));

  it.each([1, 7, 19, 20, 21, 100_000])('in parts of %d bytes is there once it is whole', async (size) => {
    await using at = await place();
    const { name, pack, index } = await encodeObjects(objects);
    const bytes = Buffer.concat(pack);
    {
      await using receiver = await receivePack(at.files, at.directory, 'strict');
      for (let from = 0; from < bytes.length; from += size) await receiver.write(bytes.subarray(from, from + size));
      expect((await at.list()).filter((each) => !each.startsWith('tmp_pack_'))).toEqual([]);
      await receiver.finish();
    }
    expect((await at.list()).toSorted()).toEqual([`${name}.idx`, `${name}.pack`]);
    expect((await at.files.read(`${at.directory}/${name}.pack`))?.equals(bytes)).toBe(true);
    expect((await at.files.read(`${at.directory}/${name}.idx`))?.equals(index)).toBe(true);
  });

  it.each<[string, (pack: Buffer) => Buffer]>([
    ['empty', () => Buffer.alloc(0)],
    ['cut off', (pack) => pack.subarray(0, pack.length / 2)],
    ['no pack', (pack) => resealed(Buffer.concat([Buffer.from('KCAP'), pack.subarray(4)]))],
    ['damaged', (pack) => pack.map((byte, at) => (at === 40 ? byte ^ 1 : byte)) as Buffer],
    [
      'damaged before it was summed',
      (pack) => resealed(pack.map((byte, at) => (at === 12 ? byte ^ 1 : byte)) as Buffer),
    ],
  ])('%s is refused, and leaves nothing', async (_, spoil) => {
    await using at = await place();
    {
      await using receiver = await receivePack(at.files, at.directory, 'strict');
      await receiver.write(Buffer.from(spoil(Buffer.concat((await encodeObjects(objects)).pack))));
      await expect(receiver.finish()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    expect(await at.list()).toEqual([]);
  });

  it('without objects, or not to its end, leaves nothing', async () => {
    await using at = await place();
    for (const isWhole of [true, false]) {
      await using receiver = await receivePack(at.files, at.directory, 'relaxed');
      const [first = Buffer.alloc(0), ...rest] = (await encodeObjects([])).pack;
      await receiver.write(first);
      for (const part of rest) if (isWhole) await receiver.write(part);
      if (isWhole) await receiver.finish();
    }
    expect(await at.list()).toEqual([]);
  });
});
