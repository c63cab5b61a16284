import { expect } from 'vitest';
import { createDiskFiles } from '../src/disk-files.ts';
import { createObjectStore, type ObjectStore } from '../src/object-store.ts';
import { createPackDirectory } from '../src/pack/pack-directory.ts';
import { gitBytes } from './git-command.ts';

export interface OpenedObjects extends ObjectStore {
  refresh(): Promise<void>;
  close(): Promise<void>;
}

export function openObjects(directory: string): OpenedObjects {
  const files = createDiskFiles();
  const packs = createPackDirectory(files, directory);
  const objects = createObjectStore(files, directory, packs);
  return Object.assign(objects, { refresh: () => packs.scan(), close: () => packs.close() });
}

/** Every object of a repository, as stock Git reads it. */
export async function allObjects(directory: string): Promise<ReadonlyMap<string, { type: string; content: Buffer }>> {
  const bytes = await gitBytes(directory, ['cat-file', '--batch', '--batch-all-objects']);
  const objects = new Map<string, { type: string; content: Buffer }>();
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const [id = '', type = '', size = ''] = bytes.toString('latin1', at, end).split(' ');
    objects.set(id, { type, content: bytes.subarray(end + 1, end + 1 + Number(size)) });
    at = end + 1 + Number(size) + 1;
  }
  return objects;
}

/** Reads every object of a repository, and returns how many there are. */
export async function expectSameObjects(directory: string): Promise<number> {
  const objects = openObjects(directory);
  try {
    const theirs = await allObjects(directory);
    for (const [id, expected] of theirs) {
      const found = await objects.find(id);
      expect(found?.type, id).toBe(expected.type);
      expect(found?.content.equals(expected.content), id).toBe(true);
    }
    return theirs.size;
  } finally {
    await objects.close();
  }
}
