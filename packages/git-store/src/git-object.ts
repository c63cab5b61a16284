import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** An object by its content, before it is compressed. */
export interface GitObject {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Uint8Array;
}

const deflateAsync = promisify(deflate);
/** From this size on a tree is stored as it is: two thirds of it are hashes, which no compression makes smaller. */
const STORED_TREE_BYTES = 64 * 1024;

export function createObject(type: ObjectType, content: Uint8Array): GitObject {
  const id = createHash('sha1').update(objectHeader(type, content)).update(content).digest('hex');
  return { id, type, content };
}

export function objectHeader(type: ObjectType, content: Uint8Array): Buffer {
  return Buffer.from(`${type} ${content.length}\0`, 'latin1');
}

/** Compresses what Git stores of an object: with its header as a loose object, without in a pack. */
export function compress(object: GitObject, stored: Uint8Array): Promise<Buffer> {
  const asItIs = object.type === 'tree' && object.content.length >= STORED_TREE_BYTES;
  return deflateAsync(stored, { level: asItIs ? 0 : 1 });
}
