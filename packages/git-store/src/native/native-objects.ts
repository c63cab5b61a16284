import type { CaelusError } from '@caelus/core';
import type { Durability, FileAccess } from '../file-access.ts';
import { corrupt, unavailable } from '../git-errors.ts';
import { type ObjectType, objectId } from '../git-object.ts';
import { createObjectReader } from '../object-reader.ts';
import type { ObjectStore } from '../object-store.ts';
import type { StoredObject } from '../pack/open-pack.ts';
import type { GitProgram } from './git-program.ts';
import type { PackWriter } from './pack-writer.ts';
import { createPlumbing, PlumbingError } from './plumbing.ts';

export interface NativeObjectStore extends ObjectStore {
  close(): Promise<void>;
}

export interface NativeObjectStoreOptions {
  readonly git: GitProgram;
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly durability: Durability;
  readonly writePack: PackWriter;
}

const OBJECT_ID = /^[0-9a-f]{40}$/;
/** Each time that packs are moved while an object is looked for. */
const LOOKS = 20;
/** What is larger has no place in a repository that Caelus writes, and is not read into memory. */
const MOST_BYTES = 256 * 1024 * 1024;

/** Reads objects by a long-lived `git cat-file --batch`. */
export function createNativeObjectStore({
  git,
  files,
  gitdir,
  durability,
  writePack,
}: NativeObjectStoreOptions): NativeObjectStore {
  const plumbing = createPlumbing(git, ['cat-file', '--batch']);

  async function ask(id: string): Promise<StoredObject | undefined> {
    try {
      return await plumbing.ask(Buffer.from(`${id}\n`), async (answer) => {
        const header = await answer.line();
        if (header === `${id} missing`) return undefined;
        const [, type, size] = /^[0-9a-f]{40} (commit|tree|blob|tag) (\d+)$/.exec(header) ?? [];
        if (type === undefined) throw new PlumbingError({ isGivenUp: true });
        if (Number(size) > MOST_BYTES) throw corrupt(id, `Object ${id} is too large to be read: it has ${size} bytes.`);
        const content = await answer.bytes(Number(size));
        await answer.bytes(1);
        // Git checks what it reads from a pack no further than its checksum.
        if (objectId(type as ObjectType, content) !== id) throw new PlumbingError({ isGivenUp: true });
        return { type: type as ObjectType, content };
      });
    } catch (error) {
      if (!(error instanceof PlumbingError)) throw error;
      throw error.isGivenUp ? unreadable(id, error) : unavailable(gitdir, 'git cat-file ends.', error);
    }
  }

  async function lookUp(id: string): Promise<StoredObject | undefined> {
    // Anything else would be taken for a revision.
    if (!OBJECT_ID.test(id)) return undefined;
    const found = await ask(id);
    if (found !== undefined) return found;
    // Git says the same of an object in a damaged pack, and of one in packs that are being folded. A process that has not looked
    // yet tells them apart by its complaints, as long as nobody moves packs meanwhile.
    for (let attempt = 0; ; attempt += 1) {
      const packs = await listPacks();
      const { code, stderr } = await git.run(['cat-file', '-t', id]);
      if (code === 0) {
        await plumbing.end();
        const again = await ask(id);
        if (again !== undefined) return again;
      }
      if ((await listPacks()) !== packs && attempt < LOOKS) continue;
      if (/^error: /m.test(stderr)) throw unreadable(id);
      return undefined;
    }
  }

  async function listPacks(): Promise<string> {
    const names = await files.list(`${gitdir}/objects/pack`);
    return names
      .filter((name) => name.endsWith('.idx'))
      .toSorted()
      .join();
  }

  const { find, read } = createObjectReader(lookUp);
  return {
    find,
    read,

    // A tag is what comes here. Of a commit, all is in the directory already.
    async write(objects, _pack, body, beside = []) {
      await files.replaceAll(beside, durability);
      return writePack(objects, body);
    },
    // What is fetched lies in the directory already.
    receivePack: async () => ({ async write() {}, async finish() {}, async [Symbol.asyncDispose]() {} }),
    close: () => plumbing.end(),
  };
}

function unreadable(id: string, cause?: unknown): CaelusError<'STORE_CORRUPT'> {
  return corrupt(id, `Object ${id} of the repository cannot be read. Run git fsck to see what is damaged.`, cause);
}
