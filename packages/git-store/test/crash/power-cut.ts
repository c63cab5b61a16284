import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RecordedStep } from './crash-child.ts';

/** A file's content, whatever names it has. */
interface FileNode {
  content: Buffer;
  /** What a sync has made certain. */
  durable: Buffer;
}

/** A change of names. `undefined` as the node: the name goes. */
interface NameChange {
  readonly names: readonly (readonly [path: string, node: FileNode | 'directory' | undefined])[];
}

export interface DiskImage {
  readonly directories: ReadonlySet<string>;
  readonly files: ReadonlyMap<string, Buffer>;
}

/** How much of each change that no sync has made certain is on the disk all the same: from 0, nothing, to 1. */
export type Chance = () => number;

/**
 * A disk that keeps what was synced, and of the rest whatever chance wants: any subset of the changes of names, in any order,
 * and of a file's bytes all, none, some, or zeros in their place. That is the least that POSIX promises, and less than
 * any file system does.
 */
export class PowerCutDisk {
  readonly #names = new Map<string, FileNode | 'directory'>();
  readonly #durable = new Map<string, FileNode | 'directory'>();
  #pending: readonly NameChange[] = [];

  constructor({ directories, files }: DiskImage) {
    for (const path of directories) this.#setBoth(path, 'directory');
    for (const [path, content] of files) this.#setBoth(path, { content, durable: content });
  }

  #setBoth(path: string, node: FileNode | 'directory'): void {
    this.#names.set(path, node);
    this.#durable.set(path, node);
  }

  apply(step: RecordedStep): void {
    if ('acknowledged' in step || step.failed) return;
    const { name, path, to = '', data = '', position = 0 } = step;
    switch (name) {
      case 'create':
        this.#rename([[path, { content: Buffer.alloc(0), durable: Buffer.alloc(0) }]]);
        break;
      case 'empty':
        this.#fileAt(path).content = Buffer.alloc(0);
        break;
      case 'write': {
        const file = this.#fileAt(path);
        const bytes = Buffer.from(data, 'base64');
        const content = Buffer.alloc(Math.max(file.content.length, position + bytes.length));
        file.content.copy(content);
        bytes.copy(content, position);
        file.content = content;
        break;
      }
      case 'sync':
        this.#sync(path);
        break;
      case 'rename':
        this.#rename([
          [to, this.#fileAt(path)],
          [path, undefined],
        ]);
        break;
      case 'link':
        this.#rename([[to, this.#fileAt(path)]]);
        break;
      case 'unlink':
      case 'rmdir':
        this.#rename([[path, undefined]]);
        break;
      case 'mkdir':
        this.#rename([[path, 'directory']]);
        break;
      case 'request':
        break;
    }
  }

  #fileAt(path: string): FileNode {
    const node = this.#names.get(path);
    if (node === undefined || node === 'directory') throw new Error(`there is no file ${path}`);
    return node;
  }

  #rename(names: NameChange['names']): void {
    setNames(this.#names, names);
    this.#pending = [...this.#pending, { names }];
  }

  #sync(path: string): void {
    const node = this.#names.get(path);
    if (node !== undefined && node !== 'directory') node.durable = node.content;
    const isHere = ({ names }: NameChange) => names.some(([each]) => dirname(each) === path);
    for (const { names } of this.#pending.filter(isHere)) setNames(this.#durable, names);
    this.#pending = this.#pending.filter((change) => !isHere(change));
  }

  /** What is on the disk once there is power again. */
  cut(chance: Chance): DiskImage {
    const names = new Map(this.#durable);
    for (const change of this.#pending) if (chance() >= 0.5) setNames(names, change.names);
    return imageOf(names, ({ content, durable }) =>
      content === durable ? content : whatIsLeft(content, durable, chance),
    );
  }

  /** What a process sees. */
  now(): DiskImage {
    return imageOf(this.#names, ({ content }) => content);
  }
}

function setNames(map: Map<string, FileNode | 'directory'>, names: NameChange['names']): void {
  for (const [path, node] of names) {
    if (node === undefined) map.delete(path);
    else map.set(path, node);
  }
}

function whatIsLeft(content: Buffer, durable: Buffer, chance: Chance): Buffer {
  const kind = chance();
  if (kind < 0.3) return durable;
  if (kind < 0.5) return Buffer.alloc(content.length);
  if (kind < 0.7) return content.subarray(0, Math.floor(chance() * content.length));
  return content;
}

/** Without what lies in a directory that is not there. */
function imageOf(names: ReadonlyMap<string, FileNode | 'directory'>, contentOf: (file: FileNode) => Buffer): DiskImage {
  const directories = new Set<string>();
  const files = new Map<string, Buffer>();
  const tops = [...names].filter(([path]) => !names.has(dirname(path)) && names.get(path) === 'directory');
  const top = tops.map(([path]) => path).sort((a, b) => a.length - b.length)[0] ?? '';
  const isReachable = (path: string): boolean =>
    path === top || (names.get(path) === 'directory' && isReachable(dirname(path)));
  for (const [path, node] of names) {
    if (path !== top && !isReachable(dirname(path))) continue;
    if (node === 'directory') directories.add(path);
    else files.set(path, contentOf(node));
  }
  return { directories, files };
}

export async function readImage(root: string): Promise<DiskImage> {
  const directories = new Set([root]);
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) directories.add(path);
    else files.set(path, await readFile(path));
  }
  return { directories, files };
}

/** Makes the directories and files, in the place of all that is below `root`. */
export async function writeImage(root: string, { directories, files }: DiskImage): Promise<void> {
  await rm(root, { recursive: true, force: true });
  for (const path of directories) await mkdir(path, { recursive: true });
  for (const [path, content] of files) await writeFile(path, content);
}
