import { randomBytes } from 'node:crypto';
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path/posix';

/**
 * The part of Node's `fs` that the store uses, so that any implementation of it serves (memfs, for one). `rename` must
 * replace its target in one step, and `writeFile` must honour the flag `wx`.
 */
export interface GitFileSystem {
  readonly promises: {
    readFile(path: string): Promise<string | Uint8Array>;
    writeFile(path: string, data: Uint8Array, options?: { flag?: string }): Promise<unknown>;
    mkdir(path: string, options: { recursive: true }): Promise<unknown>;
    rename(from: string, to: string): Promise<unknown>;
    unlink(path: string): Promise<unknown>;
    readdir(path: string): Promise<unknown>;
    stat(path: string): Promise<{ readonly mtimeMs: number | bigint }>;
  };
}

/** What isomorphic-git takes for `fs.promises`. */
export interface IsomorphicFileSystem {
  readonly promises: Readonly<
    Pick<GitFileSystem['promises'], 'readFile' | 'readdir' | 'stat'> & {
      writeFile(path: string, data: Uint8Array): Promise<void>;
      lstat(path: string): Promise<unknown>;
    } & Record<'mkdir' | 'rmdir' | 'unlink' | 'readlink' | 'symlink', () => Promise<never>>
  >;
}

/** A file that is read in parts. What was opened stays readable when the file is removed. */
export interface FileView {
  readonly size: number;
  /** @throws {Error} where the file does not reach that far */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface Replacement {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Of the temporary name; such that whoever cleans up knows it. */
  readonly prefix: string;
}

/** Up to this size a file is read at once, and no handle is kept. */
const WHOLE_FILE_BYTES = 64 * 1024;

/** File operations as a repository needs them: nothing is ever seen half written. */
export interface FileAccess {
  /** Whether what was written and synced outlives a power cut. */
  readonly durable: boolean;
  /** For isomorphic-git: it reads the same files, and writes only through {@link FileAccess.replace}. */
  readonly isomorphic: IsomorphicFileSystem;
  /** `undefined` where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens a file to be read in parts; `undefined` where there is none. */
  open(path: string): Promise<FileView | undefined>;
  /** Names in a directory; empty where there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** Milliseconds since the epoch; `undefined` where there is no such file. */
  modifiedAt(path: string): Promise<number | undefined>;
  makeDirectory(directory: string): Promise<void>;
  /** Writes a temporary file beside `path`, makes it durable, and puts it in the place of `path`. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** The same for several: all are durable under temporary names before they get their own, one after the other. */
  replaceAll(replacements: readonly Replacement[]): Promise<void>;
  /** Makes the file with this content, or returns `false` where it exists. A power cut may take it away again. */
  create(path: string, bytes: Uint8Array, temporary: string): Promise<boolean>;
  /** Writes a file whose loss in a power cut does no harm, and whose content nobody reads. */
  mark(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes the names in the directories durable. */
  syncDirectories(directories: Iterable<string>): Promise<void>;
}

/** Access to the disk, with everything synced; or to an injected file system, which keeps its own promises. */
export function createFileAccess(injected?: GitFileSystem): FileAccess {
  const durable = injected === undefined;
  const { promises } = injected ?? nodeFs;

  async function writeNew(path: string, bytes: Uint8Array, { sync }: { readonly sync: boolean }): Promise<void> {
    if (!durable) {
      await promises.writeFile(path, bytes, { flag: 'wx' });
      return;
    }
    const file = await nodeFs.promises.open(path, 'wx');
    try {
      await file.writeFile(bytes);
      if (sync) await file.sync();
    } finally {
      await file.close();
    }
  }

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

  const access: FileAccess = {
    durable,
    isomorphic: {
      promises: {
        readFile: async (path) => Buffer.from(await promises.readFile(path)),
        writeFile: (path, data) => access.replace(path, data),
        readdir: (path) => access.list(path),
        stat: (path) => promises.stat(path),
        lstat: (path) => promises.stat(path),
        mkdir: refuse,
        rmdir: refuse,
        unlink: refuse,
        readlink: refuse,
        symlink: refuse,
      },
    },

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
      if (!durable) {
        const bytes = await access.read(path);
        return bytes === undefined ? undefined : viewOf(bytes);
      }
      try {
        return await openView(path);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
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

    replace: (path, bytes) => access.replaceAll([{ path, bytes, prefix: 'tmp_caelus_' }]),

    async replaceAll(replacements) {
      const written: string[] = [];
      try {
        const temporary = await Promise.all(
          replacements.map(async ({ path, bytes, prefix }) => {
            const name = `${dirname(path)}/${prefix}${nonce()}`;
            written.push(name);
            await inDirectoryOf(path, () => writeNew(name, bytes, { sync: true }));
            return { name, path };
          }),
        );
        for (const { name, path } of temporary) await promises.rename(name, path);
      } catch (error) {
        // Those that have their names already are not found here.
        await Promise.all(written.map((name) => access.remove(name)));
        throw error;
      }
    },

    async create(path, bytes, temporary) {
      if (durable) {
        // A link appears together with its content; a file that is opened and then written is empty in between.
        await inDirectoryOf(temporary, () => writeNew(temporary, bytes, { sync: false }));
        try {
          await inDirectoryOf(path, () => nodeFs.promises.link(temporary, path));
          return true;
        } catch (error) {
          if (codeOf(error) === 'EEXIST') return false;
          if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error;
        } finally {
          await access.remove(temporary);
        }
      }
      try {
        await inDirectoryOf(path, () => writeNew(path, bytes, { sync: false }));
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

    async syncDirectories(directories) {
      if (!durable) return;
      await Promise.all([...new Set(directories)].map(syncDirectory));
    },
  };
  return access;
}

/** A name part that no two writers share. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

async function openView(path: string): Promise<FileView> {
  const handle = await nodeFs.promises.open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > WHOLE_FILE_BYTES) {
      return {
        size,
        async read(position, length) {
          const bytes = Buffer.allocUnsafe(length);
          for (let filled = 0; filled < length; ) {
            const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled);
            if (bytesRead === 0) throw cutOff();
            filled += bytesRead;
          }
          return bytes;
        },
        close: () => handle.close(),
      };
    }
    const bytes = await handle.readFile();
    await handle.close();
    return viewOf(bytes);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function viewOf(bytes: Buffer): FileView {
  return {
    size: bytes.length,
    async read(position, length) {
      if (position < 0 || position + length > bytes.length) throw cutOff();
      return bytes.subarray(position, position + length);
    },
    async close() {},
  };
}

function cutOff(): Error {
  return new Error('the file is cut off');
}

async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await nodeFs.promises.open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    // Windows opens no directories, and needs no sync of them.
    if (!['EPERM', 'EISDIR', 'EACCES', 'EINVAL', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
  }
}

/** isomorphic-git wants these to be there. What the store lets it do needs none of them. */
async function refuse(): Promise<never> {
  throw new Error('isomorphic-git may only read here.');
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
