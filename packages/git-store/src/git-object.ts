import { createHash } from 'node:crypto';

export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag';

/** An object by its content, before it is compressed. */
export interface GitObject {
  /** 40 hexadecimal digits. */
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Buffer;
  /** The version that it replaces: whoever has the commit before has that one too. */
  readonly previous?: string | undefined;
}

export function createObject(type: ObjectType, bytes: Uint8Array, previous?: string | undefined): GitObject {
  const content = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { id: objectId(type, content), type, content, previous };
}

export function objectId(type: ObjectType, content: Uint8Array): string {
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
}
