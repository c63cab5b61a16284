import { createHash } from 'node:crypto';
import { isCaelusError, type Logger } from '@caelus/core';
import { compressBytes, expandExactly } from '../compression.ts';
import type { FileAccess } from '../file-access.ts';
import { corrupt } from '../git-errors.ts';
import { withRefLock } from '../ref-lock.ts';
import { encodePack, type PackEntry } from './encode-pack.ts';
import type { PackDirectory } from './pack-directory.ts';
import { CHECKSUM_BYTES, encodeDeltaHeader, type PackEntryHeader, parseEntryHeader } from './pack-entry.ts';
import { parsePackIndex } from './pack-index.ts';
import { encodeTreeDelta } from './tree-delta.ts';

export interface ConsolidatePacksOptions {
  readonly files: FileAccess;
  readonly packs: PackDirectory;
  /** Where the lock lies that keeps two processes from doing the same work. */
  readonly scratch: string;
  readonly logger: Logger;
}

/** Packs that are larger stay as they are; `git gc` is for those. */
const MOST_PACK_BYTES = 32 * 1024 * 1024;
/** How much one new pack is made of, and thereby memory. */
const MOST_BYTES = 32 * 1024 * 1024;
/** Below this a tree is hardly larger than a delta. */
const LEAST_TREE_BYTES = 256;
/** How many versions of directories that begin alike are tried as a base. */
const BASES_TRIED = 4;

/**
 * Folds small packs into larger ones until each has at least twice the objects of the next smaller, so that there are
 * never more than a few, and each object is copied a logarithmic number of times. Compressed bytes are copied as they are;
 * only older versions of a directory become deltas of the newest.
 *
 * Nothing is decided by what a branch leads to: the new pack has every object of the old ones, and is durable before they
 * go. So writers, readers and `git gc` of other processes may run at the same time.
 */
export async function consolidatePacks(options: ConsolidatePacksOptions): Promise<void> {
  const { files, scratch, logger } = options;
  // Cleaned up like every temporary file, because nothing depends on it.
  const lock = { files, path: `${scratch}/lock-consolidation`, scratch, logger, waitMilliseconds: 0 };
  try {
    await withRefLock(lock, async () => {
      const seen: SeenPacks = new Map();
      while (await foldOnce(options, seen));
    });
  } catch (error) {
    if (!isCaelusError(error, 'GIT_REF_LOCKED')) throw error;
  }
}

interface Candidate {
  readonly path: string;
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
  readonly modifiedAt: number;
}

async function foldOnce({ files, packs, logger }: ConsolidatePacksOptions, seen: SeenPacks): Promise<boolean> {
  const candidates = (await findCandidates(files, packs.path, seen)).sort((a, b) => a.count - b.count);
  const folded = candidates.slice(0, countToFold(candidates));
  if (folded.length < 2) return false;
  // The newest version of a directory stays whole, because it is what is read most.
  const entries = await collectEntries(
    files,
    [...folded].sort((a, b) => b.modifiedAt - a.modifiedAt),
  );
  if (entries === undefined) return false;
  const encoded = encodePack(await withTreeDeltas(entries));
  // Durable at every level: what it takes the place of was.
  await packs.write(encoded, 'strict', async () => {
    for (const { name, path } of folded) {
      const isKept = (await files.modifiedAt(`${path}.keep`)) !== undefined;
      if (isKept || name === encoded.name) continue;
      // First the index, so that nobody sees an index without its pack.
      for (const extension of ['idx', 'rev', 'pack']) await files.remove(`${path}.${extension}`);
    }
  });
  logger.debug('packs were folded into one', { packs: folded.length, objects: entries.length });
  return true;
}

/** Packs by their names, as they never change; `undefined` for one that is not folded. */
type SeenPacks = Map<string, Candidate | undefined>;

/** Packs that have nothing beside them but an index: no mark that they are in use, or that Git has plans with them. */
async function findCandidates(files: FileAccess, directory: string, seen: SeenPacks): Promise<Candidate[]> {
  const names = await files.list(directory);
  // It names packs, so who made it has to change it.
  if (names.includes('multi-pack-index')) return [];
  const marked = new Set(
    names.filter((name) => !/\.(?:pack|idx|rev)$/.test(name)).map((name) => name.replace(/\.[a-z]+$/, '')),
  );
  const found: Candidate[] = [];
  for (const name of names.flatMap((each) => /^(pack-[0-9a-f]+)\.idx$/.exec(each)?.[1] ?? [])) {
    if (marked.has(name)) continue;
    if (!seen.has(name)) seen.set(name, await candidateOf(files, `${directory}/${name}`, name));
    const candidate = seen.get(name);
    if (candidate !== undefined) found.push(candidate);
  }
  return found;
}

async function candidateOf(files: FileAccess, path: string, name: string): Promise<Candidate | undefined> {
  const pack = await files.open(`${path}.pack`);
  const index = await files.open(`${path}.idx`);
  const count = index !== undefined && index.size >= 1032 ? (await index.read(1028, 4)).readUInt32BE(0) : 0;
  const modifiedAt = await files.modifiedAt(`${path}.pack`);
  await Promise.all([pack?.close(), index?.close()]);
  if (pack === undefined || count === 0 || modifiedAt === undefined || pack.size > MOST_PACK_BYTES) return undefined;
  return { name, path, count, bytes: pack.size, modifiedAt };
}

/** How many of the smallest packs have to become one, so that each of those left is at least twice the next smaller. */
export function countToFold(ascending: readonly Pick<Candidate, 'count' | 'bytes'>[]): number {
  const countAt = (index: number) => ascending[index]?.count ?? 0;
  let end = ascending.length - 1;
  while (end > 0 && countAt(end) >= 2 * countAt(end - 1)) end -= 1;
  if (end <= 0) return 0;
  end += 1;
  let total = ascending.slice(0, end).reduce((sum, { count }) => sum + count, 0);
  for (; end < ascending.length && countAt(end) < 2 * total; end += 1) total += countAt(end);
  let bytes = 0;
  for (let fitting = 0; fitting < end; fitting += 1) {
    bytes += ascending[fitting]?.bytes ?? 0;
    // Two packs are at most twice as much, and without them a flat repository that is very large would never be folded.
    if (bytes > MOST_BYTES) return Math.max(2, fitting);
  }
  return end;
}

interface CopiedEntry extends PackEntry {
  readonly header: PackEntryHeader;
}

/**
 * The entries of all packs, each object once; `undefined` where a pack is gone.
 * @throws {CaelusError} `STORE_CORRUPT`
 */
async function collectEntries(
  files: FileAccess,
  packs: readonly Candidate[],
): Promise<readonly CopiedEntry[] | undefined> {
  const entries = new Map<string, CopiedEntry>();
  for (const { name, path } of packs) {
    const [pack, index] = [await files.read(`${path}.pack`), await files.read(`${path}.idx`)];
    if (pack === undefined || index === undefined) return undefined;
    try {
      // The first copy wins. Bases are of the same pack or of one before it, so no deltas go round in a circle.
      for (const entry of copyEntries(pack, index)) if (!entries.has(entry.id)) entries.set(entry.id, entry);
    } catch (error) {
      throw corrupt(name, `The pack ${name} is damaged. Run git fsck to see what is missing.`, error);
    }
  }
  return [...entries.values()];
}

function* copyEntries(pack: Buffer, index: Buffer): Generator<CopiedEntry> {
  const { packChecksum, objects } = parsePackIndex(index);
  const checksum = createHash('sha1').update(pack.subarray(0, -CHECKSUM_BYTES)).digest();
  if (!checksum.equals(packChecksum)) throw new Error('the pack is damaged');
  // An entry ends where the next one begins.
  objects.sort((a, b) => a.offset - b.offset);
  const ids = new Map(objects.map(({ id, offset }) => [offset, id]));
  for (const [position, { id, offset }] of objects.entries()) {
    const bytes = pack.subarray(offset, objects[position + 1]?.offset ?? pack.length - CHECKSUM_BYTES);
    const header = parseEntryHeader(bytes, offset);
    if (header.base === undefined) {
      yield { id, header, head: bytes.subarray(0, header.length), body: bytes.subarray(header.length) };
      continue;
    }
    const baseId = 'id' in header.base ? header.base.id.toString('hex') : ids.get(header.base.offset);
    if (baseId === undefined) throw new Error('the base of a delta is not in the pack');
    // The base is named, so that the entries may stand anywhere.
    yield { id, header, head: encodeDeltaHeader(baseId, header.size), body: bytes.subarray(header.length) };
  }
}

/**
 * Makes whole trees deltas of newer ones, which are those that come first. Versions of one directory are recognised by their
 * first entry; where that misleads, the delta is no gain and is not taken.
 */
async function withTreeDeltas(entries: readonly CopiedEntry[]): Promise<readonly PackEntry[]> {
  const bases = new Map<string, { readonly id: string; readonly content: Buffer }[]>();
  const result: PackEntry[] = [];
  for (const entry of entries) {
    const { id, header, head, body } = entry;
    if (header.kind !== 'tree' || header.size < LEAST_TREE_BYTES) {
      result.push(entry);
      continue;
    }
    const content = await expandExactly(body, header.size);
    const begin = content.toString('latin1', 0, content.indexOf(0));
    const known = bases.get(begin) ?? [];
    const delta = known
      .map((base) => ({ base, delta: encodeTreeDelta(base.content, content) }))
      .sort((a, b) => a.delta.length - b.delta.length)[0];
    if (delta !== undefined && delta.delta.length < header.size / 2) {
      const named = encodeDeltaHeader(delta.base.id, delta.delta.length);
      result.push({ id, head: named, body: await compressBytes(delta.delta, 1) });
      continue;
    }
    bases.set(begin, [{ id, content }, ...known].slice(0, BASES_TRIED));
    // Stored without compression while it was new. The one that stays is worth the time.
    result.push({ id, head, body: await compressBytes(content, 1) });
  }
  return result;
}
