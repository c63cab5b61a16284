import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join, relative } from 'node:path';
import { createGitStore } from '@caelus/git-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fsck, temporaryDirectory } from './git-command.ts';
import { collect, readText, write } from './store-writing.ts';

type Call = readonly ['sync' | 'rename', string];

/** What is synced and renamed from here on, without what makes names unique. */
function recordCalls(directory: string): Call[] & Disposable {
  const calls: Call[] = [];
  const plain = (path: string) => relative(directory, path).replace(/[0-9a-f]{16,40}/, '*');
  const { fsync, renameSync } = fs;
  const replace = (functions: Pick<typeof fs, 'fsync' | 'renameSync'>) => {
    Object.assign(fs, functions);
    syncBuiltinESMExports();
  };
  replace({
    fsync: Object.assign(
      (file: number, done: fs.NoParamCallback) => {
        calls.push(['sync', plain(fs.readlinkSync(`/proc/self/fd/${file}`))]);
        fsync(file, done);
      },
      { __promisify__: fsync.__promisify__ },
    ),
    renameSync(from, to) {
      calls.push(['rename', plain(String(to))]);
      renameSync(from, to);
    },
  });
  return Object.assign(calls, { [Symbol.dispose]: () => replace({ fsync, renameSync }) });
}

describe.runIf(process.platform === 'linux')('a commit', () => {
  let root: Awaited<ReturnType<typeof temporaryDirectory>>;
  let directory: string;
  beforeEach(async () => {
    root = await temporaryDirectory();
    directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { a: '0' });
  });
  afterEach(async () => {
    await root[Symbol.asyncDispose]();
  });

  it('waits for the disk three times: for what it wrote, for the names of the pack, and for that of the branch', async () => {
    await using store = await createGitStore({ directory });
    using calls = recordCalls(directory);
    await write(store, { a: '1' });
    const firstRename = calls.findIndex(([call]) => call === 'rename');
    const written = calls.slice(0, firstRename).map(([, path]) => path);
    expect(written.toSorted()).toEqual(['caelus/tmp_ref_*', 'objects/pack/tmp_idx_*', 'objects/pack/tmp_pack_*']);
    const order = calls.slice(firstRename).filter(([, path]) => path !== 'caelus/ref-*');
    expect(order).toEqual([
      ['rename', 'objects/pack/pack-*.pack'],
      ['rename', 'objects/pack/pack-*.idx'],
      ['sync', 'objects/pack'],
      ['rename', 'refs/heads/main'],
      ['sync', 'refs/heads'],
    ]);
  });

  it('that is relaxed does not wait for the disk, but one that takes the place of others does', async () => {
    await using store = await createGitStore({ directory, durability: 'relaxed' });
    expect(store.capabilities.durable).toBe(true);
    using calls = recordCalls(directory);
    const synced = () => calls.filter(([call]) => call === 'sync').map(([, path]) => path);
    await write(store, { a: '1' });
    await write(store, { a: '2' });
    expect(synced()).toEqual([]);
    await store.consolidate();
    expect(synced().toSorted()).toEqual(['objects/pack', 'objects/pack/tmp_idx_*', 'objects/pack/tmp_pack_*']);
    await fsck(directory);
    await using other = await createGitStore({ directory });
    expect(await readText(await other.snapshot(), 'a')).toBe('2');
    expect(await collect(other.log())).toHaveLength(3);
  });
});

describe('calls that wait for nothing', () => {
  it('leave everybody else a turn', async () => {
    await using root = await temporaryDirectory();
    await using store = await createGitStore({ directory: join(root.path, 'store.git'), durability: 'relaxed' });
    for (const call of [() => store.snapshot(), () => write(store, { a: '1' })]) {
      let hadTurn = false;
      setImmediate(() => {
        hadTurn = true;
      });
      const deadline = performance.now() + 1000;
      while (!hadTurn && performance.now() < deadline) await call();
      expect(hadTurn).toBe(true);
    }
  });
});
