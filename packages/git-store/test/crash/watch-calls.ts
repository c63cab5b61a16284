import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** One call that changes the disk, or what is on it for certain; or one request over the network. */
export interface WatchedCall {
  readonly name: 'create' | 'empty' | 'write' | 'sync' | 'rename' | 'link' | 'unlink' | 'mkdir' | 'rmdir' | 'request';
  readonly path: string;
  /** Of a rename and a link. */
  readonly to?: string;
  /** Of a write: what is written, and where in the file. */
  readonly data?: Buffer;
  readonly position?: number;
}

export interface CallObserver {
  /** `half` does half of the call, where it can be done by half. */
  before(call: WatchedCall, half: (() => void) | undefined): void;
  after(call: WatchedCall, succeeded: boolean): void;
}

interface OpenFile {
  readonly path: string;
  at: number;
}

/** What is not watched because nothing of the store calls it. One that does is told at once. */
const UNWATCHED = ['appendFile', 'copyFile', 'cp', 'ftruncate', 'mkdtemp', 'rm', 'symlink', 'truncate'];
const UNWATCHED_FORMS = [
  'open',
  'write',
  'writeFile',
  'rename',
  'link',
  'unlink',
  'mkdir',
  'rmdir',
  'createWriteStream',
];
const UNWATCHED_OF_HANDLES = ['write', 'writev', 'appendFile', 'truncate', 'createWriteStream'];

/** Puts the observer around every call of this process, of `node:fs`, of its promises, and of `fetch`. */
export async function watchCalls(observer: CallObserver): Promise<void> {
  const { promises } = fs;
  const original = { ...fs };
  const originalPromises = { ...promises };
  const handle = await promises.open(process.execPath, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const originalHandle = { writeFile: prototype.writeFile, sync: prototype.sync, datasync: prototype.datasync };
  const byDescriptor = new Map<number, OpenFile>();
  const byHandle = new WeakMap<FileHandle, OpenFile>();

  function watchSync<T>(call: WatchedCall, action: () => T, half?: () => void): T {
    observer.before(call, half);
    let succeeded = false;
    try {
      const result = action();
      succeeded = true;
      return result;
    } finally {
      observer.after(call, succeeded);
    }
  }

  async function watch<T>(call: WatchedCall, action: () => Promise<T>, half?: () => void): Promise<T> {
    observer.before(call, half);
    let succeeded = false;
    try {
      const result = await action();
      succeeded = true;
      return result;
    } finally {
      observer.after(call, succeeded);
    }
  }

  /** What opening a file with these flags does to the disk. */
  function opening(path: string, flags: string | number | undefined): WatchedCall | undefined {
    if (flags === undefined || flags === 'r') return undefined;
    if (typeof flags === 'number') throw new Error('files are opened by flags that are letters');
    if (!original.existsSync(path)) return flags.startsWith('r') ? undefined : { name: 'create', path };
    return /^wx?\+?$/.test(flags) && !flags.includes('x') ? { name: 'empty', path } : undefined;
  }

  function writing(file: OpenFile, data: Buffer, position: number | null | undefined): WatchedCall {
    const at = position ?? file.at;
    if (position == null) file.at += data.length;
    return { name: 'write', path: file.path, data: Buffer.from(data), position: at };
  }

  function halfOf(fd: number, { data = Buffer.alloc(0), position = 0 }: WatchedCall): () => void {
    return () => original.writeSync(fd, data, 0, data.length >> 1, position);
  }

  function missingDirectories(path: string): string[] {
    return original.existsSync(path) ? [] : [...missingDirectories(dirname(path)), path];
  }

  const bytesOf = (data: unknown): Buffer =>
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data as Uint8Array);
  const flagOf = (options: unknown): string =>
    ((options as { flag?: string } | undefined)?.flag ?? 'w') satisfies string;

  const sync = {
    openSync(path: string, flags?: string, mode?: number): number {
      const call = opening(path, flags);
      const open = () => original.openSync(path, flags ?? 'r', mode);
      const fd = call === undefined ? open() : watchSync(call, open);
      byDescriptor.set(fd, { path, at: 0 });
      return fd;
    },
    closeSync(fd: number): void {
      original.closeSync(fd);
      byDescriptor.delete(fd);
    },
    writeSync(fd: number, data: Uint8Array | string, offset?: number, length?: number, position?: number | null) {
      const file = byDescriptor.get(fd);
      const bytes = bytesOf(data);
      // Standard output, for one.
      if (file === undefined || (offset !== undefined && typeof offset !== 'number')) {
        return original.writeSync(fd, data as Uint8Array, offset as number, length, position);
      }
      const from = offset ?? 0;
      const call = writing(file, bytes.subarray(from, from + (length ?? bytes.length - from)), position);
      const { data: written = bytes } = call;
      const write = () => original.writeSync(fd, written, 0, written.length, call.position);
      return watchSync(call, write, halfOf(fd, call));
    },
    writeFileSync(path: string | number, data: unknown, options?: unknown): void {
      const fd = typeof path === 'number' ? path : sync.openSync(path, flagOf(options));
      try {
        sync.writeSync(fd, bytesOf(data));
      } finally {
        if (typeof path !== 'number') sync.closeSync(fd);
      }
    },
    fsyncSync(fd: number): void {
      watchSync({ name: 'sync', path: byDescriptor.get(fd)?.path ?? '' }, () => original.fsyncSync(fd));
    },
    fdatasyncSync(fd: number): void {
      sync.fsyncSync(fd);
    },
    renameSync: (path: string, to: string) =>
      watchSync({ name: 'rename', path, to }, () => original.renameSync(path, to)),
    linkSync: (path: string, to: string) => watchSync({ name: 'link', path, to }, () => original.linkSync(path, to)),
    unlinkSync: (path: string) => watchSync({ name: 'unlink', path }, () => original.unlinkSync(path)),
    rmdirSync: (path: string) => watchSync({ name: 'rmdir', path }, () => original.rmdirSync(path)),
    mkdirSync(path: string, options?: { recursive?: boolean }): string | undefined {
      const made = options?.recursive === true ? missingDirectories(path) : [path];
      for (const each of made) watchSync({ name: 'mkdir', path: each }, () => original.mkdirSync(each, options));
      return made[0];
    },
  };

  const async = {
    async open(path: string, flags?: string, mode?: number): Promise<FileHandle> {
      const call = opening(path, flags);
      const open = () => originalPromises.open(path, flags, mode);
      const opened = await (call === undefined ? open() : watch(call, open));
      byHandle.set(opened, { path, at: 0 });
      return opened;
    },
    async writeFile(path: string, data: unknown, options?: unknown): Promise<void> {
      const opened = await async.open(path, flagOf(options));
      try {
        await opened.writeFile(bytesOf(data));
      } finally {
        await opened.close();
      }
    },
    rename: (path: string, to: string) => watch({ name: 'rename', path, to }, () => originalPromises.rename(path, to)),
    link: (path: string, to: string) => watch({ name: 'link', path, to }, () => originalPromises.link(path, to)),
    unlink: (path: string) => watch({ name: 'unlink', path }, () => originalPromises.unlink(path)),
    rmdir: (path: string) => watch({ name: 'rmdir', path }, () => originalPromises.rmdir(path)),
    mkdir: async (path: string, options?: { recursive?: boolean }) => sync.mkdirSync(path, options),
  };

  const ofHandle = {
    async writeFile(this: FileHandle, data: unknown): Promise<void> {
      const file = byHandle.get(this);
      if (file === undefined) throw new Error('a file was opened that is not watched');
      const call = writing(file, bytesOf(data), undefined);
      await watch(call, () => originalHandle.writeFile.call(this, bytesOf(data)), halfOf(this.fd, call));
    },
    sync(this: FileHandle): Promise<void> {
      return watch({ name: 'sync', path: byHandle.get(this)?.path ?? '' }, () => originalHandle.sync.call(this));
    },
    datasync(this: FileHandle): Promise<void> {
      return prototype.sync.call(this);
    },
  };

  type Done = (error: Error | null) => void;
  const syncInBackground = (fd: number, done: Done): void =>
    void watch({ name: 'sync', path: byDescriptor.get(fd)?.path ?? '' }, () => promisify(original.fsync)(fd)).then(
      () => done(null),
      done,
    );
  const callbacks = {
    fsync: syncInBackground,
    fdatasync: syncInBackground,
    /** All at once, as the system does with a file on a disk. */
    writev(fd: number, parts: readonly Uint8Array[], done: (error: unknown, bytes?: number) => void): void {
      const file = byDescriptor.get(fd);
      if (file === undefined || typeof done !== 'function') throw new Error('a file was written that is not watched');
      const call = writing(file, Buffer.concat(parts), undefined);
      const { data = Buffer.alloc(0), position } = call;
      watch(call, () => promisify(original.write)(fd, data, 0, data.length, position), halfOf(fd, call)).then(
        ({ bytesWritten }) => done(null, bytesWritten),
        done,
      );
    },
  };

  const refuse = (name: string) => () => {
    throw new Error(`${name} is not watched`);
  };
  Object.assign(fs, sync);
  Object.assign(promises, async);
  Object.assign(prototype, ofHandle);
  for (const name of UNWATCHED) {
    Object.assign(fs, { [name]: refuse(name), [`${name}Sync`]: refuse(`${name}Sync`) });
    if (name in promises) Object.assign(promises, { [name]: refuse(`promises.${name}`) });
  }
  for (const name of UNWATCHED_OF_HANDLES) Object.assign(prototype, { [name]: refuse(`FileHandle.${name}`) });
  for (const name of UNWATCHED_FORMS) Object.assign(fs, { [name]: refuse(`this form of ${name}`) });
  Object.assign(fs, callbacks);
  syncBuiltinESMExports();

  const { fetch } = globalThis;
  globalThis.fetch = (target, options) =>
    watch(
      { name: 'request', path: String(target) },
      () => fetch(target, options),
      () => void fetch(target, options).catch(() => {}),
    );
}
