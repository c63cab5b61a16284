import type { Durability, FileAccess, Replacement } from '../file-access.ts';
import type { EncodedPack } from './encode-pack.ts';
import { openPack, type Pack, type StoredObject } from './open-pack.ts';

/** The packs of a repository: those of this store, of others that use the directory, and of stock Git. */
export interface PackDirectory {
  readonly path: string;
  /** How many packs are known. */
  readonly count: number;
  /** Looks in the packs that are known. What could not be read is added to `damage`. */
  find(id: string, damage: unknown[]): Promise<StoredObject | undefined>;
  /** Looks for packs that have come and gone. */
  scan(): Promise<void>;
  /** Goes up when a pack becomes known. */
  readonly version: number;
  /** Writes a pack durably. Git's garbage collection leaves it alone until `body`, which makes a branch lead to it, is done. */
  write<T>(
    pack: EncodedPack,
    durability: Durability,
    body: () => Promise<T>,
    beside?: readonly Replacement[],
  ): Promise<T>;
  close(): Promise<void>;
}

interface KnownPack {
  readonly name: string;
  opened: Promise<Pack | undefined> | undefined;
}

/** What our `.keep` files hold; those of others are theirs. */
export const KEEP_MARK: Buffer = Buffer.from('caelus: a branch is about to lead here\n');

export function createPackDirectory(files: FileAccess, gitdir: string): PackDirectory {
  const path = `${gitdir}/objects/pack`;
  /** The one that was last found to have something comes first. */
  let packs: readonly KnownPack[] = [];
  let version = 0;

  async function read(known: KnownPack, id: string): Promise<StoredObject | undefined> {
    const opened = known.opened ?? openPack(files, `${path}/${known.name}`);
    known.opened = opened;
    try {
      const pack = await opened;
      if (pack === undefined) packs = packs.filter((each) => each !== known);
      return await pack?.read(id);
    } catch (error) {
      // Closed meanwhile, because the pack is gone: whoever removed it has put its objects elsewhere.
      if (!packs.includes(known)) return undefined;
      throw error;
    }
  }

  async function close({ opened }: KnownPack): Promise<void> {
    // One that could not be opened needs no closing.
    await opened?.then(
      (pack) => pack?.close(),
      () => {},
    );
  }

  return {
    path,
    get count() {
      return packs.length;
    },
    get version() {
      return version;
    },

    async find(id, damage) {
      for (const known of packs) {
        try {
          const object = await read(known, id);
          if (object === undefined) continue;
          if (packs[0] !== known && packs.includes(known)) packs = [known, ...packs.filter((each) => each !== known)];
          return object;
        } catch (error) {
          damage.push(error);
        }
      }
      return undefined;
    },

    async scan() {
      const names = new Set(
        (await files.list(path)).filter((name) => name.endsWith('.idx')).map((name) => name.slice(0, -'.idx'.length)),
      );
      const gone = packs.filter(({ name }) => !names.has(name));
      for (const { name } of packs) names.delete(name);
      packs = [
        ...[...names].map((name): KnownPack => ({ name, opened: undefined })),
        ...packs.filter((known) => !gone.includes(known)),
      ];
      if (names.size > 0) version += 1;
      await Promise.all(gone.map(close));
    },

    async write({ name, pack, index }, durability, body, beside = []) {
      const target = `${path}/${name}`;
      await files.mark(`${target}.keep`, KEEP_MARK);
      try {
        // An index makes a pack visible, so it comes last.
        const together = [
          ...beside,
          { path: `${target}.pack`, parts: pack, prefix: 'tmp_pack_' },
          { path: `${target}.idx`, parts: [index], prefix: 'tmp_idx_' },
        ];
        await files.replaceAll(together, durability);
        if (durability === 'strict') await files.syncDirectories([path]);
        // Looked into last, because what was just written is in memory. So it is opened only if something is nowhere else.
        if (!packs.some((known) => known.name === name)) packs = [...packs, { name, opened: undefined }];
        version += 1;
        return await body();
      } finally {
        await files.remove(`${target}.keep`);
      }
    },

    async close() {
      const all = packs;
      packs = [];
      await Promise.all(all.map(close));
    },
  };
}
