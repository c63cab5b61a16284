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
}

/** How much of the trees and commits that were read last stays in memory. They are looked up by id, so never out of date. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** Looks up objects that are not in its memory. */
export function createObjectReader(lookup: (id: string) => Promise<StoredObject | undefined>): CachingObjectReader {
  const cached = new Map<string, StoredObject>();
  let cachedBytes = 0;

  function remember(id: string, object: StoredObject): void {
    if (object.type === 'blob' || object.content.length > CACHE_BYTES / 4 || cached.has(id)) return;
    cached.set(id, object);
    cachedBytes += object.content.length;
    for (const [oldest, { content }] of cached) {
      if (cachedBytes <= CACHE_BYTES) break;
      cached.delete(oldest);
      cachedBytes -= content.length;
    }
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
