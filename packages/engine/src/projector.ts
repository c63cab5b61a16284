import { type CallOptions, type Instance, type Receipt, underPrefix, type WorkItem } from '@caelus/core';
import { findEditor } from './accept-edit.ts';
import { isRewound, noteTip } from './branch-state.ts';
import { type EngineContext, timestamp, timestampIn } from './engine-context.ts';
import { messageOf } from './message-of.ts';
import { type InstanceProposal, proposeInstance } from './propose-instance.ts';
import { isUnderDeletion, type ProjectResult, settleResult } from './settle-result.ts';

/** What one batch came to. */
export interface ProjectReport {
  /** Instances that were taken up. */
  readonly claimed: number;
  /** Of these, those that a commit was made for. */
  readonly written: number;
  readonly failed: number;
  readonly flagged: number;
}

/** Takes what work is due, brings Git to what the rows want in one commit, and records what it came to. */
export async function projectBatch(
  context: EngineContext,
  owner: string,
  options: CallOptions = {},
): Promise<ProjectReport> {
  const { repository, store, timings, observe } = context;
  const claim = { owner, limit: timings.batch, leaseMilliseconds: timings.lease, now: timestamp(context) };
  const items = await repository.claimWork(claim, options);
  if (items.length === 0) return { claimed: 0, written: 0, failed: 0, flagged: 0 };
  return observe('batch-project', { claimed: items.length }, async (add) => {
    const before = await repository.findBranchState(options);
    const proposals = items.map(({ instanceId }) => proposeInstance(context, instanceId));
    const receipts = await store.write(proposals, options).catch(async (error: unknown) => {
      await giveBack(context, items, error);
      throw error;
    });
    const results = await Promise.all(
      items.map((item, index) => resultOf(context, item, proposals[index], receipts[index])),
    );
    const tip = receipts.find((receipt) => receipt.outcome === 'written')?.commit;
    const rewound = tip !== undefined && (await isRewound(context, before, tip, options));
    await repository.transaction(async (transaction) => {
      for (const result of results) await settleResult(context, transaction, result);
      if (tip !== undefined) await noteTip(context, transaction, before, tip, rewound);
    });
    context.changed.wake();
    await terminateSyncs(context, results);
    await notify(context, results, options);
    const count = (predicate: (result: ProjectResult) => boolean) => results.filter(predicate).length;
    const report = {
      claimed: items.length,
      written: count(({ receipt }) => receipt.outcome === 'written'),
      failed: count(({ receipt }) => receipt.outcome === 'failed'),
      flagged: count(({ examination }) => examination?.decision.action === 'flag'),
    };
    add({ written: report.written, failed: report.failed, flagged: report.flagged });
    return report;
  });
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

/** The whole batch failed: every item is due again soon, none the worse for it. */
async function giveBack(context: EngineContext, items: readonly WorkItem[], error: unknown): Promise<void> {
  const retry = { availableAt: timestampIn(context, context.timings.retry), error: null };
  const message = messageOf(error);
  context.logger.warn('A batch could not be written to Git.', { instances: items.length, message });
  await context.repository.transaction(async (transaction) => {
    for (const item of items) await transaction.releaseWork(item, retry);
  });
}

/** Argo CD deletes nothing while a sync runs, and nothing but this ends one. */
async function terminateSyncs(context: EngineContext, results: readonly ProjectResult[]): Promise<void> {
  const deleting = results.flatMap(({ examination }) =>
    examination?.instance && isUnderDeletion(examination) ? [examination.instance] : [],
  );
  for (const instance of deleting) {
    // It is due again in a moment, and tried again then.
    await terminateSync(context, instance).catch((error: unknown) => {
      context.logger.warn('The sync of an instance that is being deleted could not be ended.', {
        application: instance.argoAppName,
        message: messageOf(error),
      });
    });
  }
}

async function terminateSync({ status, logger }: EngineContext, { argoAppName }: Instance): Promise<void> {
  if (status.terminateOperation === undefined) return;
  const application = await status.get(argoAppName);
  const isSyncing = application?.status?.operationState?.phase === 'Running';
  if (!isSyncing || application?.metadata.deletionTimestamp === undefined) return;
  await status.terminateOperation(argoAppName);
  logger.info('Ended the sync of an instance that is being deleted.', { application: argoAppName });
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
