import { crc32, inflateSync, type Zlib } from 'node:zlib';
import type { FileView } from '../file-access.ts';
import { type ObjectType, objectId } from '../git-object.ts';
import { applyDelta } from './pack-delta.ts';
import { CHECKSUM_BYTES, PACK_HEADER_BYTES, type PackEntryHeader, parseEntryHeader } from './pack-entry.ts';
import type { PackIndexEntry } from './pack-index.ts';

/** So much is read at once; an entry that is larger is read as a whole. */
const WINDOW_BYTES = 1024 * 1024;
/** The longest header of an entry: its size, and the id of a base. */
const HEADER_BYTES = 32;
const SLACK_BYTES = 64;
/** One of header, and an empty zlib stream. */
const LEAST_ENTRY_BYTES = 9;

/** An entry that is a delta, until its base is known. */
interface Delta {
  readonly offset: number;
  readonly crc32: number;
}

/**
 * Finds out what a pack has, and where, by reading all of it once and the bases of deltas once more. In memory are the part
 * that is read, and the objects on the way from a base to a delta; so it does not grow with the pack.
 * @throws {Error} where an entry is damaged, or a delta has no base in the pack
 */
export async function indexPack(file: FileView): Promise<readonly PackIndexEntry[]> {
  const end = file.size - CHECKSUM_BYTES;
  const count = (await file.read(0, PACK_HEADER_BYTES)).readUInt32BE(8);
  if (count * LEAST_ENTRY_BYTES > end) throw new Error('the pack is cut off');
  const entries: PackIndexEntry[] = [];
  /** Of their own: a piece of a buffer that Node.js shares out would keep all of it, and with it the objects of the pack. */
  const ids = Buffer.allocUnsafeSlow(count * CHECKSUM_BYTES);
  const deltas = new Map<string, Delta[]>();
  const wholes = new Map<number, string>();
  const readAt = createWindow(file, end);

  function add(id: string, crc: number, at: number): void {
    const from = entries.length * CHECKSUM_BYTES;
    ids.write(id, from, 'hex');
    entries.push({ id: ids.subarray(from, from + CHECKSUM_BYTES), crc32: crc, offset: at });
  }

  async function readEntry(offset: number): Promise<{ header: PackEntryHeader; content: Buffer; bytes: Buffer }> {
    const header = parseEntryHeader(await readAt(offset, HEADER_BYTES), offset);
    // As large as zlib makes of it at worst. Where that is not enough, what is left of the pack is.
    const most = header.length + header.size + Math.ceil(header.size / 1000) + SLACK_BYTES;
    for (const length of [most, end - offset]) {
      const bytes = await readAt(offset, length);
      const expanded = expand(bytes.subarray(header.length), header.size);
      if (expanded !== undefined) {
        return { header, content: expanded.content, bytes: bytes.subarray(0, header.length + expanded.consumed) };
      }
    }
    throw new Error('an entry is cut off');
  }

  let offset = PACK_HEADER_BYTES;
  for (let index = 0; index < count; index += 1) {
    const { header, content, bytes } = await readEntry(offset);
    if (header.kind === 'delta') {
      const key = baseKey(header);
      const known = deltas.get(key);
      const delta = { offset, crc32: crc32(bytes) };
      if (known === undefined) deltas.set(key, [delta]);
      else known.push(delta);
    } else {
      const id = objectId(header.kind, content);
      add(id, crc32(bytes), offset);
      wholes.set(offset, id);
    }
    offset += bytes.length;
  }
  if (offset !== end) throw new Error('something follows the last entry');

  /** What is made of an object by deltas, and of that in turn. */
  async function resolve(type: ObjectType, base: Buffer, at: number, id: string): Promise<void> {
    for (const key of [String(at), id]) {
      const children = deltas.get(key) ?? [];
      deltas.delete(key);
      for (const delta of children) {
        const { content } = await readEntry(delta.offset);
        const made = applyDelta(base, content);
        const madeId = objectId(type, made);
        add(madeId, delta.crc32, delta.offset);
        await resolve(type, made, delta.offset, madeId);
      }
    }
  }

  for (const [at, id] of wholes) {
    if (!deltas.has(String(at)) && !deltas.has(id)) continue;
    const { header, content } = await readEntry(at);
    if (header.kind !== 'delta') await resolve(header.kind, content, at, id);
  }
  if (deltas.size > 0) throw new Error('the base of a delta is not in the pack');
  return entries;
}

/** Bases are named by their place or by their id; forty hexadecimal digits are no place. */
function baseKey({ base }: PackEntryHeader): string {
  if (base === undefined) throw new Error('a delta has no base');
  return 'offset' in base ? String(base.offset) : base.id.toString('hex');
}

/** Reads on from where it is, a large part at a time. What it returns may be longer than asked, and shorter at the end. */
function createWindow(file: FileView, end: number): (offset: number, least: number) => Promise<Buffer> {
  let window: Buffer = Buffer.alloc(0);
  let start = 0;
  return async (offset, least) => {
    const wanted = Math.min(least, end - offset);
    if (wanted <= 0) throw new Error('an entry is cut off');
    if (offset < start || offset + wanted > start + window.length) {
      start = offset;
      window = await file.read(offset, Math.min(Math.max(wanted, WINDOW_BYTES), end - offset));
    }
    return window.subarray(offset - start);
  };
}

/** `undefined` where the bytes end too early. */
function expand(bytes: Buffer, size: number): { readonly content: Buffer; readonly consumed: number } | undefined {
  try {
    const options = { info: true, maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size + 1, 64) };
    // With `info`, which the types do not know, it also returns how far it has read.
    const { buffer, engine } = inflateSync(bytes, options) as unknown as { buffer: Buffer; engine: Zlib };
    if (buffer.length !== size) throw new Error(`${buffer.length} bytes came out where ${size} were expected`);
    return { content: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR') return undefined;
    throw error;
  }
}
