import type { CallOptions } from '../call-options.ts';
import type { Layout } from '../layout/layout.ts';
import type { CommitId, InstanceId } from '../model/identifier.ts';
import { type Plan, planChange } from '../plan/plan-change.ts';
import type { StateStore } from '../ports/state-store.ts';
import { layoutAt } from './layout-at.ts';
import { type InstanceContent, readInstance } from './read-instance.ts';

/**
 * Reads every file that an instance had at a commit, with its marker. Where the repository had another layout then, the
 * instance is found there.
 * @param layout for a commit that does not say which one the repository had.
 * @throws {CaelusError} `STORE_CORRUPT` where the commit is not in the store, `UNAVAILABLE`
 */
export async function instanceAt(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  commit: CommitId,
  options: CallOptions = {},
): Promise<InstanceContent> {
  const snapshot = await store.snapshotAt(commit, options);
  return readInstance(snapshot, await layoutAt(snapshot, layout, options), id, options);
}

/**
 * What leads from an instance as it was at one commit to what it was at another, whichever is the newer one, with
 * unified diffs.
 * @throws {CaelusError} `STORE_CORRUPT` where a commit is not in the store, `UNAVAILABLE`
 */
export async function diffInstance(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  from: CommitId,
  to: CommitId,
  options: CallOptions = {},
): Promise<Plan> {
  const [before, after] = await Promise.all([
    instanceAt(store, layout, id, from, options),
    instanceAt(store, layout, id, to, options),
  ]);
  return planChange(before.files, after.files);
}
