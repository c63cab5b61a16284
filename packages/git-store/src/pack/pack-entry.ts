import type { ObjectType } from '../git-object.ts';

export const PACK_HEADER_BYTES = 12;
export const CHECKSUM_BYTES = 20;

const TYPES = [undefined, 'commit', 'tree', 'blob', 'tag'] as const;
const OFS_DELTA = 6;
const REF_DELTA = 7;

/** What stands before the compressed bytes of an entry. */
export interface PackEntryHeader {
  readonly kind: ObjectType | 'delta';
  /** Of what the compressed bytes expand to. */
  readonly size: number;
  /** Bytes of the header itself. */
  readonly length: number;
  /** Of a delta: where its base is in the same pack, or which object it is. */
  readonly base: { readonly offset: number } | { readonly id: Buffer } | undefined;
}

/** Reads the header of the entry at `offset` of a pack; `bytes` begins there. */
export function parseEntryHeader(bytes: Buffer, offset: number): PackEntryHeader {
  let at = 0;
  const next = () => bytes.readUInt8(at++);
  let byte = next();
  const type = (byte >> 4) & 7;
  let size = byte & 0x0f;
  for (let scale = 16; byte & 0x80; scale *= 128) {
    byte = next();
    size += (byte & 0x7f) * scale;
  }
  if (size > 0x7fffffff) throw new Error('an object is larger than 2 GiB');
  if (type === OFS_DELTA) {
    byte = next();
    let distance = byte & 0x7f;
    while (byte & 0x80) {
      byte = next();
      distance = (distance + 1) * 128 + (byte & 0x7f);
    }
    if (distance <= 0 || distance > offset - PACK_HEADER_BYTES)
      throw new Error('the base of a delta is not in the pack');
    return { kind: 'delta', size, length: at, base: { offset: offset - distance } };
  }
  if (type === REF_DELTA) {
    if (bytes.length < at + CHECKSUM_BYTES) throw new Error('an entry is cut off');
    const id = bytes.subarray(at, at + CHECKSUM_BYTES);
    return { kind: 'delta', size, length: at + CHECKSUM_BYTES, base: { id } };
  }
  const kind = TYPES[type];
  if (kind === undefined) throw new Error('an entry has an unknown type');
  return { kind, size, length: at, base: undefined };
}

export function encodeEntryHeader(type: ObjectType, size: number): Buffer {
  return encodeTypeAndSize(TYPES.indexOf(type), size);
}

/** The header of a delta whose base is named by its id, and may stand anywhere in the pack. */
export function encodeDeltaHeader(baseId: string, size: number): Buffer {
  return Buffer.concat([encodeTypeAndSize(REF_DELTA, size), Buffer.from(baseId, 'hex')]);
}

/** Four bits of the size in the first byte, then seven in each, least significant first. */
function encodeTypeAndSize(type: number, size: number): Buffer {
  const bytes: number[] = [];
  let byte = (type << 4) | (size & 0x0f);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}
