import { dirname } from 'node:path/posix';
import { codeOf, type FileAccess, type GitFileSystem, isMissing, nonce, viewOf } from './file-access.ts';

/** A file system that was given, such as memfs. It keeps its own promises: there is nothing to sync. */
export function createInjectedFiles({ promises }: GitFileSystem): FileAccess {
  async function inDirectoryOf<T>(path: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      // Git removes directories that have become empty, so one that was there may be gone.
      if (!isMissing(error)) throw error;
      await promises.mkdir(dirname(path), { recursive: true });
      return action();
    }
  }

  const writeNew = (path: string, bytes: Uint8Array) =>
    inDirectoryOf(path, () => promises.writeFile(path, bytes, { flag: 'wx' }));

  const files: FileAccess = {
    durable: false,

    async read(path) {
      try {
        return Buffer.from(await promises.readFile(path));
      } catch (error) {
        // A directory that a ref has left behind is no ref.
        if (isMissing(error) || codeOf(error) === 'EISDIR') return undefined;
        throw error;
      }
    },

    async open(path) {
      const bytes = await files.read(path);
      return bytes === undefined ? undefined : viewOf(bytes);
    },

    async openNew(path) {
      const parts: Uint8Array[] = [];
      return {
        write: async (bytes) => void parts.push(Uint8Array.from(bytes)),
        close: () => writeNew(path, Buffer.concat(parts)).then(() => {}),
      };
    },

    async list(directory) {
      try {
        // Without options, every implementation returns names.
        return (await promises.readdir(directory)) as readonly string[];
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },

    async modifiedAt(path) {
      try {
        return Number((await promises.stat(path)).mtimeMs);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async makeDirectory(directory) {
      await promises.mkdir(directory, { recursive: true });
    },

    replace: (path, bytes) => files.replaceAll([{ path, parts: [bytes], prefix: 'tmp_caelus_' }]),

    async replaceAll(replacements) {
      const written: string[] = [];
      try {
        for (const { path, parts, prefix } of replacements) {
          const temporary = `${dirname(path)}/${prefix}${nonce()}`;
          written.push(temporary);
          await writeNew(temporary, Buffer.concat(parts));
        }
        for (const [index, { path }] of replacements.entries()) await promises.rename(written[index] ?? '', path);
      } catch (error) {
        // Those that have their names already are not found here.
        await Promise.all(written.map(files.remove));
        throw error;
      }
    },

    async create(path, bytes) {
      try {
        await writeNew(path, bytes);
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      }
    },

    async mark(path, bytes) {
      await inDirectoryOf(path, () => promises.writeFile(path, bytes));
    },

    async rename(from, to) {
      await inDirectoryOf(to, () => promises.rename(from, to));
    },

    async remove(path) {
      try {
        await promises.unlink(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },

    async syncDirectories() {},
  };
  return files;
}
