import { corrupt } from './git-errors.ts';

/** One entry of a tree object. Names are Latin-1 readings of the raw bytes, so that none is lost or altered. */
export interface TreeEntry {
  /** As it stands in the tree: `100644`, `40000`, `120000`, `160000`. */
  readonly mode: string;
  readonly name: string;
  readonly id: string;
}

export type NewTreeEntry = Pick<TreeEntry, 'mode' | 'id'>;

export const FILE_MODE = '100644';
export const DIRECTORY_MODE = '40000';

export function isDirectoryMode(mode: string): boolean {
  return mode === DIRECTORY_MODE || mode === '040000';
}

/** Where an entry of a tree lies in its bytes. */
export interface EntryBounds {
  readonly start: number;
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly end: number;
}

const SPACE = 0x20;
export const ID_BYTES = 20;

/** Goes through the raw bytes without making an object of each entry: a flat directory has ten thousands of them. */
export function nextBounds(tree: Buffer, start: number): EntryBounds {
  const space = tree.indexOf(SPACE, start);
  const nameEnd = space === -1 ? -1 : tree.indexOf(0, space);
  const end = nameEnd + 1 + ID_BYTES;
  if (nameEnd === -1 || space - start > 6 || nameEnd === space + 1 || end > tree.length) {
    throw corrupt('tree', 'A tree of the repository is malformed. Run git fsck to find it.');
  }
  return { start, nameStart: space + 1, nameEnd, end };
}

export function* treeEntries(tree: Buffer): Generator<TreeEntry> {
  for (let at = 0; at < tree.length; ) {
    const bounds = nextBounds(tree, at);
    yield entryOf(tree, bounds);
    at = bounds.end;
  }
}

export function findEntry(tree: Buffer, name: string): TreeEntry | undefined {
  const wanted = Buffer.from(name, 'latin1');
  for (let at = 0; at < tree.length; ) {
    const bounds = nextBounds(tree, at);
    const length = bounds.nameEnd - bounds.nameStart;
    if (length === wanted.length && wanted.compare(tree, bounds.nameStart, bounds.nameEnd) === 0) {
      return entryOf(tree, bounds);
    }
    at = bounds.end;
  }
  return undefined;
}

/**
 * Sets and removes (`null`) entries. All others are copied byte for byte, whatever they are, and the order is Git's: by
 * bytes, a directory as though its name ended with `/`.
 */
export function editTree(tree: Buffer, edits: ReadonlyMap<string, NewTreeEntry | null>): Buffer {
  const added = [...edits]
    .flatMap(([name, entry]) =>
      entry === null ? [] : [{ key: sortKey(name, entry.mode), bytes: encodeEntry(name, entry) }],
    )
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const parts: Buffer[] = [];
  let next = 0;
  let copied = 0;
  /** In order; those before `pending` are done, and an entry before that one is copied without a further look. */
  const names = [...edits.keys()].map((name) => Buffer.from(name, 'latin1')).sort(Buffer.compare);
  let pending = 0;
  for (let at = 0; at < tree.length; ) {
    const bounds = nextBounds(tree, at);
    if (pending === names.length) break;
    if (orderOf(names[pending], tree, bounds) === 'after') {
      at = bounds.end;
      continue;
    }
    const { mode, name } = entryOf(tree, bounds);
    const key = sortKey(name, mode);
    const before = next;
    while (next < added.length && (added[next]?.key ?? '') < key) next += 1;
    if (next > before || edits.has(name)) {
      parts.push(tree.subarray(copied, bounds.start), ...added.slice(before, next).map(({ bytes }) => bytes));
      copied = edits.has(name) ? bounds.end : bounds.start;
    }
    while (orderOf(names[pending], tree, bounds) === 'before') pending += 1;
    at = bounds.end;
  }
  parts.push(tree.subarray(copied), ...added.slice(next).map(({ bytes }) => bytes));
  return Buffer.concat(parts);
}

/**
 * Where an edit of this name stands beside an entry, told without making a string of each. Undecided where one name begins
 * with the other: then it depends on which of them are directories.
 */
function orderOf(
  name: Buffer | undefined,
  tree: Buffer,
  { nameStart, nameEnd }: EntryBounds,
): 'before' | 'after' | 'undecided' {
  if (name === undefined) return 'undecided';
  const length = Math.min(name.length, nameEnd - nameStart);
  const order = name.compare(tree, nameStart, nameStart + length, 0, length);
  return order === 0 ? 'undecided' : order < 0 ? 'before' : 'after';
}

/** Orders entries as Git does. */
export function sortKey(name: string, mode: string): string {
  return isDirectoryMode(mode) ? `${name}/` : name;
}

function encodeEntry(name: string, { mode, id }: NewTreeEntry): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(id, 'hex')]);
}

export function entryOf(tree: Buffer, { start, nameStart, nameEnd, end }: EntryBounds): TreeEntry {
  return {
    mode: tree.toString('latin1', start, nameStart - 1),
    name: tree.toString('latin1', nameStart, nameEnd),
    id: tree.toString('hex', nameEnd + 1, end),
  };
}
