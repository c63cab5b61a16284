import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createGitStore, type GitFileSystem } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { checkCommitsAreComplete, fsck, temporaryDirectory } from './git-command.ts';
import { collect, readText, write } from './store-writing.ts';

const DIRECTORY = '/store.git';

/** A file system that stops for good at its `limit`-th change; a write that it stops at is left half done. */
function stoppingAfter(
  fs: GitFileSystem,
  limit: number,
): { readonly fs: GitFileSystem; readonly changes: () => number } {
  let changes = 0;
  const { promises } = fs;
  const change = async <T>(action: () => Promise<T>, half?: () => Promise<unknown>): Promise<T> => {
    changes += 1;
    if (changes === limit) await half?.();
    if (changes >= limit) throw new Error('the process was killed');
    return action();
  };
  const stopping: GitFileSystem = {
    promises: {
      readFile: (path) => promises.readFile(path),
      readdir: (path) => promises.readdir(path),
      stat: (path) => promises.stat(path),
      mkdir: (path, options) => change(() => promises.mkdir(path, options)),
      rename: (from, to) => change(() => promises.rename(from, to)),
      unlink: (path) => change(() => promises.unlink(path)),
      writeFile: (path, data, options) =>
        change(
          () => promises.writeFile(path, data, options),
          () => promises.writeFile(path, data.subarray(0, data.length / 2), options),
        ),
    },
  };
  return { fs: stopping, changes: () => changes };
}

async function copyToDisk(volume: Volume, target: string): Promise<void> {
  for (const path of Object.keys(volume.toJSON())) {
    const name = join(target, path);
    await mkdir(dirname(name), { recursive: true });
    // An empty directory is listed like a file.
    if (volume.statSync(path).isDirectory()) await mkdir(name, { recursive: true });
    else await writeFile(name, volume.readFileSync(path));
  }
}

async function volumeWithOneCommit(): Promise<Volume> {
  const volume = new Volume();
  await using store = await createGitStore({ directory: DIRECTORY, fs: createFsFromVolume(volume) });
  await write(store, { 'a/file': 'old', 'b/file': 'old' });
  return volume;
}

describe('a crash at any change of the file system', () => {
  it('leaves the old or the new tip, all objects of every commit, and a store that goes on', async () => {
    const complete = stoppingAfter(createFsFromVolume(await volumeWithOneCommit()), Number.POSITIVE_INFINITY);
    await write(await createGitStore({ directory: DIRECTORY, fs: complete.fs }), { 'a/file': 'new', 'c/file': 'new' });
    expect(complete.changes()).toBeGreaterThan(10);

    const tips: (string | undefined)[] = [];
    for (let limit = 1; limit <= complete.changes(); limit += 1) {
      await using root = await temporaryDirectory();
      const volume = await volumeWithOneCommit();
      const fs = createFsFromVolume(volume);
      const killed = async () => {
        const store = await createGitStore({ directory: DIRECTORY, fs: stoppingAfter(fs, limit).fs });
        return write(store, { 'a/file': 'new', 'c/file': 'new' });
      };
      await expect(killed()).rejects.toThrow('the process was killed');
      await copyToDisk(volume, root.path);
      await fsck(join(root.path, DIRECTORY));
      await checkCommitsAreComplete(join(root.path, DIRECTORY));

      // This process is alive, so its lock cannot be proven dead; tests of the lock have a process that is.
      await fs.promises.rm(`${DIRECTORY}/refs/heads/main.lock`, { force: true });
      await using next = await createGitStore({ directory: DIRECTORY, fs });
      const text = await readText(await next.snapshot(), 'a/file');
      expect(await readText(await next.snapshot(), 'c/file')).toBe(text === 'new' ? 'new' : undefined);
      tips.push(text);
      expect((await write(next, { 'a/file': 'next' })).outcome).toBe('written');
      expect(await collect(next.log())).toHaveLength(text === 'new' ? 3 : 2);
    }
    // Once the new tip is there, it stays.
    expect(tips).toEqual(tips.toSorted().reverse());
    expect(new Set(tips)).toEqual(new Set(['old', 'new']));
  });

  it('while packs are folded leaves every object, and packs that can be folded again', {
    timeout: 120_000,
  }, async () => {
    const volumeWithPacks = async () => {
      const volume = await volumeWithOneCommit();
      await using store = await createGitStore({ directory: DIRECTORY, fs: createFsFromVolume(volume) });
      for (const text of ['1', '2', '3']) await write(store, { 'a/file': text, [`b/${text}`]: text });
      return volume;
    };
    const fold = async (fs: GitFileSystem) => (await createGitStore({ directory: DIRECTORY, fs })).consolidate();
    const packsOf = (volume: Volume) =>
      (volume.readdirSync(`${DIRECTORY}/objects/pack`) as string[]).filter((name) => name.endsWith('.idx'));
    const volume = await volumeWithPacks();
    const complete = stoppingAfter(createFsFromVolume(volume), Number.POSITIVE_INFINITY);
    await fold(complete.fs);
    expect(packsOf(volume)).toHaveLength(1);
    expect(complete.changes()).toBeGreaterThan(15);

    for (let limit = 1; limit <= complete.changes(); limit += 1) {
      await using root = await temporaryDirectory();
      const damaged = await volumeWithPacks();
      await expect(fold(stoppingAfter(createFsFromVolume(damaged), limit).fs)).rejects.toThrow();
      await copyToDisk(damaged, root.path);
      await fsck(join(root.path, DIRECTORY));
      await checkCommitsAreComplete(join(root.path, DIRECTORY));

      const fs = createFsFromVolume(damaged);
      await using next = await createGitStore({ directory: DIRECTORY, fs });
      expect(await collect(next.log())).toHaveLength(4);
      expect(await readText(await next.snapshot(), 'b/1')).toBe('1');
      await fs.promises.rm(`${DIRECTORY}/caelus/lock-consolidation`, { force: true });
      for (const name of await fs.promises.readdir(`${DIRECTORY}/objects/pack`)) {
        if (String(name).endsWith('.keep')) await fs.promises.rm(`${DIRECTORY}/objects/pack/${name}`);
      }
      await next.consolidate();
      // A small one that was not removed in time may stay beside the large one.
      expect(packsOf(damaged).length).toBeLessThanOrEqual(2);
      expect(await collect(next.log())).toHaveLength(4);
    }
  });

  it('leaves no half repository that is taken for a whole one', async () => {
    const complete = stoppingAfter(createFsFromVolume(new Volume()), Number.POSITIVE_INFINITY);
    await createGitStore({ directory: DIRECTORY, fs: complete.fs });
    for (let limit = 1; limit <= complete.changes(); limit += 1) {
      const fs = createFsFromVolume(new Volume());
      await expect(createGitStore({ directory: DIRECTORY, fs: stoppingAfter(fs, limit).fs })).rejects.toThrow('killed');
      await using store = await createGitStore({ directory: DIRECTORY, fs });
      expect((await write(store, { a: '1' })).outcome).toBe('written');
    }
  });
});
