import assert from 'node:assert/strict';
import { REPOSITORY_FILES, type RepoPath } from '@caelus/core';
import type { GitStore } from '@caelus/git-store';
import { kindsOf } from './findings.ts';
import { createPlace, openHost } from './host.ts';

/** The Git server is gone. An empty repository is filled from the rows, byte for byte. */
export async function loseGit(): Promise<string> {
  await using place = await createPlace();
  let kept: ReadonlyMap<string, string>;
  {
    await using before = await openHost(place, 'caelus.db', 'gitops.git');
    const { id } = await before.createInstance('acme', 'Gone');
    for (const title of ['One', 'Two']) await before.createInstance('acme', title);
    await before.settle();
    await before.caelus.instances.delete(id);
    await before.settle();
    kept = await filesOf(before.store);
  }

  await using rebuilt = await openHost(place, 'caelus.db', 'empty.git');
  const report = await rebuilt.caelus.rebuildGit();
  assert.deepEqual(report, { written: 3, failed: 0, flagged: 0 });
  assert.deepEqual(await filesOf(rebuilt.store), kept);
  await rebuilt.settle();
  assert.deepEqual(await kindsOf(rebuilt.caelus), []);
  return `lose-git: ${kept.size} files written again, the same bytes`;
}

async function filesOf(store: GitStore): Promise<ReadonlyMap<string, string>> {
  const snapshot = await store.snapshot();
  const [catalogue] = REPOSITORY_FILES.layout.split('/') as [RepoPath];
  const roots = ['instances', 'argo-cd', catalogue] as RepoPath[];
  const trees = await Promise.all(roots.map((root) => snapshot.readTree(root)));
  return new Map(trees.flatMap((tree) => [...tree].map(([path, bytes]) => [path, Buffer.from(bytes).toString()])));
}
