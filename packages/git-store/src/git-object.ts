import { createHash } from 'node:crypto';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** An object by its content, before it is compressed. */
export interface GitObject {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Uint8Array;
}

export function createObject(type: ObjectType, content: Uint8Array): GitObject {
  return { id: objectId(type, content), type, content };
}

export function objectId(type: ObjectType, content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}
