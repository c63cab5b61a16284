import { dirname } from 'node:path/posix';
import { indexPack, readObject } from 'isomorphic-git';
import type { FileAccess } from './file-access.ts';
import { corrupt } from './git-errors.ts';
import { compress, type GitObject, type ObjectType, objectHeader } from './git-object.ts';
import { packObjectCount, packTrailer } from './git-pack.ts';

export interface StoredObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

export interface ObjectStore {
  /** @throws {CaelusError} `STORE_CORRUPT` where the object is there but cannot be read */
  find(id: string): Promise<StoredObject | undefined>;
  /** @throws {CaelusError} `STORE_CORRUPT` where it is missing or of another type */
  read(id: string, type: ObjectType): Promise<Buffer>;
  /** Writes loose objects, durably and each in one step. */
  write(objects: readonly GitObject[]): Promise<void>;
  /** Takes in a complete pack that a remote has sent. */
  addPack(pack: Buffer): Promise<void>;
  /** Forgets packs that maintenance has removed. */
  refresh(): Promise<void>;
}

/** How much of the trees and commits that were read last stays in memory. They are looked up by id, so never out of date. */
const CACHE_BYTES = 64 * 1024 * 1024;
const PARALLEL_WRITES = 16;

export function createObjectStore(files: FileAccess, gitdir: string): ObjectStore {
  const cached = new Map<string, StoredObject>();
  let cachedBytes = 0;
  // isomorphic-git keeps indexes and whole packs here, and never drops one.
  let packCache: object = {};
  let packNames: readonly string[] = [];

  function remember(id: string, object: StoredObject): StoredObject {
    if (object.type === 'blob' || object.content.length > CACHE_BYTES / 4 || cached.has(id)) return object;
    cached.set(id, object);
    cachedBytes += object.content.length;
    for (const [oldest, { content }] of cached) {
      if (cachedBytes <= CACHE_BYTES) break;
      cached.delete(oldest);
      cachedBytes -= content.length;
    }
    return object;
  }

  async function find(id: string): Promise<StoredObject | undefined> {
    const known = cached.get(id);
    if (known !== undefined) {
      // Moved to the end: the least recently used is the first to go.
      cached.delete(id);
      cached.set(id, known);
      return known;
    }
    try {
      const { type, object } = await readObject({
        fs: files.isomorphic,
        gitdir,
        oid: id,
        format: 'content',
        cache: packCache,
      });
      return remember(id, { type: type as ObjectType, content: Buffer.from(object as Uint8Array) });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'NotFoundError') return undefined;
      throw corrupt(id, `Object ${id} of the repository cannot be read. Run git fsck to see what is damaged.`, error);
    }
  }

  function loosePath(id: string): string {
    return `${gitdir}/objects/${id.slice(0, 2)}/${id.slice(2)}`;
  }

  async function writeLoose(objects: readonly GitObject[]): Promise<void> {
    // Also one that is there already: this way a damaged file is repaired, and a garbage collection leaves it alone.
    const writeOne = async (object: GitObject): Promise<void> => {
      const stored = Buffer.concat([objectHeader(object.type, object.content), object.content]);
      // Git's own prefix, so that its maintenance removes what a crash leaves.
      await files.replace(loosePath(object.id), await compress(object, stored), 'tmp_obj_');
      remember(object.id, { type: object.type, content: Buffer.from(object.content) });
    };
    for (let at = 0; at < objects.length; at += PARALLEL_WRITES) {
      await Promise.all(objects.slice(at, at + PARALLEL_WRITES).map(writeOne));
    }
    await files.syncDirectories([`${gitdir}/objects`, ...objects.map(({ id }) => dirname(loosePath(id)))]);
  }

  return {
    find,

    async read(id, type) {
      const object = await find(id);
      if (object === undefined)
        throw corrupt(id, `The ${type} ${id} is not in the repository. Run git fsck, or clone anew.`);
      if (object.type !== type)
        throw corrupt(id, `Object ${id} is a ${object.type} where a ${type} was expected. Run git fsck.`);
      return object.content;
    },

    async write(objects) {
      const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
      // A commit comes after all that it leads to is durable: whoever finds it may rely on having the rest.
      await writeLoose(unique.filter(({ type }) => type !== 'commit'));
      await writeLoose(unique.filter(({ type }) => type === 'commit'));
    },

    async addPack(pack) {
      const count = packObjectCount(pack);
      if (count === 0) return;
      const directory = `${gitdir}/objects/pack`;
      const filepath = `pack-${packTrailer(pack)}.pack`;
      await files.replace(`${directory}/${filepath}`, pack, 'tmp_pack_');
      // Without its index nobody sees a pack, so a crash in between leaves only a file for gc to remove.
      const { oids } = await indexPack({ fs: files.isomorphic, dir: directory, gitdir, filepath, cache: packCache });
      await files.syncDirectories([directory]);
      if (oids.length !== count)
        throw corrupt(filepath, 'A pack from the remote is incomplete. Remove the directory and start again.');
    },

    async refresh() {
      const names = (await files.list(`${gitdir}/objects/pack`)).filter((name) => name.endsWith('.idx'));
      if (packNames.some((name) => !names.includes(name))) packCache = {};
      packNames = names;
    },
  };
}
