import { createHash } from 'node:crypto';
import type { FileView } from '../file-access.ts';
import { CHECKSUM_BYTES, PACK_HEADER_BYTES } from './pack-entry.ts';

export interface PackIndexEntry {
  readonly id: Buffer;
  /** Of the entry as it stands in the pack, header and compressed bytes. */
  readonly crc32: number;
  readonly offset: number;
}

/** Where the objects of a pack are, looked up in the file itself: no more than a 256th of the ids is in memory at a time. */
export interface PackIndex {
  readonly count: number;
  readonly packChecksum: Buffer;
  /** Where the entry of an object begins. */
  offsetOf(id: Buffer): Promise<number | undefined>;
  close(): Promise<void>;
}

const MAGIC = 0xff744f63;
const HEADER_BYTES = 8;
const FANOUT_BYTES = 256 * 4;
const IDS_AT = HEADER_BYTES + FANOUT_BYTES;
const LARGE_OFFSET = 0x80000000;

/** @throws {Error} where it is not a whole index of version 2 */
export async function openPackIndex(file: FileView): Promise<PackIndex> {
  const head = await file.read(0, IDS_AT);
  if (head.readUInt32BE(0) !== MAGIC || head.readUInt32BE(4) !== 2) throw new Error('it is not an index of version 2');
  const fanout = Array.from({ length: 256 }, (_, index) => head.readUInt32BE(HEADER_BYTES + 4 * index));
  if (fanout.some((end, index) => end < (fanout[index - 1] ?? 0))) throw new Error('its table is not in order');
  const count = fanout[255] ?? 0;
  const offsetsAt = IDS_AT + (CHECKSUM_BYTES + 4) * count;
  const largeAt = offsetsAt + 4 * count;
  const trailerAt = file.size - 2 * CHECKSUM_BYTES;
  const large = (trailerAt - largeAt) / 8;
  if (!Number.isInteger(large) || large < 0 || large > count) throw new Error('it is cut off');
  const packChecksum = await file.read(trailerAt, CHECKSUM_BYTES);

  return {
    count,
    packChecksum,
    async offsetOf(id) {
      const bucket = id[0] ?? 0;
      const first = fanout[bucket - 1] ?? 0;
      const ids = await file.read(IDS_AT + CHECKSUM_BYTES * first, CHECKSUM_BYTES * ((fanout[bucket] ?? 0) - first));
      const position = search(ids, id);
      if (position === undefined) return undefined;
      const offset = (await file.read(offsetsAt + 4 * (first + position), 4)).readUInt32BE(0);
      if (offset < LARGE_OFFSET) return offset;
      if (offset - LARGE_OFFSET >= large) throw new Error('an offset is out of range');
      return Number((await file.read(largeAt + 8 * (offset - LARGE_OFFSET), 8)).readBigUInt64BE(0));
    },
    close: () => file.close(),
  };
}

/** All of a small index at once. @throws {Error} where it is not whole */
export function parsePackIndex(bytes: Buffer): {
  readonly packChecksum: Buffer;
  readonly objects: { readonly id: string; readonly offset: number }[];
} {
  const sum = createHash('sha1').update(bytes.subarray(0, -CHECKSUM_BYTES)).digest();
  if (bytes.length < IDS_AT + 2 * CHECKSUM_BYTES || !sum.equals(bytes.subarray(-CHECKSUM_BYTES))) {
    throw new Error('the index is damaged');
  }
  const count = bytes.readUInt32BE(IDS_AT - 4);
  const offsetsAt = IDS_AT + (CHECKSUM_BYTES + 4) * count;
  const objects = Array.from({ length: count }, (_, position) => {
    const idAt = IDS_AT + CHECKSUM_BYTES * position;
    const offset = bytes.readUInt32BE(offsetsAt + 4 * position);
    if (offset >= LARGE_OFFSET) throw new Error('the pack is too large');
    return { id: bytes.toString('hex', idAt, idAt + CHECKSUM_BYTES), offset };
  });
  return { packChecksum: bytes.subarray(-2 * CHECKSUM_BYTES, -CHECKSUM_BYTES), objects };
}

function search(ids: Buffer, id: Buffer): number | undefined {
  let low = 0;
  let high = ids.length / CHECKSUM_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = id.compare(ids, middle * CHECKSUM_BYTES, (middle + 1) * CHECKSUM_BYTES);
    if (order === 0) return middle;
    if (order < 0) high = middle;
    else low = middle + 1;
  }
  return undefined;
}

/** Writes an index, version 2, of a pack smaller than 2 GiB. */
export function encodePackIndex(entries: readonly PackIndexEntry[], packChecksum: Buffer): Buffer {
  const sorted = [...entries].sort((a, b) => a.id.compare(b.id));
  const count = sorted.length;
  const crcsAt = IDS_AT + CHECKSUM_BYTES * count;
  const offsetsAt = crcsAt + 4 * count;
  const index = Buffer.alloc(offsetsAt + 4 * count + 2 * CHECKSUM_BYTES);
  index.writeUInt32BE(MAGIC, 0);
  index.writeUInt32BE(2, 4);
  const counts = new Uint32Array(256);
  for (const [position, { id, crc32, offset }] of sorted.entries()) {
    if (offset < PACK_HEADER_BYTES || offset >= LARGE_OFFSET)
      throw new RangeError('A pack has to be smaller than 2 GiB.');
    counts[id[0] ?? 0] = position + 1;
    id.copy(index, IDS_AT + CHECKSUM_BYTES * position);
    index.writeUInt32BE(crc32, crcsAt + 4 * position);
    index.writeUInt32BE(offset, offsetsAt + 4 * position);
  }
  let end = 0;
  for (const [bucket, last] of counts.entries()) {
    end = Math.max(end, last);
    index.writeUInt32BE(end, HEADER_BYTES + 4 * bucket);
  }
  packChecksum.copy(index, index.length - 2 * CHECKSUM_BYTES);
  const summed = index.subarray(0, -CHECKSUM_BYTES);
  createHash('sha1').update(summed).digest().copy(index, summed.length);
  return index;
}
