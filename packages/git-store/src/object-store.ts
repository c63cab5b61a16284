import { expandBytes } from './compression.ts';
import type { Durability, FileAccess, Replacement } from './file-access.ts';
import { corrupt } from './git-errors.ts';
import { type GitObject, type ObjectType, objectId } from './git-object.ts';
import { createObjectReader, type ObjectReader } from './object-reader.ts';
import type { EncodedPack } from './pack/encode-pack.ts';
import type { StoredObject } from './pack/open-pack.ts';
import type { PackDirectory } from './pack/pack-directory.ts';
import { type PackReceiver, receivePack } from './pack/receive-pack.ts';

export interface ObjectStore extends ObjectReader {
  /**
   * Writes a pack of these objects durably, then runs `body`, which makes a branch lead to them. Until that is done, no
   * garbage collection takes the pack away. What is given as `beside` is made durable at the same time.
   */
  write<T>(
    objects: readonly GitObject[],
    pack: EncodedPack,
    body: () => Promise<T>,
    beside?: readonly Replacement[],
  ): Promise<T>;
  /** Takes in a complete pack that a remote sends. */
  receivePack(): Promise<PackReceiver>;
}

export function createObjectStore(
  files: FileAccess,
  gitdir: string,
  packs: PackDirectory,
  durability: Durability = 'strict',
): ObjectStore {
  async function lookUp(id: string): Promise<StoredObject | undefined> {
    const damage: unknown[] = [];
    // Maintenance moves objects while they are looked for: into other packs, and between packs and files.
    let version: number;
    do {
      version = packs.version;
      const found = (await packs.find(id, damage)) ?? (await findLoose(id, damage));
      if (found !== undefined) return found;
      await packs.scan();
    } while (packs.version !== version);
    // A damaged pack may have been the one that held it.
    if (damage.length === 0) return undefined;
    const message = `Object ${id} of the repository cannot be read. Run git fsck to see what is damaged.`;
    throw corrupt(id, message, damage[0]);
  }

  async function findLoose(id: string, damage: unknown[]): Promise<StoredObject | undefined> {
    const bytes = await files.read(`${gitdir}/objects/${id.slice(0, 2)}/${id.slice(2)}`);
    try {
      return bytes === undefined ? undefined : await parseLoose(id, bytes);
    } catch (error) {
      damage.push(error);
      return undefined;
    }
  }

  const reader = createObjectReader(lookUp);
  return {
    find: reader.find,
    read: reader.read,

    async write(objects, pack, body, beside = []) {
      const remembered = () => {
        for (const object of objects) {
          reader.remember(object.id, object);
          // Of a directory with ten thousands of entries, one version is enough to keep.
          if (object.previous !== undefined) reader.forget(object.previous);
        }
        return body();
      };
      return packs.write(pack, durability, remembered, beside);
    },

    receivePack: () => receivePack(files, packs.path, durability),
  };
}

/** Reads an object that stock Git has written into a file of its own. @throws {Error} where it is damaged */
async function parseLoose(id: string, bytes: Buffer): Promise<StoredObject> {
  const stored = await expandBytes(bytes);
  const end = stored.indexOf(0);
  const [, type, size] = /^(commit|tree|blob|tag) (\d+)$/.exec(stored.toString('latin1', 0, end)) ?? [];
  const content = stored.subarray(end + 1);
  if (type === undefined || Number(size) !== content.length || objectId(type as ObjectType, content) !== id) {
    throw new Error('an object is not what its name says');
  }
  return { type: type as ObjectType, content };
}
