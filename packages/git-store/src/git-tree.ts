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
const SLASH = 0x2f;
const ZERO = 0x30;
const FOUR = 0x34;
export const ID_BYTES = 20;

/** Goes through the raw bytes without making an object of each entry: a flat directory has ten thousands of them. */
export function nextBounds(tree: Buffer, start: number): EntryBounds {
  const space = tree.indexOf(SPACE, start);
  const nameEnd = space === -1 ? -1 : tree.indexOf(0, space);
  const end = nameEnd + 1 + ID_BYTES;
  if (nameEnd === -1 || space - start > 6 || nameEnd === space + 1 || end > tree.length) {
    throw malformed();
  }
  return { start, nameStart: space + 1, nameEnd, end };
}

function malformed(): Error {
  return corrupt('tree', 'A tree of the repository is malformed. Run git fsck to find it.');
}

export function* treeEntries(tree: Buffer): Generator<TreeEntry> {
  for (let at = 0; at < tree.length; ) {
    const bounds = nextBounds(tree, at);
    yield entryOf(tree, bounds);
    at = bounds.end;
  }
}

/** @throws {CaelusError} `STORE_CORRUPT` */
export function findEntry(tree: Buffer, name: string): TreeEntry | undefined {
  const starts = entryStarts(tree);
  for (const mode of [FILE_MODE, DIRECTORY_MODE]) {
    const { position, isThere } = findPosition(tree, starts, encodeKey(name, mode));
    if (isThere) return entryOf(tree, nextBounds(tree, starts[position] ?? 0));
  }
  return undefined;
}

/**
 * Sets and removes (`null`) entries. All others are copied byte for byte, whatever they are, and the order is Git's: by
 * bytes, a directory as though its name ended with `/`.
 * @throws {CaelusError} `STORE_CORRUPT`
 */
export function editTree(tree: Buffer, edits: ReadonlyMap<string, NewTreeEntry | null>): Buffer {
  const starts = entryStarts(tree);
  const splices = [...edits]
    .flatMap(([name, entry]) =>
      // What is there may be of the other kind, which stands elsewhere in the order.
      [FILE_MODE, DIRECTORY_MODE].map((mode) => {
        const isAdded = entry !== null && isDirectoryMode(entry.mode) === isDirectoryMode(mode);
        return {
          key: sortKey(name, mode),
          added: isAdded ? encodeEntry(name, entry) : undefined,
          ...findPosition(tree, starts, encodeKey(name, mode)),
        };
      }),
    )
    .filter(({ added, isThere }) => added !== undefined || isThere)
    .sort((a, b) => (a.key < b.key ? -1 : 1));

  const removed = splices.filter(({ isThere }) => isThere);
  const removedBytes = removed.reduce((sum, { position }) => sum + sizeAt(starts, position), 0);
  const added = splices.flatMap((splice) => splice.added ?? []);
  const addedBytes = added.reduce((sum, { length }) => sum + length, 0);
  const edited = Buffer.allocUnsafeSlow(tree.length - removedBytes + addedBytes);
  const editedStarts = new Uint32Array(starts.length - removed.length + added.length);
  let [taken, written, count] = [0, 0, 0];

  function copyUntil(position: number): void {
    const [from = 0, to = 0] = [starts[taken], starts[position]];
    edited.set(tree.subarray(from, to), written);
    for (; taken < position; taken += 1, count += 1) editedStarts[count] = (starts[taken] ?? 0) - from + written;
    written += to - from;
  }

  for (const { position, isThere, added } of splices) {
    copyUntil(position);
    if (isThere) taken += 1;
    if (added === undefined) continue;
    editedStarts[count] = written;
    edited.set(added, written);
    written += added.length;
    count += 1;
  }
  copyUntil(starts.length - 1);
  editedStarts[count] = written;
  keepStarts(edited, editedStarts);
  return edited;
}

/** Below this size, going through a tree takes hardly longer than remembering it. */
const INDEXED_BYTES = 2048;
/** Kept as long as the trees themselves. At most a fifth of their size. */
const knownStarts = new WeakMap<Buffer, Uint32Array>();

/**
 * Where each entry begins, and after the last one the end, so that one of ten thousand is found without reading the others.
 * @throws {CaelusError} `STORE_CORRUPT` where the entries are not in Git's order
 */
function entryStarts(tree: Buffer): Uint32Array {
  const known = knownStarts.get(tree);
  if (known !== undefined) return known;
  const starts: number[] = [];
  for (let at = 0, last = -1; at < tree.length; ) {
    const { end } = nextBounds(tree, at);
    if (last !== -1 && compareEntries(tree, last, tree, at) >= 0) throw malformed();
    starts.push(at);
    last = at;
    at = end;
  }
  return keepStarts(tree, Uint32Array.from([...starts, tree.length]));
}

function keepStarts(tree: Buffer, starts: Uint32Array): Uint32Array {
  if (tree.length >= INDEXED_BYTES) knownStarts.set(tree, starts);
  return starts;
}

function sizeAt(starts: Uint32Array, position: number): number {
  return (starts[position + 1] ?? 0) - (starts[position] ?? 0);
}

/** Where an entry with this key is, or would be. */
function findPosition(
  tree: Buffer,
  starts: Uint32Array,
  key: Buffer,
): { readonly position: number; readonly isThere: boolean } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compareEntries(key, 0, tree, starts[middle] ?? 0);
    if (order === 0) return { position: middle, isThere: true };
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return { position: low, isThere: false };
}

/** Compares by Git's order what begins as an entry does: mode, space, name, zero. */
function compareEntries(a: Buffer, aStart: number, b: Buffer, bStart: number): number {
  let [i, j] = [nameStartOf(a, aStart), nameStartOf(b, bStart)];
  while (a[i] === b[j] && a[i] !== 0) {
    i += 1;
    j += 1;
  }
  // A zero stands where a name ends.
  const x = a[i] || (isDirectoryAt(a, aStart) ? SLASH : 0);
  const y = b[j] || (isDirectoryAt(b, bStart) ? SLASH : 0);
  return x - y;
}

function nameStartOf(tree: Buffer, start: number): number {
  let at = start;
  while (tree[at] !== SPACE) at += 1;
  return at + 1;
}

function isDirectoryAt(tree: Buffer, start: number): boolean {
  return tree[tree[start] === ZERO ? start + 1 : start] === FOUR;
}

/** Orders entries as Git does. */
export function sortKey(name: string, mode: string): string {
  return isDirectoryMode(mode) ? `${name}/` : name;
}

function encodeEntry(name: string, { mode, id }: NewTreeEntry): Buffer {
  return Buffer.concat([encodeKey(name, mode), Buffer.from(id, 'hex')]);
}

function encodeKey(name: string, mode: string): Buffer {
  return Buffer.from(`${mode} ${name}\0`, 'latin1');
}

export function entryOf(tree: Buffer, { start, nameStart, nameEnd, end }: EntryBounds): TreeEntry {
  return {
    mode: tree.toString('latin1', start, nameStart - 1),
    name: tree.toString('latin1', nameStart, nameEnd),
    id: tree.toString('hex', nameEnd + 1, end),
  };
}
