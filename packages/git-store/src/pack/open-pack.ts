import { expandExactly } from '../compression.ts';
import type { FileAccess, FileView } from '../file-access.ts';
import { type ObjectType, objectId } from '../git-object.ts';
import { applyDelta } from './pack-delta.ts';
import { CHECKSUM_BYTES, PACK_HEADER_BYTES, type PackEntryHeader, parseEntryHeader } from './pack-entry.ts';
import { openPackIndex, type PackIndex } from './pack-index.ts';

export interface StoredObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

/** A pack that is read by position, never as a whole. */
export interface Pack {
  /** @throws {Error} where the object is there but damaged */
  read(id: string): Promise<StoredObject | undefined>;
  close(): Promise<void>;
}

/** Git's own writers stop at 4,095. */
const MOST_DELTAS = 4096;
const FIRST_READ_BYTES = 4096;
const SLACK_BYTES = 64;

/**
 * Opens the pack at `path` (without an extension); `undefined` where it, or its index, is gone.
 * @throws {Error} where it is damaged: cut off, or not the pack of its index
 */
export async function openPack(files: FileAccess, path: string): Promise<Pack | undefined> {
  const indexFile = await files.open(`${path}.idx`);
  if (indexFile === undefined) return undefined;
  const packFile = await files.open(`${path}.pack`).catch(async (error: unknown) => {
    await indexFile.close();
    throw error;
  });
  try {
    if (packFile !== undefined) {
      const index = await openPackIndex(indexFile);
      await checkPack(packFile, index);
      return createPack(index, packFile);
    }
  } catch (error) {
    await Promise.all([indexFile.close(), packFile?.close()]);
    throw error;
  }
  await indexFile.close();
  return undefined;
}

/** A pack that is cut off does not end with the checksum that its index has. */
async function checkPack(pack: FileView, index: PackIndex): Promise<void> {
  const header = await pack.read(0, PACK_HEADER_BYTES);
  const trailer = await pack.read(pack.size - CHECKSUM_BYTES, CHECKSUM_BYTES);
  const isPack = header.toString('latin1', 0, 4) === 'PACK' && [2, 3].includes(header.readUInt32BE(4));
  if (!isPack || header.readUInt32BE(8) !== index.count || !trailer.equals(index.packChecksum)) {
    throw new Error('the pack is damaged');
  }
}

function createPack(index: PackIndex, file: FileView): Pack {
  /** At most this far: the checksum is no part of an entry. */
  const end = file.size - CHECKSUM_BYTES;

  async function readEntry(offset: number): Promise<{ readonly header: PackEntryHeader; readonly content: Buffer }> {
    const rest = end - offset;
    const first = await file.read(offset, Math.min(FIRST_READ_BYTES, rest));
    const header = parseEntryHeader(first, offset);
    // As large as zlib makes of it at worst. Where that is not enough, what is left of the pack is.
    const most = Math.min(header.length + header.size + Math.ceil(header.size / 1000) + SLACK_BYTES, rest);
    const bytes = first.length >= most ? first : await file.read(offset, most);
    try {
      return { header, content: await expandExactly(bytes.subarray(header.length), header.size) };
    } catch (error) {
      if (bytes.length === rest || !isCutOff(error)) throw error;
      const all = await file.read(offset + header.length, rest - header.length);
      return { header, content: await expandExactly(all, header.size) };
    }
  }

  async function baseOffset({ base }: PackEntryHeader): Promise<number> {
    if (base === undefined) throw new Error('an entry is no delta');
    const offset = 'offset' in base ? base.offset : await index.offsetOf(base.id);
    if (offset === undefined) throw new Error('the base of a delta is not in the pack');
    return offset;
  }

  return {
    async read(id) {
      const start = await index.offsetOf(Buffer.from(id, 'hex'));
      if (start === undefined) return undefined;
      const deltas: Buffer[] = [];
      let entry = await readEntry(start);
      while (entry.header.kind === 'delta') {
        if (deltas.push(entry.content) > MOST_DELTAS) throw new Error('a chain of deltas has no end');
        entry = await readEntry(await baseOffset(entry.header));
      }
      const type = entry.header.kind;
      const content = deltas.reduceRight(applyDelta, entry.content);
      if (objectId(type, content) !== id) throw new Error('an object is not what its name says');
      return { type, content };
    },
    async close() {
      await Promise.all([index.close(), file.close()]);
    },
  };
}

function isCutOff(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
}
