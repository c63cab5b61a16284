import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommitId, repoPath } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createGitStore, type GitStore } from '../src/index.ts';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';

async function put(store: GitStore, text: string): Promise<CommitId> {
  const edits = [{ path: repoPath('a'), bytes: new TextEncoder().encode(text) }];
  const proposal = { edits, summary: text, trailers: [], actor: null };
  const [receipt] = await store.write([{ subject: 'a', propose: async () => proposal }]);
  if (receipt?.outcome !== 'written') throw new Error('nothing was written');
  return receipt.commit;
}

describe('a cache that began with the newest commit alone', () => {
  it('fetches the rest once a commit from before is asked about, and is whole to stock Git then', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', join(root.path, 'remote.git')]);
    await using server = await startHttpGitServer(root.path);
    const remote = { url: `${server.url}/remote.git` };
    await using writer = await createGitStore({ directory: join(root.path, 'one'), remote });
    const commits: CommitId[] = [];
    for (const text of ['1', '2', '3']) commits.push(await put(writer, text));
    const directory = join(root.path, 'two');
    await using store = await createGitStore({ directory, remote });
    await store.snapshot();
    expect((await readFile(join(directory, 'shallow'), 'latin1')).trim()).toBe(commits[2]);
    const [first, , third] = commits as [CommitId, CommitId, CommitId];
    expect(await store.isAncestor(first, third)).toBe(true);
    expect((await readFile(join(directory, 'shallow'), 'latin1')).trim()).toBe('');
    await fsck(directory);
    expect((await git(directory, ['rev-list', 'main'])).trim().split('\n')).toEqual(commits.toReversed());
    await put(store, '4');
    await fsck(directory);
  });
});
