import { corrupt } from './git-errors.ts';
import type { ObjectType } from './git-object.ts';
import type { StoredObject } from './pack/open-pack.ts';

export interface ObjectReader {
  /** @throws {CaelusError} `STORE_CORRUPT` where the object is there but cannot be read */
  find(id: string): Promise<StoredObject | undefined>;
  /** @throws {CaelusError} `STORE_CORRUPT` where it is missing or of another type */
  read(id: string, type: ObjectType): Promise<Buffer>;
}

export interface CachingObjectReader extends ObjectReader {
  /** Keeps an object that was not looked up but made, as though it had been. */
  remember(id: string, object: StoredObject): void;
  /** Gives up the memory of an object. It can still be looked up. */
  forget(id: string): void;
}

/** How much of the trees and commits that were read last stays in memory. They are looked up by id, so never out of date. */
const CACHE_BYTES = 32 * 1024 * 1024;
/** What an object takes beside its content. */
const OVERHEAD_BYTES = 512;

/** Looks up objects that are not in its memory. */
export function createObjectReader(lookup: (id: string) => Promise<StoredObject | undefined>): CachingObjectReader {
  const cached = new Map<string, StoredObject>();
  let cachedBytes = 0;

  function remember(id: string, { type, content }: StoredObject): void {
    if (type === 'blob' || content.length > CACHE_BYTES / 2 || cached.has(id)) return;
    cached.set(id, { type, content: withMemoryOfItsOwn(content) });
    cachedBytes += sizeOf(content);
    for (const oldest of cached.keys()) {
      if (cachedBytes <= CACHE_BYTES) break;
      forget(oldest);
    }
  }

  function forget(id: string): void {
    const object = cached.get(id);
    if (object === undefined) return;
    cached.delete(id);
    cachedBytes -= sizeOf(object.content);
  }

  async function find(id: string): Promise<StoredObject | undefined> {
    const known = cached.get(id);
    if (known !== undefined) {
      // Moved to the end: the least recently used is the first to go.
      cached.delete(id);
      cached.set(id, known);
      return known;
    }
    const found = await lookup(id);
    if (found !== undefined) remember(id, found);
    return found;
  }

  return {
    find,
    remember,
    forget,

    async read(id, type) {
      const object = await find(id);
      if (object === undefined)
        throw corrupt(id, `The ${type} ${id} is not in the repository. Run git fsck, or clone anew.`);
      if (object.type !== type)
        throw corrupt(id, `Object ${id} is a ${object.type} where a ${type} was expected. Run git fsck.`);
      return object.content;
    },
  };
}

/** Small buffers are cut out of larger ones, which stay in memory as long as any of them does. */
function withMemoryOfItsOwn(content: Buffer): Buffer {
  if (content.buffer.byteLength < 2 * content.length) return content;
  const copy = Buffer.allocUnsafeSlow(content.length);
  content.copy(copy);
  return copy;
}

/** A fifth more, because where the entries of a tree are is remembered with it. */
function sizeOf(content: Buffer): number {
  return 1.2 * content.length + OVERHEAD_BYTES;
}
