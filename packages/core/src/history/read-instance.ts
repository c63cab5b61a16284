import type { CallOptions } from '../call-options.ts';
import type { GitContent } from '../decide/decide.ts';
import { isCaelusError } from '../errors.ts';
import { instanceFiles, type Layout } from '../layout/layout.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import type { InstanceId } from '../model/identifier.ts';
import type { Snapshot } from '../ports/state-store.ts';
import { contentHash } from '../render/content-hash.ts';
import { instanceHash, type Marker, parseMarker, parseTombstone, type Tombstone } from '../render/marker.ts';

/** Everything that one commit has of one instance. */
export interface InstanceContent extends GitContent {
  /** Its directory, its Application and its tombstone; empty where there is nothing of it. */
  readonly files: RepoTree;
}

/** Reads every file of an instance. A marker or tombstone that cannot be read, or is another instance's, is `invalid`. */
export async function readInstance(
  snapshot: Snapshot,
  layout: Layout,
  id: InstanceId,
  options: CallOptions = {},
): Promise<InstanceContent> {
  const places = instanceFiles(layout, id);
  const [directory, application, tombstone] = await Promise.all([
    snapshot.readTree(places.directory, options),
    snapshot.readFile(places.application, options),
    snapshot.readFile(places.tombstone, options),
  ]);
  const files = new Map(directory);
  if (application) files.set(places.application, application);
  const marker = readOwn(directory.get(places.marker), id, parseMarker);
  // The marker's hash covers every file but itself; a tombstone is not the instance's content.
  const content = new Map(files);
  content.delete(places.marker);
  if (tombstone) files.set(places.tombstone, tombstone);
  const stone = readOwn(tombstone, id, parseTombstone);
  return {
    files,
    marker,
    tombstone: stone,
    contentHash: hashOf(files, content, marker, stone),
    hasDirectory: directory.size > 0,
    hasApplicationFile: application !== undefined,
  };
}

function hashOf(
  files: RepoTree,
  content: RepoTree,
  marker: Marker | 'invalid' | null,
  tombstone: Tombstone | 'invalid' | null,
): string | null {
  if (files.size === 0) return null;
  return marker === null || marker === 'invalid' || tombstone === 'invalid'
    ? contentHash(files, null)
    : instanceHash(content, marker);
}

/** Reads the marker or the tombstone of an instance. */
export function readOwn<T extends Marker | Tombstone>(
  bytes: Uint8Array | undefined,
  id: InstanceId,
  parse: (bytes: Uint8Array) => T,
): T | 'invalid' | null {
  if (bytes === undefined) return null;
  try {
    const file = parse(bytes);
    return file.id === id ? file : 'invalid';
  } catch (error) {
    if (isCaelusError(error, 'STORE_CORRUPT')) return 'invalid';
    throw error;
  }
}
