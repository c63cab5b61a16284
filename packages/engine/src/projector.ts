import {
  type Application,
  type BranchState,
  type CallOptions,
  type InstanceId,
  isCaelusError,
  type Receipt,
  underPrefix,
  type WorkItem,
} from '@caelus/core';
import { abortable } from '@caelus/core/adapter';
import { findEditor } from './accept-edit.ts';
import { isRewound, noteTip } from './branch-state.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { withHeartbeat } from './heartbeat.ts';
import { messageOf } from './message-of.ts';
import { type InstanceProposal, proposeInstance } from './propose-instance.ts';
import { isDone, isUnderDeletion, type ProjectResult, settleResult } from './settle-result.ts';

/** What one batch came to. */
export interface ProjectReport {
  /** Instances that were taken up. */
  readonly claimed: number;
  /** Of these, those that a commit was made for. */
  readonly written: number;
  readonly failed: number;
  readonly flagged: number;
  /** Those whose deletion waits for Argo CD, and is looked at again. */
  readonly waiting: readonly InstanceId[];
}

export interface BatchOptions extends CallOptions {
  /** Takes up at most so many. Default `timings.batch`. */
  readonly size?: number | undefined;
  /** Whether a batch of one that fails for good is that one's fault, because others were written a moment ago. Default `false`. */
  readonly storeWorks?: boolean | undefined;
  /** Called every now and then while the batch is written. */
  readonly onBeat?: (() => Promise<unknown>) | undefined;
}

/**
 * Takes what work is due, brings Git to what the rows want in one commit, and records what it came to. Leases are renewed for as
 * long as it takes. Where the signal stops it, or it fails as a whole, everything is given back.
 */
export async function projectBatch(
  context: EngineContext,
  owner: string,
  options: BatchOptions = {},
): Promise<ProjectReport> {
  const { repository, timings, observe } = context;
  const { signal, size = timings.batch, storeWorks = false, onBeat } = options;
  const claim = { owner, limit: size, leaseMilliseconds: timings.lease, now: timestamp(context) };
  const items = await repository.claimWork(claim, { signal });
  if (items.length === 0) return { claimed: 0, written: 0, failed: 0, flagged: 0, waiting: [] };
  return observe('batch-project', { claimed: items.length }, async (add) => {
    let before: BranchState | undefined;
    const beat = async () => {
      const { lease: leaseMilliseconds } = timings;
      await Promise.all([repository.renewWork(items, { leaseMilliseconds, now: timestamp(context) }), onBeat?.()]);
    };
    const often = Math.ceil(Math.min(timings.lease, timings.writerLease) / 3);
    const results = await withHeartbeat(context, often, beat, async () => {
      try {
        before = await repository.findBranchState({ signal });
        return await writeBatch(context, items, { signal });
      } catch (error) {
        const isGuilty = storeWorks && items.length === 1 && isCaelusError(error) && !error.retryable;
        const receiptOf = (item: WorkItem) => ({ subject: item.instanceId, outcome: 'failed', error }) as const;
        if (isGuilty) return items.map((item) => ({ item, receipt: receiptOf(item), examination: undefined }));
        await giveBack(context, items);
        throw error;
      }
    });
    await settle(context, before, results, { signal });
    context.changed.wake();
    await clearTheWay(context, results);
    await notify(context, results, { signal });
    const count = (predicate: (result: ProjectResult) => boolean) => results.filter(predicate).length;
    const report = {
      claimed: items.length,
      written: count(({ receipt }) => receipt.outcome === 'written'),
      failed: count(({ receipt }) => receipt.outcome === 'failed'),
      flagged: count(({ examination }) => examination?.decision.action === 'flag'),
      waiting: results.flatMap(({ item, examination }) =>
        examination && isUnderDeletion(examination) ? [item.instanceId] : [],
      ),
    };
    add({ written: report.written, failed: report.failed, flagged: report.flagged });
    return report;
  });
}

async function writeBatch(
  context: EngineContext,
  items: readonly WorkItem[],
  { signal }: CallOptions,
): Promise<readonly ProjectResult[]> {
  const proposals = items.map(({ instanceId }) => proposeInstance(context, instanceId));
  const receipts = await abortable(context.store.write(proposals, { signal }), signal);
  return Promise.all(items.map((item, index) => resultOf(context, item, proposals[index], receipts[index])));
}

async function settle(
  context: EngineContext,
  before: BranchState | undefined,
  results: readonly ProjectResult[],
  { signal }: CallOptions,
): Promise<void> {
  const tip = results.flatMap(({ receipt }) => (receipt.outcome === 'written' ? [receipt.commit] : []))[0];
  try {
    const rewound = tip !== undefined && (await isRewound(context, before, tip, { signal }));
    await context.repository.transaction(async (transaction) => {
      const done = results.filter(isDone).map(({ item }) => item);
      const held = await transaction.completeWorkMany(done);
      const completed = new Set(held.map(({ instanceId }) => instanceId));
      for (const result of results) await settleResult(context, transaction, result, completed);
      if (tip !== undefined) await noteTip(context, transaction, before, tip, rewound);
    });
  } catch (error) {
    await giveBack(
      context,
      results.map(({ item }) => item),
    );
    throw error;
  }
}

async function resultOf(
  context: EngineContext,
  item: WorkItem,
  proposal: InstanceProposal | undefined,
  receipt: Receipt | undefined,
): Promise<ProjectResult> {
  if (proposal === undefined || receipt === undefined) {
    throw new TypeError('The state store returned fewer receipts than it was given changes.');
  }
  const { examination } = proposal;
  const isAccepted = examination?.decision.action === 'accept' && examination.instance !== undefined;
  const editor = isAccepted ? await findEditor(context, examination, examination.instance) : null;
  return { item, receipt, examination, editor };
}

/** The whole batch failed: every item is due again at once, none the worse for it. Who failed waits, and not the items. */
async function giveBack(context: EngineContext, items: readonly WorkItem[]): Promise<void> {
  const { logger, repository } = context;
  const retry = { availableAt: timestamp(context), error: null };
  await repository
    .transaction(async (transaction) => {
      for (const item of items) await transaction.releaseWork(item, retry);
    })
    // The error that led here is the one to report; the leases run out.
    .catch((reason: unknown) => logger.warn('A batch could not be given back.', { message: messageOf(reason) }));
}

/**
 * Argo CD deletes nothing while a sync runs, and begins with nothing new while one that has failed waits for its next try: nothing
 * but this ends one. A deletion that has failed it tries again only when something changes, or after minutes.
 */
async function clearTheWay(context: EngineContext, results: readonly ProjectResult[]): Promise<void> {
  const { logger, status } = context;
  const { control } = status;
  if (control === undefined) return;
  for (const { receipt, examination } of results) {
    const { instance } = examination ?? {};
    if (instance === undefined) continue;
    const { argoAppName: application } = instance;
    const isDeleting = examination !== undefined && isUnderDeletion(examination);
    // Of those that are written Argo CD is asked only where something was wrong.
    if (!isDeleting && (receipt.outcome !== 'written' || instance.lastError === null)) continue;
    try {
      const found = await status.get(application);
      const way = found && wayOf(found, isDeleting);
      if (way === 'blocked') await control.terminateOperation(application);
      if (way === 'failed') await control.refresh(application);
      if (way === 'blocked') logger.info('Ended the sync of an instance, which was in the way.', { application });
    } catch (error) {
      // A deletion is due again in a moment, and tried again then; a sync takes the new commit up with its next try.
      const message = messageOf(error);
      logger.warn('What was in the way of an instance could not be ended.', { application, message });
    }
  }
}

/** What Argo CD has begun and has to end first: a sync that blocks, or a deletion that has failed. */
function wayOf({ metadata, status }: Application, isDeleting: boolean): 'clear' | 'blocked' | 'failed' {
  const { operationState, conditions = [] } = status ?? {};
  if (isDeleting && metadata.deletionTimestamp === undefined) return 'clear';
  const isBlocked = operationState?.phase === 'Running' && (isDeleting || operationState.finishedAt !== undefined);
  if (isBlocked) return 'blocked';
  // Hooks that fail it deletes and makes again by itself, at once; if it looks again before it sees the new one, it takes that for done.
  const hasFailed = conditions.some(
    ({ type, message }) => type === 'DeletionError' && !/hook\(s\) failed/.test(message),
  );
  return isDeleting && hasFailed ? 'failed' : 'clear';
}

async function notify(
  { notifier, logger, store }: EngineContext,
  results: readonly ProjectResult[],
  options: CallOptions,
): Promise<void> {
  const written = results.flatMap(({ receipt, examination }) =>
    receipt.outcome === 'written' ? [{ receipt, examination }] : [],
  );
  const [first] = written;
  if (notifier === undefined || first === undefined) return;
  try {
    const edits = written
      .flatMap(({ receipt }) => receipt.edits)
      .map(({ path, bytes }) => ({ path: underPrefix(store.pathPrefix, path), bytes }));
    const applications = written.flatMap(({ examination }) => examination?.instance?.argoAppName ?? []);
    await notifier.notify({ commit: first.receipt.commit, edits, applications }, options);
  } catch (error) {
    // Argo CD polls all the same; a notification that is lost costs time, nothing else.
    logger.warn('The change notifier failed.', { message: messageOf(error) });
  }
}
