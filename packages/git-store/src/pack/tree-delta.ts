import { type EntryBounds, entryOf, ID_BYTES, nextBounds, sortKey } from '../git-tree.ts';
import { DeltaWriter, isSame } from './delta-writer.ts';

/** So many bytes are compared at once where two trees are alike, which is nearly everywhere. */
const BLOCK_BYTES = 4096;

/**
 * Makes the delta from one tree to another, best from one version of a directory to the next. Both are in order, so one walk
 * through both finds what is the same.
 */
export function encodeTreeDelta(base: Buffer, target: Buffer): Buffer {
  const delta = new DeltaWriter(base, target);
  let at = 0;
  for (let wanted = 0; wanted < target.length; ) {
    const same = sameEntries(base, at, target, wanted);
    if (same > 0) {
      delta.copy(at, same);
      at += same;
      wanted += same;
      continue;
    }
    const entry = nextBounds(target, wanted);
    const other = at < base.length ? nextBounds(base, at) : undefined;
    const order = other === undefined ? 1 : compareKeys(base, other, target, entry);
    if (other !== undefined && order <= 0) at = other.end;
    if (order < 0) continue;
    const named = entry.end - ID_BYTES - entry.start;
    const isRenewed = other !== undefined && order === 0 && isSame(base, other.start, target, entry.start, named);
    if (isRenewed) delta.copy(other.start, named);
    delta.insert(isRenewed ? entry.end - ID_BYTES : entry.start, entry.end);
    wanted = entry.end;
  }
  return delta.finish();
}

/** How many bytes of whole entries are the same from here on, looked at a block at a time. */
function sameEntries(base: Buffer, at: number, target: Buffer, wanted: number): number {
  const length = Math.min(BLOCK_BYTES, base.length - at, target.length - wanted);
  if (length === 0) return 0;
  if (isSame(base, at, target, wanted, length)) {
    let end = at;
    for (let next = at; next < at + length; ) {
      next = nextBounds(base, next).end;
      if (next <= at + length) end = next;
    }
    return end - at;
  }
  const { end } = nextBounds(base, at);
  return end - at <= length && isSame(base, at, target, wanted, end - at) ? end - at : 0;
}

function compareKeys(base: Buffer, other: EntryBounds, target: Buffer, entry: EntryBounds): number {
  const length = Math.min(other.nameEnd - other.nameStart, entry.nameEnd - entry.nameStart);
  const [here, there] = [other.nameStart, entry.nameStart];
  const order = base.compare(target, there, there + length, here, here + length);
  if (order !== 0) return order;
  // One name begins with the other: then it depends on which of them are directories.
  const [a, b] = [entryOf(base, other), entryOf(target, entry)];
  const [before, after] = [sortKey(a.name, a.mode), sortKey(b.name, b.mode)];
  return before === after ? 0 : before < after ? -1 : 1;
}
