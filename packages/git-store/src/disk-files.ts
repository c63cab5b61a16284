import * as fs from 'node:fs';
import { dirname } from 'node:path/posix';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf, cutOff, type FileAccess, type FileView, isMissing, nonce, viewOf } from './file-access.ts';

/** Up to this size a file is read and written at once, and no handle is kept. */
const SMALL_BYTES = 64 * 1024;

/** For how long calls may follow each other on this thread before everybody else has a turn. */
const TURN_MILLISECONDS = 2;

/**
 * The disk. Calls that take microseconds are made on this thread, because the way to another one and back takes ten times as
 * long, and a commit makes about twenty of them. What waits for the disk is left to other threads: every sync, and the
 * reading and writing of what is not small.
 */
export function createDiskFiles(): FileAccess {
  const files: FileAccess = {
    durable: true,

    async read(path) {
      await keepTurn();
      try {
        const size = fs.statSync(path, { throwIfNoEntry: false })?.size;
        if (size === undefined) return undefined;
        return size <= SMALL_BYTES ? fs.readFileSync(path) : await fs.promises.readFile(path);
      } catch (error) {
        // A directory that a ref has left behind is no ref.
        if (isMissing(error) || codeOf(error) === 'EISDIR') return undefined;
        throw error;
      }
    },

    async open(path) {
      await keepTurn();
      try {
        const size = fs.statSync(path, { throwIfNoEntry: false })?.size;
        if (size === undefined) return undefined;
        return size <= SMALL_BYTES ? viewOf(fs.readFileSync(path)) : await openView(path);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async openNew(path) {
      const file = openNew(path);
      return {
        write: (bytes) => writeParts(file, [bytes]),
        async close(durability) {
          try {
            if (durability === 'strict') await sync(file);
          } finally {
            fs.closeSync(file);
          }
        },
      };
    },

    async list(directory) {
      await keepTurn();
      try {
        return fs.readdirSync(directory);
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },

    async modifiedAt(path) {
      return fs.statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    },

    async makeDirectory(directory) {
      makeDirectory(directory);
    },

    replace: (path, bytes) => files.replaceAll([{ path, parts: [bytes], prefix: 'tmp_caelus_' }]),

    async replaceAll(replacements, durability = 'strict') {
      const all = replacements.map(({ path, parts, prefix }) => ({
        path,
        parts,
        temporary: `${dirname(path)}/${prefix}${nonce()}`,
      }));
      const opened: number[] = [];
      try {
        for (const { temporary } of all) opened.push(openNew(temporary));
        await allEnded(all.map(({ parts }, index) => writeParts(opened[index] ?? -1, parts)));
        // Once everything is written, and all at the same time: what a disk makes durable together, it waits for once.
        if (durability === 'strict') await allEnded(opened.map(sync));
        for (const file of opened.splice(0)) fs.closeSync(file);
        for (const { temporary, path } of all) fs.renameSync(temporary, path);
      } catch (error) {
        for (const file of opened) fs.closeSync(file);
        // Those that have their names already are not found here.
        for (const { temporary } of all) remove(temporary);
        throw error;
      }
    },

    async create(path, bytes, temporary) {
      // A link appears together with its content; a file that is opened and then written is empty in between.
      writeNew(temporary, bytes);
      try {
        inDirectoryOf(path, () => fs.linkSync(temporary, path));
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        if (!['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP'].includes(codeOf(error) ?? '')) throw error;
      } finally {
        remove(temporary);
      }
      try {
        writeNew(path, bytes);
        return true;
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return false;
        throw error;
      }
    },

    async mark(path, bytes) {
      inDirectoryOf(path, () => fs.writeFileSync(path, bytes));
    },

    async rename(from, to) {
      inDirectoryOf(to, () => fs.renameSync(from, to));
    },

    async remove(path) {
      remove(path);
    },

    async syncDirectories(directories) {
      await Promise.all([...new Set(directories)].map(syncDirectory));
    },
  };
  return files;
}

let turnEnds = 0;

/** Without it, who reads in a loop would keep timers and the network waiting, because nothing here waits for them. */
async function keepTurn(): Promise<void> {
  if (performance.now() < turnEnds) return;
  await nextTurn();
  turnEnds = performance.now() + TURN_MILLISECONDS;
}

function inDirectoryOf<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    // Git removes directories that have become empty, so one that was there may be gone.
    if (!isMissing(error)) throw error;
    makeDirectory(dirname(path));
    return action();
  }
}

/** With its name in the directory above, up to the first one that was there: what is in it must not be lost with it. */
function makeDirectory(path: string): void {
  const first = fs.mkdirSync(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) syncNow(dirname(made));
}

/** For directories that are made, which is seldom. */
function syncNow(path: string): void {
  try {
    const directory = fs.openSync(path, 'r');
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  } catch (error) {
    unlessNotNeeded(error);
  }
}

function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

function openNew(path: string): number {
  return inDirectoryOf(path, () => fs.openSync(path, 'wx'));
}

function writeNew(path: string, bytes: Uint8Array): void {
  const file = openNew(path);
  try {
    fs.writeFileSync(file, bytes);
  } finally {
    fs.closeSync(file);
  }
}

async function writeParts(file: number, parts: readonly Uint8Array[]): Promise<void> {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  if (size <= SMALL_BYTES) {
    fs.writeFileSync(file, Buffer.concat(parts));
    return;
  }
  for (let rest = parts; rest.length > 0; ) {
    const all = rest;
    rest = withoutFirst(all, await called<number>((done) => fs.writev(file, all, done)));
  }
}

/** Also those that go on when one has failed: the number of a file that is closed under them may soon be another's. */
async function allEnded(actions: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(actions)) if (result.status === 'rejected') throw result.reason;
}

function sync(file: number): Promise<void> {
  return called((done) => fs.fsync(file, done));
}

/** What is left of the parts when so many bytes are written: usually nothing. */
function withoutFirst(parts: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  return parts.flatMap((part) => {
    const rest = part.subarray(left);
    left = Math.max(0, left - part.length);
    return rest.length === 0 ? [] : [rest];
  });
}

async function syncDirectory(path: string): Promise<void> {
  try {
    const directory = fs.openSync(path, 'r');
    try {
      await sync(directory);
    } finally {
      fs.closeSync(directory);
    }
  } catch (error) {
    unlessNotNeeded(error);
  }
}

/** Windows opens no directories, and needs no sync of them. */
function unlessNotNeeded(error: unknown): void {
  if (!['EPERM', 'EISDIR', 'EACCES', 'EINVAL', 'ENOENT'].includes(codeOf(error) ?? '')) throw error;
}

/** Calls with a callback take half the time of those of a `FileHandle`, which opens on another thread too. */
function called<T>(call: (done: (error: Error | null, result?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call((error, result) => (error === null ? resolve(result as T) : reject(error))),
  );
}

async function openView(path: string): Promise<FileView> {
  const handle = await fs.promises.open(path, 'r');
  try {
    const { size } = await handle.stat();
    return {
      size,
      async read(position, length) {
        await keepTurn();
        const bytes = Buffer.allocUnsafe(length);
        for (let filled = 0; filled < length; ) {
          const [at, rest] = [position + filled, length - filled];
          const bytesRead =
            rest <= SMALL_BYTES
              ? fs.readSync(handle.fd, bytes, filled, rest, at)
              : (await handle.read(bytes, filled, rest, at)).bytesRead;
          if (bytesRead === 0) throw cutOff();
          filled += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
