import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { compressBytes } from '../compression.ts';
import type { GitObject } from '../git-object.ts';
import { encodeEntryHeader, PACK_HEADER_BYTES } from './pack-entry.ts';
import { encodePackIndex, type PackIndexEntry } from './pack-index.ts';

/** A pack with its index, ready to be sent or written. */
export interface EncodedPack {
  /** `pack-` and the pack's checksum. */
  readonly name: string;
  /** What follows each other in it. Large objects are not copied to put them together. */
  readonly pack: readonly Buffer[];
  readonly index: Buffer;
}

/** One object as it stands in a pack. */
export interface PackEntry {
  readonly id: string;
  /** Type, size and, of a delta, base. */
  readonly head: Buffer;
  /** The compressed bytes. */
  readonly body: Buffer;
}

/**
 * A tree is two thirds hashes, which no compression makes smaller. So the large ones are stored as they are, and those that are
 * too small for it to matter.
 */
const LARGE_TREE_BYTES = 64 * 1024;
const SMALL_TREE_BYTES = 1024;

/** Makes a pack of whole objects, so that it can be read without any other. */
export async function encodeObjects(objects: readonly GitObject[]): Promise<EncodedPack> {
  return encodePack(await encodeEntries(objects));
}

/** Each object once, whole. */
export async function encodeEntries(objects: readonly GitObject[]): Promise<readonly PackEntry[]> {
  const unique = new Map(objects.map((object) => [object.id, object]));
  return Promise.all([...unique.values()].map(encodeObject));
}

export async function encodeObject({ id, type, content }: GitObject): Promise<PackEntry> {
  const isStored = content.length >= LARGE_TREE_BYTES || content.length <= SMALL_TREE_BYTES;
  const level = type === 'tree' && isStored ? 0 : 1;
  return { id, head: encodeEntryHeader(type, content.length), body: await compressBytes(content, level) };
}

/** Puts entries together, each of another object. The same entries in the same order give the same pack. */
export function encodePack(entries: readonly PackEntry[]): EncodedPack {
  const header = Buffer.alloc(PACK_HEADER_BYTES);
  header.write('PACK', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(entries.length, 8);
  const positions: PackIndexEntry[] = [];
  let offset = PACK_HEADER_BYTES;
  for (const { id, head, body } of entries) {
    positions.push({ id: Buffer.from(id, 'hex'), crc32: crc32(body, crc32(head)), offset });
    offset += head.length + body.length;
  }
  const parts = joinSmall([header, ...entries.flatMap(({ head, body }) => [head, body])]);
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  const checksum = hash.digest();
  return {
    name: `pack-${checksum.toString('hex')}`,
    pack: [...parts, checksum],
    index: encodePackIndex(positions, checksum),
  };
}

/** From this size on, a buffer is better left where it is. */
const LARGE_PART_BYTES = 64 * 1024;

function joinSmall(parts: readonly Buffer[]): readonly Buffer[] {
  const joined: Buffer[] = [];
  let small: Buffer[] = [];
  for (const part of parts) {
    if (part.length < LARGE_PART_BYTES) small.push(part);
    else {
      joined.push(Buffer.concat(small), part);
      small = [];
    }
  }
  return [...joined, Buffer.concat(small)];
}
