import { type EntryBounds, entryOf, ID_BYTES, nextBounds, sortKey } from '../git-tree.ts';

/** So many bytes are compared at once where two trees are alike, which is nearly everywhere. */
const BLOCK_BYTES = 4096;
const MOST_COPIED = 0xffffff;
const MOST_INSERTED = 127;

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

function isSame(base: Buffer, at: number, target: Buffer, wanted: number, length: number): boolean {
  return at + length <= base.length && base.compare(target, wanted, wanted + length, at, at + length) === 0;
}

function compareKeys(base: Buffer, other: EntryBounds, target: Buffer, entry: EntryBounds): number {
  const [a, b] = [entryOf(base, other), entryOf(target, entry)];
  const [before, after] = [sortKey(a.name, a.mode), sortKey(b.name, b.mode)];
  return before === after ? 0 : before < after ? -1 : 1;
}

/** Collects instructions, and makes one of those that follow each other without a gap. */
class DeltaWriter {
  readonly #parts: Buffer[] = [];
  readonly #target: Buffer;
  #copied = { from: 0, length: 0 };
  #inserted = { from: 0, to: 0 };

  constructor(base: Buffer, target: Buffer) {
    this.#target = target;
    this.#parts.push(encodeSize(base.length), encodeSize(target.length));
  }

  copy(from: number, length: number): void {
    this.#flushInserted();
    if (this.#copied.from + this.#copied.length === from) this.#copied.length += length;
    else {
      this.#flushCopied();
      this.#copied = { from, length };
    }
  }

  /** What lies there in the target. */
  insert(from: number, to: number): void {
    this.#flushCopied();
    if (this.#inserted.to === from) this.#inserted.to = to;
    else {
      this.#flushInserted();
      this.#inserted = { from, to };
    }
  }

  finish(): Buffer {
    this.#flushCopied();
    this.#flushInserted();
    return Buffer.concat(this.#parts);
  }

  #flushCopied(): void {
    const { from, length } = this.#copied;
    for (let done = 0; done < length; done += MOST_COPIED) {
      const part = Math.min(MOST_COPIED, length - done);
      this.#parts.push(encodeCopy(from + done, part));
    }
    this.#copied = { from: 0, length: 0 };
  }

  #flushInserted(): void {
    const { from, to } = this.#inserted;
    for (let at = from; at < to; at += MOST_INSERTED) {
      const part = this.#target.subarray(at, Math.min(to, at + MOST_INSERTED));
      this.#parts.push(Buffer.from([part.length]), part);
    }
    this.#inserted = { from: 0, to: 0 };
  }
}

function encodeSize(size: number): Buffer {
  const bytes: number[] = [];
  for (let rest = size; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** Of both numbers only those bytes are written that are not zero. */
function encodeCopy(from: number, length: number): Buffer {
  const bytes: number[] = [];
  let present = 0x80;
  for (let index = 0; index < 7; index += 1) {
    const byte = Math.floor((index < 4 ? from : length) / 256 ** (index % 4)) & 0xff;
    if (byte === 0) continue;
    present |= 1 << index;
    bytes.push(byte);
  }
  return Buffer.from([present, ...bytes]);
}
