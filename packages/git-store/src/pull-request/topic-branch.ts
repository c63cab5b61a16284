import type { CommitId } from '@caelus/core';
import type { GitBranch } from '../git-backend.ts';
import type { History } from '../history.ts';
import type { ObjectReader } from '../object-reader.ts';
import { hasChanges } from './merged-changes.ts';

export interface TopicBranchOptions {
  readonly base: GitBranch;
  readonly topic: GitBranch;
  readonly history: History;
  readonly objects: ObjectReader;
  /** Told of a topic branch with something to merge, as often as it is seen. */
  opened(base: CommitId, topic: CommitId): void;
}

/**
 * A branch whose commits go to a topic branch. Its tip is the topic's as long as that has something to merge, and the
 * base's otherwise; so what was written is there for the next one who reads, before it is merged.
 *
 * Once it is merged, however that was done, the next commit stands on the base again, and the topic moves there.
 */
export function createTopicBranch({ base, topic, history, objects, opened }: TopicBranchOptions): GitBranch {
  /** As it was last seen; it is what a commit takes the place of. */
  let topicTip: CommitId | null = null;
  let baseTip: CommitId | null = null;
  let judged: { readonly topic: CommitId; readonly base: CommitId; readonly isMerged: boolean } | undefined;

  async function tipOf(
    base: CommitId | null,
    topic: CommitId | null,
    signal: AbortSignal | undefined,
  ): Promise<CommitId | null> {
    [baseTip, topicTip] = [base, topic];
    if (base === null || topic === null) return topic ?? base;
    if (await isMerged(topic, base, signal)) return base;
    opened(base, topic);
    return topic;
  }

  async function isMerged(topic: CommitId, base: CommitId, signal: AbortSignal | undefined): Promise<boolean> {
    if (judged?.topic !== topic || judged.base !== base) {
      judged = { topic, base, isMerged: await judge(topic, base, signal) };
    }
    return judged.isMerged;
  }

  async function judge(topic: CommitId, base: CommitId, signal: AbortSignal | undefined): Promise<boolean> {
    let fork = await history.mergeBase(topic, base, signal);
    if (fork === undefined && (await complete(signal))) fork = await history.mergeBase(topic, base, signal);
    if (fork === undefined || fork === topic) return fork === topic;
    const [from, to, tree] = await Promise.all([fork, topic, base].map(async (id) => (await history.commit(id)).tree));
    return from !== undefined && to !== undefined && tree !== undefined && hasChanges(objects, from, to, tree);
  }

  async function complete(signal: AbortSignal | undefined): Promise<boolean> {
    const results = [await base.complete(signal), await topic.complete(signal)];
    return results.includes(true);
  }

  /** Whether a commit on `from` may take the place of the topic: nothing of it is left to merge, or it is not there. */
  async function beginsAnew(
    from: CommitId | null,
    expected: CommitId | null,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    if (from !== baseTip) return false;
    return expected === null || (from !== null && isMerged(expected, from, signal));
  }

  return {
    complete,
    known: async (signal) => tipOf(await base.known(signal), await topic.known(signal), signal),
    refresh: async (signal) => tipOf(await base.refresh(signal), await topic.refresh(signal), signal),

    async commit(request, signal) {
      const expected = topicTip;
      // Seen anew meanwhile: what was decided does not know what is there now.
      if (request.base !== expected && !(await beginsAnew(request.base, expected, signal))) return undefined;
      const commit = await topic.commit({ ...request, expected }, signal);
      if (commit === undefined) return undefined;
      topicTip = commit;
      if (baseTip !== null) opened(baseTip, commit);
      return commit;
    },
  };
}
