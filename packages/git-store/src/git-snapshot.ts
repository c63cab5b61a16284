import {
  CaelusError,
  type Change,
  type CommitId,
  type DirectoryEntry,
  type Edit,
  isCaelusError,
  parseRepoPath,
  type RepoPath,
  type RepoTree,
  type Snapshot,
  type Tip,
} from '@caelus/core';
import { createObject, type GitObject, objectId } from './git-object.ts';
import {
  DIRECTORY_MODE,
  editTree,
  FILE_MODE,
  findEntry,
  isDirectoryMode,
  type NewTreeEntry,
  type TreeEntry,
  treeEntries,
} from './git-tree.ts';
import type { ObjectStore } from './object-store.ts';

const EMPTY_TREE = Buffer.alloc(0);
const SUBMODULE_MODE = '160000';

/** Reads the tree of a commit; `null` stands for the tree of a branch without commits. */
export function createSnapshot(objects: ObjectStore, commit: CommitId | null, tree: string | null): Snapshot {
  async function directory(path: RepoPath | null): Promise<Buffer> {
    if (path === null) return treeOf(objects, tree);
    const entry = await entryAt(objects, tree, path);
    return entry !== undefined && isDirectoryMode(entry.mode) ? objects.read(entry.id, 'tree') : EMPTY_TREE;
  }

  return {
    commit,

    async readFile(path, options) {
      options?.signal?.throwIfAborted();
      const entry = await entryAt(objects, tree, path);
      return entry === undefined || !isBlob(entry) ? undefined : readBlob(objects, entry);
    },

    async readTree(prefix, options) {
      const found = new Map<RepoPath, Uint8Array>();
      async function visit(path: string, raw: Buffer): Promise<void> {
        for (const entry of treeEntries(raw)) {
          options?.signal?.throwIfAborted();
          const below = `${path}/${entry.name}`;
          if (isDirectoryMode(entry.mode)) await visit(below, await objects.read(entry.id, 'tree'));
          else if (isBlob(entry) && isRepoPath(below)) found.set(below, await readBlob(objects, entry));
        }
      }
      options?.signal?.throwIfAborted();
      await visit(prefix, await directory(prefix));
      return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
    },

    async listDirectory(path, options) {
      options?.signal?.throwIfAborted();
      const entries = [...treeEntries(await directory(path))].map(
        ({ name, mode }): DirectoryEntry => ({
          name: Buffer.from(name, 'latin1').toString('utf8'),
          type: isDirectoryMode(mode) ? 'directory' : 'file',
        }),
      );
      return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    async holds(path, content, options) {
      options?.signal?.throwIfAborted();
      const entry = await entryAt(objects, tree, path);
      if (entry === undefined) return false;
      if (content instanceof Uint8Array) return isFile(entry) && objectId('blob', content) === entry.id;
      return isDirectoryMode(entry.mode) && (await treeIdOf(objects, path, content)) === entry.id;
    },
  };
}

/** The id of the directory that has exactly these files, none of them executable or a link. */
async function treeIdOf(objects: ObjectStore, directory: RepoPath, files: RepoTree): Promise<string> {
  const edits = [...files].map(([path, bytes]) => ({ path: path.slice(directory.length + 1) as RepoPath, bytes }));
  return (await buildTree(objects, null, edits)).root;
}

/**
 * The tree of a directory; `null` where there is none.
 * @throws {CaelusError} `GIT_PREFIX_OCCUPIED`
 */
export async function directoryAt(objects: ObjectStore, tree: string | null, path: RepoPath): Promise<string | null> {
  let at = tree;
  for (const segment of path.split('/')) {
    const entry = findEntry(await treeOf(objects, at), segment);
    if (entry === undefined) return null;
    if (!isDirectoryMode(entry.mode)) {
      throw new CaelusError({
        code: 'GIT_PREFIX_OCCUPIED',
        message: `The path prefix ${path} cannot be used: a file lies there, or above it. Remove it, or choose another prefix.`,
        details: { path },
      });
    }
    at = entry.id;
  }
  return at;
}

/** What {@link gatherBatch} asks of a tip, answered by comparing object ids where it can. */
export function createTip(objects: ObjectStore, snapshot: Snapshot, tree: string | null): Tip {
  return {
    snapshot,
    async entryAt(path) {
      const entry = await entryAt(objects, tree, path);
      if (entry === undefined) return undefined;
      if (isDirectoryMode(entry.mode)) return { type: 'directory' };
      // A link or a submodule with the same id is still not the file that was asked for.
      return { type: 'file', holds: (bytes) => isFile(entry) && createObject('blob', bytes).id === entry.id };
    },
  };
}

/**
 * Makes the tree that `edits` lead to, rebuilding only the directories on the changed paths.
 * @returns the new root, and every object that is new or changed
 */
export async function buildTree(
  objects: ObjectStore,
  base: string | null,
  edits: Change,
): Promise<{ readonly root: string; readonly created: readonly GitObject[] }> {
  const created: GitObject[] = [];

  async function build(old: string | null, wanted: Change, depth: number): Promise<string | null> {
    const raw = await treeOf(objects, old);
    const groups = new Map<string, { file: NewTreeEntry | null; readonly below: Edit[] }>();
    for (const edit of wanted) {
      const [name = '', ...rest] = edit.path.split('/').slice(depth);
      const group = groups.get(name) ?? { file: null, below: [] };
      if (rest.length > 0) group.below.push(edit);
      else if (edit.bytes !== null) {
        const existing = findEntry(raw, name);
        const blob = createObject('blob', edit.bytes, existing && isBlob(existing) ? existing.id : undefined);
        created.push(blob);
        group.file = { mode: FILE_MODE, id: blob.id };
      }
      groups.set(name, group);
    }
    const entries = await Promise.all(
      [...groups].map(async ([name, { file, below }]): Promise<[string, NewTreeEntry | null]> => {
        if (file !== null || below.length === 0) return [name, file];
        const existing = findEntry(raw, name);
        const child = await build(
          existing !== undefined && isDirectoryMode(existing.mode) ? existing.id : null,
          below,
          depth + 1,
        );
        return [name, child === null ? null : { mode: DIRECTORY_MODE, id: child }];
      }),
    );
    const edited = editTree(raw, new Map(entries));
    if (edited.length === 0 && depth > 0) return null;
    const tree = createObject('tree', edited, old ?? undefined);
    created.push(tree);
    return tree.id;
  }

  // Only a directory can come to nothing; the root is written even when it is empty.
  return { root: (await build(base, edits, 0)) as string, created };
}

async function treeOf(objects: ObjectStore, tree: string | null): Promise<Buffer> {
  return tree === null ? EMPTY_TREE : objects.read(tree, 'tree');
}

async function entryAt(objects: ObjectStore, tree: string | null, path: RepoPath): Promise<TreeEntry | undefined> {
  let raw = await treeOf(objects, tree);
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    const entry = findEntry(raw, segment);
    if (entry === undefined || index === segments.length - 1) return entry;
    if (!isDirectoryMode(entry.mode)) return undefined;
    raw = await objects.read(entry.id, 'tree');
  }
  return undefined;
}

async function readBlob(objects: ObjectStore, { id }: TreeEntry): Promise<Uint8Array> {
  return new Uint8Array(await objects.read(id, 'blob'));
}

function isBlob({ mode }: TreeEntry): boolean {
  return mode !== SUBMODULE_MODE && !isDirectoryMode(mode);
}

function isFile({ mode }: TreeEntry): boolean {
  return mode.startsWith('100');
}

/** Others may have put files there whose names Caelus would never make; they are left alone. */
function isRepoPath(path: string): path is RepoPath {
  try {
    parseRepoPath(path);
    return true;
  } catch (error) {
    if (isCaelusError(error, 'PATH_INVALID')) return false;
    throw error;
  }
}
