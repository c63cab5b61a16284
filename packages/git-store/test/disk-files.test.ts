import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createDiskFiles } from '../src/disk-files.ts';
import { temporaryDirectory } from './git-command.ts';

const files = createDiskFiles();
const { writev } = fs;

function replaceWritev(replacement: unknown): void {
  Object.assign(fs, { writev: replacement });
  syncBuiltinESMExports();
}

afterEach(() => replaceWritev(writev));

describe('a file on the disk', () => {
  it('is whole where the system takes it in pieces', async () => {
    await using root = await temporaryDirectory();
    const parts = [70_000, 0, 1, 200_000, 20].map((size) => randomBytes(size));
    let calls = 0;
    replaceWritev((file: number, rest: Buffer[], done: (error: Error | null, written: number) => void) => {
      calls += 1;
      const piece = Buffer.concat(rest).subarray(0, 65_001);
      fs.writeSync(file, piece);
      setImmediate(done, null, piece.length);
    });
    const path = join(root.path, 'deep/pack');
    await files.replaceAll([{ path, parts, prefix: 'tmp_' }]);
    expect(calls).toBe(5);
    expect((await readFile(path)).equals(Buffer.concat(parts))).toBe(true);
  });

  it('leaves nothing behind where it cannot be written', async () => {
    await using root = await temporaryDirectory();
    replaceWritev((_: number, __: unknown, done: (error: Error) => void) => done(new Error('no space')));
    const large = { path: join(root.path, 'large'), parts: [Buffer.alloc(100_000)], prefix: 'tmp_' };
    const small = { path: join(root.path, 'small'), parts: [Buffer.alloc(1)], prefix: 'tmp_' };
    await expect(files.replaceAll([small, large])).rejects.toThrow('no space');
    expect(await readdir(root.path)).toEqual([]);
  });

  it('stays open while it is written, also when another one has failed', async () => {
    await using root = await temporaryDirectory();
    let written: number | undefined;
    replaceWritev((file: number, [bytes]: [Buffer], done: (error: Error | null, written?: number) => void) => {
      if (written === undefined) {
        written = 0;
        done(new Error('no space'));
        return;
      }
      setImmediate(() => {
        // Into whatever file has this number now.
        written = fs.writeSync(file, bytes);
        done(null, written);
      });
    });
    const large = (name: string) => ({ path: join(root.path, name), parts: [Buffer.alloc(100_000)], prefix: 'tmp_' });
    await expect(files.replaceAll([large('a'), large('b')])).rejects.toThrow('no space');
    expect(written).toBe(100_000);
    expect(await readdir(root.path)).toEqual([]);
  });

  it.each([
    ['small', 64 * 1024],
    ['large', 64 * 1024 + 1],
  ])('is read in parts, also when it is gone: a %s one', async (_, size) => {
    await using root = await temporaryDirectory();
    const path = join(root.path, 'file');
    const bytes = randomBytes(size);
    await writeFile(path, bytes);
    expect((await files.read(path))?.equals(bytes)).toBe(true);
    const view = await files.open(path);
    await rm(path);
    expect(view?.size).toBe(size);
    expect((await view?.read(0, size))?.equals(bytes)).toBe(true);
    expect((await view?.read(size - 10, 10))?.equals(bytes.subarray(-10))).toBe(true);
    await expect(view?.read(size - 10, 11)).rejects.toThrow('cut off');
    await view?.close();
    for (const gone of [files.open(path), files.read(path), files.modifiedAt(path)]) expect(await gone).toBeUndefined();
  });

  it('that was closed is not read, whatever the system has given its number to', async () => {
    await using root = await temporaryDirectory();
    const path = join(root.path, 'file');
    await writeFile(path, randomBytes(100_000));
    const view = await files.open(path);
    await view?.close();
    await expect(view?.read(0, 10)).rejects.toThrow();
    await expect(view?.read(0, 100_000)).rejects.toThrow();
  });

  it('is not there where a directory is, or where a file is above it', async () => {
    await using root = await temporaryDirectory();
    await mkdir(join(root.path, 'directory'));
    await writeFile(join(root.path, 'file'), '');
    expect(await files.read(join(root.path, 'directory'))).toBeUndefined();
    expect(await files.read(join(root.path, 'file/below'))).toBeUndefined();
    expect(await files.list(join(root.path, 'file/below'))).toEqual([]);
  });
});
