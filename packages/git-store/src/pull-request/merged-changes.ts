import { isDirectoryMode, type TreeEntry, treeEntries } from '../git-tree.ts';
import type { ObjectReader } from '../object-reader.ts';

/**
 * Tells whether a tree has what changed from one tree to another, however it came there: a merge, a squash, a rebase or a
 * cherry-pick all leave the same files. Looks only at what changed.
 */
export async function hasChanges(objects: ObjectReader, from: string, to: string, tree: string): Promise<boolean> {
  if (from === to || to === tree) return true;
  const [before, after, found] = await Promise.all([from, to, tree].map((id) => entriesOf(objects, id)));
  for (const name of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
    const [old, wanted, held] = [before?.get(name), after?.get(name), found?.get(name)];
    if (isSame(old, wanted) || isSame(wanted, held)) continue;
    if (!isDirectory(wanted) || !isDirectory(held)) return false;
    if (!(await hasChanges(objects, isDirectory(old) ? old.id : EMPTY_TREE, wanted.id, held.id))) return false;
  }
  return true;
}

/** Git knows this one without having it. */
const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';

async function entriesOf(objects: ObjectReader, tree: string): Promise<ReadonlyMap<string, TreeEntry>> {
  if (tree === EMPTY_TREE) return new Map();
  return new Map([...treeEntries(await objects.read(tree, 'tree'))].map((entry) => [entry.name, entry]));
}

function isSame(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one?.id === other?.id && one?.mode === other?.mode;
}

function isDirectory(entry: TreeEntry | undefined): entry is TreeEntry {
  return entry !== undefined && isDirectoryMode(entry.mode);
}
