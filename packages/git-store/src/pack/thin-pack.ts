import { compressBytes } from '../compression.ts';
import type { GitObject } from '../git-object.ts';
import { encodePack, type PackEntry } from './encode-pack.ts';
import { encodeLineDelta } from './line-delta.ts';
import type { StoredObject } from './open-pack.ts';
import { encodeDeltaHeader } from './pack-entry.ts';
import { encodeTreeDelta } from './tree-delta.ts';

/** A batch with more files than that is sent with the files whole: reading the old ones takes longer than sending the new. */
const MOST_FILES = 100;
const MOST_FILE_BYTES = 1024 * 1024;
const LEVEL = 6;
/**
 * From so many objects on Git keeps a pack that it receives (`receive.unpackLimit`), and then has to look up and append the base of
 * each delta: for a small tree this takes it longer than to read the tree.
 */
const KEPT_PACK_OBJECTS = 100;
const LEAST_SAVED_BYTES = 1024;

/**
 * Makes a pack for a receiver that has the previous version of what changed: where that is smaller, an object is what
 * changed in it. Such a pack can be sent (`git push --thin`), and never stored.
 */
export async function encodeThinPack(
  objects: readonly GitObject[],
  whole: readonly PackEntry[],
  find: (id: string) => Promise<StoredObject | undefined>,
): Promise<Buffer> {
  const byId = new Map(objects.map((object) => [object.id, object]));
  const leastSaved = whole.length < KEPT_PACK_OBJECTS ? 1 : LEAST_SAVED_BYTES;
  const hasFewFiles = objects.filter(({ type }) => type === 'blob').length <= MOST_FILES;

  async function encode(entry: PackEntry): Promise<PackEntry> {
    const object = byId.get(entry.id);
    const previous = object?.previous;
    // Two objects that were each other's previous version would both be deltas, of each other.
    if (object === undefined || previous === undefined || byId.has(previous)) return entry;
    if (object.type === 'blob' && !(hasFewFiles && object.content.length <= MOST_FILE_BYTES)) return entry;
    if (entry.body.length < leastSaved) return entry;
    // A previous version that is damaged here may well be whole there, but nothing can be compared with it.
    const base = await find(previous).catch(() => undefined);
    if (base?.type !== object.type) return entry;
    const delta = (object.type === 'tree' ? encodeTreeDelta : encodeLineDelta)(base.content, object.content);
    if (delta.length >= object.content.length) return entry;
    const head = encodeDeltaHeader(previous, delta.length);
    const body = await compressBytes(delta, LEVEL);
    const saved = entry.head.length + entry.body.length - head.length - body.length;
    return saved >= leastSaved ? { id: entry.id, head, body } : entry;
  }

  return Buffer.concat(encodePack(await Promise.all(whole.map(encode))).pack);
}
