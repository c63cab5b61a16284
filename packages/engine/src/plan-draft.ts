import {
  type CallOptions,
  type IdSource,
  instanceFiles,
  type Plan,
  planChange,
  type RepoTree,
  readInstance,
  renderTombstone,
  tombstoneOf,
} from '@caelus/core';
import type { InstanceDraft } from './draft-instance.ts';
import type { EngineContext } from './engine-context.ts';

/** A plan makes no ids: what the real command would name anew, it shows as the nil UUID (RFC 9562). */
export const nilIds: IdSource = { uuid: () => '00000000-0000-0000-0000-000000000000' };

/** What a command would change in Git, against what lies there now. */
export async function planDraft(
  context: EngineContext,
  draft: InstanceDraft,
  options: CallOptions = {},
): Promise<Plan> {
  const snapshot = await context.store.snapshot(options);
  const { files } = await readInstance(snapshot, context.render.layout, draft.instance.id, options);
  return planChange(files, draft.rendered?.tree ?? treeAfterDeletion(context, draft));
}

/** Both phases at once: in the end, only the tombstone is left. */
function treeAfterDeletion({ render: { layout, storeId } }: EngineContext, { instance }: InstanceDraft): RepoTree {
  const { tombstone } = instanceFiles(layout, instance.id);
  return new Map([[tombstone, renderTombstone(tombstoneOf(instance, storeId))]]);
}
