import type { BranchState, CallOptions, CommitId, RepositoryTransaction } from '@caelus/core';
import { type EngineContext, timestamp } from './engine-context.ts';

/**
 * Whether the branch was forced back since `before` was seen: a tip that was read after it does not descend from it. Where
 * people merge what was written they may squash it, and it says nothing of them; only a comparison with the rows does.
 */
export async function isRewound(
  { store }: Pick<EngineContext, 'store'>,
  before: BranchState | undefined,
  tip: CommitId,
  options: CallOptions = {},
): Promise<boolean> {
  return before !== undefined && before.commit !== tip && !(await store.isAncestor(before.commit, tip, options));
}

/**
 * Remembers a tip of the branch, and says in an event where the branch was forced back to it. Who sees that first says it;
 * `recheck` stays until a sweep has compared everything.
 */
export async function noteTip(
  context: EngineContext,
  transaction: RepositoryTransaction,
  before: BranchState | undefined,
  tip: CommitId,
  rewound: boolean,
): Promise<void> {
  const { store } = context;
  const current = await transaction.findBranchState();
  if (current?.commit === tip && !rewound) return;
  const isFirst = current?.commit === before?.commit;
  // Somebody else has noted a tip meanwhile. Theirs may be the newer one.
  if (!isFirst && current !== undefined && !(await store.isAncestor(current.commit, tip))) return;
  const recheck = (rewound && isFirst) || current?.recheck === true;
  await transaction.putBranchState({ commit: tip, recheck });
  if (!rewound || !isFirst || store.capabilities.descends === false) return;
  const data = { from: current?.commit ?? null, to: tip };
  const about = { instanceId: null, generation: null, changeId: null, actor: null };
  await transaction.appendEvent({ ...about, type: 'git-rewound', at: timestamp(context), data });
}

/** Everything was compared with the branch as it was at `tip`, or later. */
export async function noteRechecked(
  { store }: Pick<EngineContext, 'store'>,
  transaction: RepositoryTransaction,
  tip: CommitId,
): Promise<void> {
  const current = await transaction.findBranchState();
  if (current?.recheck !== true || !(await store.isAncestor(tip, current.commit))) return;
  await transaction.putBranchState({ ...current, recheck: false });
}
