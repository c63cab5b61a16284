import { createHash } from 'node:crypto';
import { corrupt } from './git-errors.ts';
import { compress, type GitObject } from './git-object.ts';

const TYPE_BITS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
const HEADER_BYTES = 12;
const TRAILER_BYTES = 20;

/** Writes a pack, version 2, of whole objects. */
export async function encodePack(objects: readonly GitObject[]): Promise<Buffer> {
  const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('PACK', 'latin1');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(unique.length, 8);
  const entries = await Promise.all(
    unique.map(async (object) => Buffer.concat([entryHeader(object), await compress(object, object.content)])),
  );
  const body = Buffer.concat([header, ...entries]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

/** How many objects a pack has, once it is known to be whole. @throws {CaelusError} `STORE_CORRUPT` */
export function packObjectCount(pack: Buffer): number {
  const isPack = pack.length >= HEADER_BYTES + TRAILER_BYTES && pack.toString('latin1', 0, 4) === 'PACK';
  const sum = isPack ? createHash('sha1').update(pack.subarray(0, -TRAILER_BYTES)).digest('hex') : '';
  if (!isPack || sum !== packTrailer(pack)) throw corrupt('pack', 'A pack from the remote is damaged. Try again.');
  return pack.readUInt32BE(8);
}

/** The checksum at the end of a pack, which also names it. */
export function packTrailer(pack: Buffer): string {
  return pack.subarray(-TRAILER_BYTES).toString('hex');
}

/** Type and size: four bits of the size in the first byte, then seven in each, least significant first. */
function entryHeader({ type, content }: GitObject): Buffer {
  const bytes: number[] = [];
  let byte = (TYPE_BITS[type] << 4) | (content.length & 0x0f);
  for (let rest = Math.floor(content.length / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}
