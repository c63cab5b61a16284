import {
  type CallOptions,
  type CommitId,
  type GitState,
  instanceFiles,
  isCaelusError,
  parseMarker,
} from '@caelus/core';
import type { EngineContext } from './engine-context.ts';

/**
 * Whether a revision has the instance as it was last written, though it does not descend from the commit that wrote it: where
 * people squash or rebase what they merge, it is another commit with the same files.
 */
export async function carriesChange(
  { store, render }: Pick<EngineContext, 'store' | 'render'>,
  { instanceId, changeId, contentHash, phase }: GitState,
  revision: CommitId,
  options: CallOptions,
): Promise<boolean> {
  if (phase !== 'present') return false;
  try {
    const snapshot = await store.snapshotAt(revision, options);
    const bytes = await snapshot.readFile(instanceFiles(render.layout, instanceId).marker, options);
    if (bytes === undefined) return false;
    const marker = parseMarker(bytes);
    return marker.changeId === changeId && marker.contentHash === contentHash;
  } catch (error) {
    // A revision that is not in the store, or a marker that somebody spoiled.
    if (isCaelusError(error, 'STORE_CORRUPT')) return false;
    throw error;
  }
}
