import { randomBytes } from 'node:crypto';

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

/** A file that is read in parts. What was opened stays readable when the file is removed. */
export interface FileView {
  readonly size: number;
  /** @throws {Error} where the file does not reach that far */
  read(position: number, length: number): Promise<Buffer>;
  close(): Promise<void>;
}

/** A file that is written from its beginning to its end. */
export interface FileWriter {
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the file; `strict`: once it is synced. */
  close(durability: Durability): Promise<void>;
}

export interface Replacement {
  readonly path: string;
  /** What follows each other in the file. */
  readonly parts: readonly Uint8Array[];
  /** Of the temporary name; such that whoever cleans up knows it. */
  readonly prefix: string;
}

/** `strict`: synced, so that a power cut does not take it away. `relaxed`: handed to the system, so that only that one may. */
export type Durability = 'strict' | 'relaxed';

/** File operations as a repository needs them: nothing is ever seen half written. */
export interface FileAccess {
  /** Whether what was written outlives the process. */
  readonly durable: boolean;
  /** `undefined` where there is no such file. */
  read(path: string): Promise<Buffer | undefined>;
  /** Opens a file to be read in parts; `undefined` where there is none. */
  open(path: string): Promise<FileView | undefined>;
  /** Makes a file that is not there yet. */
  openNew(path: string): Promise<FileWriter>;
  /** Names in a directory; empty where there is none. */
  list(directory: string): Promise<readonly string[]>;
  /** Milliseconds since the epoch; `undefined` where there is no such file. */
  modifiedAt(path: string): Promise<number | undefined>;
  makeDirectory(directory: string): Promise<void>;
  /** Writes a temporary file beside `path`, makes it durable, and puts it in the place of `path`. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /**
   * The same for several: all are durable under temporary names before they get their own, one after the other. Default
   * `strict`.
   */
  replaceAll(replacements: readonly Replacement[], durability?: Durability): Promise<void>;
  /** Makes the file with this content, or returns `false` where it exists. A power cut may take it away again. */
  create(path: string, bytes: Uint8Array, temporary: string): Promise<boolean>;
  /** Writes a file whose loss in a power cut does no harm, and whose content nobody reads. */
  mark(path: string, bytes: Uint8Array): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Makes the names in the directories durable. */
  syncDirectories(directories: Iterable<string>): Promise<void>;
}

export function viewOf(bytes: Buffer): FileView {
  return {
    size: bytes.length,
    async read(position, length) {
      if (position < 0 || position + length > bytes.length) throw cutOff();
      return bytes.subarray(position, position + length);
    },
    async close() {},
  };
}

export function cutOff(): Error {
  return new Error('the file is cut off');
}

/** A name part that no two writers share. */
export function nonce(): string {
  return randomBytes(8).toString('hex');
}

export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
