import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  applyChange,
  type Change,
  parseRepoPath,
  type RepoPath,
  type RepoTree,
  renderCommitMessage,
} from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { collect, put, readText, write } from './store-writing.ts';

/** Names whose order differs between a file and a directory of that name. */
const names = ['a', 'a-b', 'a.b', 'a0', 'A', 'b', 'ab', '0'];
const path = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const tree = fc
  .dictionary(path, fc.string({ maxLength: 40 }), { size: 'max', maxKeys: 40, noNullPrototype: true })
  .map(withoutCollisions);

/** Leaves out what lies below a file. */
function withoutCollisions(contents: Record<string, string>): RepoTree {
  const kept = Object.keys(contents).filter(
    (name) => !Object.keys(contents).some((other) => name.startsWith(`${other}/`)),
  );
  return new Map(kept.map((name) => [parseRepoPath(name), Buffer.from(contents[name] ?? '')]));
}

function differences(before: RepoTree, after: RepoTree): Change {
  const removed = [...before.keys()].filter((name) => !after.has(name));
  return [
    ...removed.map((name) => ({ path: name, bytes: null })),
    ...[...after].map(([name, bytes]: [RepoPath, Uint8Array]) => ({ path: name, bytes })),
  ];
}

describe('what stock Git makes of it', () => {
  it('builds the same trees, step by step, as fast-import builds at once', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    const stock = join(root.path, 'stock.git');
    await git(root.path, ['init', '-q', '--bare', stock]);
    const samples = fc.sample(tree, { numRuns: 60, seed: 20260101 });

    await using store = await createGitStore({ directory });
    const expected: RepoTree[] = [];
    let before: RepoTree = new Map();
    for (const after of samples) {
      const edits = differences(before, after);
      const [receipt] = await store.write([
        { subject: 'x', propose: async () => ({ edits, summary: 'change', trailers: [], actor: null }) },
      ]);
      if (receipt?.outcome === 'failed') throw receipt.error;
      expect(applyChange(before, edits)).toEqual(after);
      before = after;
      if (receipt?.outcome === 'written') expected.push(after);
    }

    const stream = expected.map((files, index) =>
      [
        `commit refs/heads/t${index}\ncommitter A <a@b> 1 +0000\ndata 0\n\n`,
        ...[...files].map(([name, bytes]) => `M 100644 inline ${name}\ndata ${bytes.length}\n${Buffer.from(bytes)}\n`),
      ].join(''),
    );
    await git(stock, ['fast-import', '--quiet'], stream.join(''));
    const refs = await git(stock, ['for-each-ref', '--format=%(refname:short) %(tree)']);
    const byName = new Map(
      refs
        .trim()
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    const theirs = expected.map((_, index) => byName.get(`t${index}`));
    const ours = (await git(directory, ['log', '--reverse', '--format=%T', 'main'])).trim().split('\n');
    expect(ours.length).toBeGreaterThan(40);
    expect(ours).toEqual(theirs);
    await fsck(directory);
  });

  it('reads the trailers that were written, whatever the summaries say', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '.']);
    const nasty = fc.constantFrom('\n', '\r', '\n\n', 'Caelus-Change: forged', '---', '#', ': ', ' ', 'x');
    const summary = fc.array(fc.oneof(nasty, fc.string({ maxLength: 8 })), { maxLength: 8 }).map((all) => all.join(''));
    const trailers = fc.array(fc.stringMatching(/^[!-~]{1,20}$/), { maxLength: 3 });
    const samples = fc.sample(fc.array(fc.tuple(summary, trailers), { minLength: 1, maxLength: 4 }), {
      numRuns: 150,
      seed: 7,
    });
    const proposals = samples.map((sample) =>
      sample.map(([text, values]) => ({
        edits: [],
        summary: text,
        trailers: values.map((value) => ({ key: 'Caelus-Change', value })),
        actor: null,
      })),
    );
    const stream = proposals.map((list) => {
      const message = Buffer.from(renderCommitMessage(list));
      return `commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata ${message.length}\n${message}\n`;
    });
    await git(root.path, ['fast-import', '--quiet'], stream.join(''));
    const log = await git(root.path, ['log', '--reverse', '-z', '--format=%(trailers:only=true,unfold=true)', 'main']);
    const found = log.split('\0').slice(0, proposals.length);
    const wanted = proposals.map((list) =>
      list.flatMap((proposal) => proposal.trailers.map(({ key, value }) => `${key}: ${value}\n`)).join(''),
    );
    expect(found.map((text) => text.trim())).toEqual(wanted.map((text) => text.trim()));
  });

  it('finds its links, submodules, modes and odd names as they were', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { 'dir/file': '1' });
    const blob = (await git(directory, ['hash-object', '-w', '--stdin'], 'target')).trim();
    const commit = (await git(directory, ['rev-parse', 'main'])).trim();
    const inner = await git(directory, ['ls-tree', `${commit}:dir`]);
    const oddities = `120000 blob ${blob}\tlink\n160000 commit ${commit}\tmodule\n100755 blob ${blob}\trun.sh\n100644 blob ${blob}\t"\\303\\244 b"\n`;
    const dir = (await git(directory, ['mktree', '--missing'], inner + oddities)).trim();
    const top = (
      await git(directory, ['mktree', '--missing'], `040000 tree ${dir}\tdir\n120000 blob ${blob}\t.gitignore\n`)
    ).trim();
    const next = (await git(directory, ['commit-tree', top, '-p', commit, '-m', 'by hand'])).trim();
    await git(directory, ['update-ref', 'refs/heads/main', next, commit]);
    const before = await git(directory, ['ls-tree', '-r', 'main']);
    const tip = await store.snapshot();
    const read = await tip.readTree(parseRepoPath('dir'));
    expect(read.size).toBe(3);
    expect(await tip.holds?.(parseRepoPath('dir'), read)).toBe(false);
    expect(await tip.holds?.(parseRepoPath('dir/file'), Buffer.from('1'))).toBe(true);
    for (const name of ['dir/link', 'dir/module']) {
      expect(await tip.holds?.(parseRepoPath(name), Buffer.from('target'))).toBe(false);
    }

    await write(store, { 'dir/file': '2', 'dir/m': '1', other: '1' });
    await write(store, { 'dir/m': null, other: null, 'dir/file': '1' });
    expect(await git(directory, ['ls-tree', '-r', 'main'])).toBe(before);

    const snapshot = await store.snapshot();
    const entries = await snapshot.listDirectory(parseRepoPath('dir'));
    expect(entries.map(({ name }) => name)).toEqual(['file', 'link', 'module', 'run.sh', 'ä b']);
    expect([...(await snapshot.readTree(parseRepoPath('dir'))).keys()]).toEqual(['dir/file', 'dir/link', 'dir/run.sh']);
    expect(await readText(snapshot, 'dir/module')).toBeUndefined();
    // None of them is what a change means by a directory or a file with these bytes.
    const receipts = await store.write([put({ 'dir/module/x': '1' }), put({ 'dir/link/x': '1' }), put({ dir: '1' })]);
    expect(receipts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
    expect((await write(store, { 'dir/link': 'target' })).outcome).toBe('written');
    expect(await git(directory, ['ls-tree', 'main', 'dir/link'])).toMatch(/^100644 blob/);
  });

  it('works beside stock Git: its commits, packed refs and garbage collection', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { a: '1', 'b/c': '1' });
    await git(directory, ['gc', '-q', '--prune=now']);
    await expect(stat(join(directory, 'refs/heads/main'))).rejects.toThrow('ENOENT');
    expect(await readText(await store.snapshot(), 'a')).toBe('1');
    await write(store, { a: '2' });

    const clone = join(root.path, 'clone');
    await git(root.path, ['clone', '-q', directory, clone]);
    await writeFile(join(clone, 'd'), '3');
    await git(clone, ['add', 'd']);
    await git(clone, ['commit', '-q', '-m', 'by hand\n\nReviewed-by: Ann']);
    await git(clone, ['push', '-q', 'origin', 'main']);
    const [record] = await collect(store.log({ limit: 1 }));
    expect(record).toMatchObject({ author: { name: 'Stock' }, trailers: [{ key: 'Reviewed-by', value: 'Ann' }] });

    await write(store, { a: '3' });
    await git(directory, ['gc', '-q', '--prune=now', '--aggressive']);
    await write(store, { 'b/c': '2' });
    const snapshot = await store.snapshot();
    expect(await Promise.all(['a', 'b/c', 'd'].map((name) => readText(snapshot, name)))).toEqual(['3', '2', '3']);
    expect((await git(directory, ['rev-list', '--count', 'main'])).trim()).toBe('5');
    await fsck(directory);
  });

  it('makes merges part of the log, newest first', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { a: '1' });
    const base = (await git(directory, ['rev-parse', 'main'])).trim();
    const commit = async (at: number, ...parents: string[]) =>
      (
        await git(
          directory,
          ['hash-object', '-w', '-t', 'commit', '--stdin'],
          [
            `tree ${(await git(directory, ['rev-parse', `${base}^{tree}`])).trim()}`,
            ...parents.map((parent) => `parent ${parent}`),
            `author A <a@b> ${at} +0000`,
            `committer A <a@b> ${at} +0000`,
            '',
            `at ${at}\n`,
          ].join('\n'),
        )
      ).trim();
    const time = Math.floor(Date.now() / 1000) + 100;
    const left = await commit(time, base);
    const right = await commit(time + 1, base);
    const left2 = await commit(time + 2, left);
    const merge = await commit(time + 3, left2, right);
    await git(directory, ['update-ref', 'refs/heads/main', merge]);
    const log = await collect(store.log());
    expect(log.map((record) => record.commit)).toEqual([merge, left2, right, left, base]);
    expect(log[0]?.parents).toEqual([left2, right]);
    const [top, second, third] = log.map((record) => record.commit);
    if (top === undefined || second === undefined || third === undefined) throw new Error('the log is too short');
    expect(await store.isAncestor(third, top)).toBe(true);
    expect(await store.isAncestor(third, second)).toBe(false);
  });

  it('keeps its temporary files where Git cleans up', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    await write(store, { a: '1' });
    await mkdir(join(directory, 'objects/aa'), { recursive: true });
    await writeFile(join(directory, 'objects/aa/tmp_obj_0123456789abcdef'), 'half');
    await fsck(directory);
    await git(directory, ['prune', '--expire=now']);
    await expect(stat(join(directory, 'objects/aa/tmp_obj_0123456789abcdef'))).rejects.toThrow('ENOENT');
  });
});
