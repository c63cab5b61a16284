import type { RepoPath } from './repo-path.ts';

/** Files of the GitOps repository: path → bytes. */
export type RepoTree = ReadonlyMap<RepoPath, Uint8Array>;

/** One file that a change writes, or removes where `bytes` is `null`. */
export interface Edit {
  readonly path: RepoPath;
  readonly bytes: Uint8Array | null;
}

/** What leads from one tree to another: at most one edit a path, ordered by path. */
export type Change = readonly Edit[];

/** Tells whether two files have the same bytes. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** The change that leads from `before` to `after`. */
export function diffTrees(before: RepoTree, after: RepoTree): Change {
  const edits: Edit[] = [];
  for (const [path, bytes] of after) {
    const old = before.get(path);
    if (old === undefined || !bytesEqual(old, bytes)) edits.push({ path, bytes });
  }
  for (const path of before.keys()) if (!after.has(path)) edits.push({ path, bytes: null });
  return edits.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The tree that `change` makes of `tree`. */
export function applyChange(tree: RepoTree, change: Change): RepoTree {
  const result = new Map(tree);
  for (const { path, bytes } of change) {
    if (bytes === null) result.delete(path);
    else result.set(path, bytes);
  }
  return result;
}
