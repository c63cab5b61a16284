const MOST_COPIED = 0xffffff;
const MOST_INSERTED = 127;

/** Collects instructions, and makes one of those that follow each other without a gap. */
export class DeltaWriter {
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

/** Whether both hold the same bytes there. */
export function isSame(base: Buffer, at: number, target: Buffer, wanted: number, length: number): boolean {
  return at + length <= base.length && base.compare(target, wanted, wanted + length, at, at + length) === 0;
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
