import type {
  Actor,
  CommitId,
  GitState,
  Instance,
  InstanceId,
  Receipt,
  RepositoryTransaction,
  WorkItem,
} from '@caelus/core';
import { isCaelusError } from '@caelus/core';
import { acceptEdit } from './accept-edit.ts';
import { type EngineContext, timestamp, timestampIn } from './engine-context.ts';
import type { Examination } from './examine-instance.ts';
import { recordDrift } from './record-drift.ts';
import { recordObserved } from './record-observed.ts';
import { retryDelay } from './retry-delay.ts';

/** What became of one instance of a batch. */
export interface ProjectResult {
  readonly item: WorkItem;
  readonly receipt: Receipt;
  readonly examination: Examination | undefined;
  /** Who made the edit by hand that is to be accepted; `null` where nobody can tell. */
  readonly editor?: Actor | null | undefined;
}

/** Whether the work of an instance is done with this. Else it is tried again, or looked at until it is gone. */
export function isDone({ receipt, examination }: ProjectResult): boolean {
  return receipt.outcome !== 'failed' && examination !== undefined && !isUnderDeletion(examination);
}

/**
 * Records in the rows what became of one instance, and gives its work back where it is not done. Of what is done, `completed`
 * says for which the lease was still ours.
 */
export async function settleResult(
  context: EngineContext,
  transaction: RepositoryTransaction,
  result: ProjectResult,
  completed: ReadonlySet<InstanceId>,
): Promise<void> {
  const { item, receipt, examination } = result;
  if (receipt.outcome === 'failed' || examination === undefined) {
    await settleFailure(context, transaction, item, receipt.outcome === 'failed' ? receipt.error : undefined);
    return;
  }
  const held = isUnderDeletion(examination)
    ? await transaction.releaseWork(item, { availableAt: timestampIn(context, context.timings.deletion), error: null })
    : completed.has(item.instanceId);
  // Whoever holds the lease now has seen what was written here, or will, and records it; this is the past.
  if (!held) return;
  const { instance, decision } = examination;
  if (decision.action === 'accept' && instance !== undefined) {
    await acceptEdit(context, transaction, examination, instance, result.editor ?? null);
    return;
  }
  const drift = decision.action === 'flag' ? decision.drift : null;
  await recordDrift(context, transaction, item.instanceId, drift, instance);
  const phase = phaseAfter(examination);
  if (instance === undefined || phase === undefined || receipt.commit === null) return;
  await transaction.putGitState(gitStateOf(context, examination, instance, phase, receipt.commit));
  const { id: instanceId, generation, changeId } = instance;
  const event = { at: timestamp(context), instanceId, generation, changeId, actor: instance.changedBy };
  const { commit } = receipt;
  await transaction.appendEvent({ ...event, type: 'instance-committed', commit, data: { action: decision.action } });
  if (phase !== 'removed' || instance.status === 'Deleted') return;
  const observed = { status: 'Deleted', statusReason: 'Gone', lastError: null } as const;
  await recordObserved(transaction, instance, { ...observed, syncStatus: null, healthStatus: null }, event.at);
  await transaction.appendEvent({ ...event, type: 'instance-deleted', commit, data: {} });
}

/** Deletion is done only when the directory is gone; until then Argo CD is looked at again and again. */
export function isUnderDeletion(examination: Examination): boolean {
  return examination.decision.action === 'wait' || phaseAfter(examination) === 'application-removed';
}

function phaseAfter({ decision, git }: Examination): GitState['phase'] | undefined {
  switch (decision.action) {
    case 'record':
      return decision.phase;
    case 'write':
      return 'present';
    case 'remove-application':
      return git.hasDirectory ? 'application-removed' : 'removed';
    case 'remove-directory':
      return 'removed';
    default:
      return undefined;
  }
}

function gitStateOf(
  context: EngineContext,
  { rendered, marker }: Examination,
  { id: instanceId, generation, changeId }: Instance,
  phase: GitState['phase'],
  commit: CommitId,
): GitState {
  return {
    instanceId,
    generation,
    changeId,
    contentHash: rendered?.contentHash ?? marker?.contentHash ?? '',
    specHash: rendered?.specHash ?? '',
    commit,
    phase,
    writtenAt: timestamp(context),
  };
}

/** An instance that cannot be written: its row says why, and it is tried again, later each time. */
async function settleFailure(
  context: EngineContext,
  transaction: RepositoryTransaction,
  item: WorkItem,
  error: unknown,
): Promise<void> {
  const { timings, logger } = context;
  if (isCaelusError(error, 'STORE_CONFLICT')) {
    // Others of its batch were in the way, and it is none the worse for it. The first of a batch never meets this.
    await transaction.releaseWork(item, { availableAt: timestamp(context), error: null });
    return;
  }
  const message = error instanceof Error ? error.message : 'The change could not be written.';
  const delay = retryDelay(item.attempts, timings, context.random());
  if (isCaelusError(error, 'UNAVAILABLE')) {
    // Nobody's fault that could be mended here, and no reason to give up.
    logger.warn('What an instance needs is away.', { instance: item.instanceId, message });
    await transaction.releaseWork(item, { availableAt: timestampIn(context, delay), error: null });
    return;
  }
  logger.warn('An instance could not be written to Git.', {
    instance: item.instanceId,
    attempts: item.attempts,
    message,
  });
  const end = await endFailure(context, transaction, item, message, delay);
  if (end === 'lost') return;
  const instance = await transaction.findInstance(item.instanceId);
  if (end === 'dead') await announceDeath(context, transaction, item, instance, error);
  if (instance === undefined) return;
  const isHopeless = end === 'dead' || (isCaelusError(error) && !error.retryable);
  const final = isHopeless && instance.status !== 'Deleting' && instance.status !== 'Deleted';
  const verdict = final ? ({ status: 'Failed', statusReason: 'ProjectionFailed' } as const) : {};
  await recordObserved(transaction, instance, { ...verdict, lastError: message }, timestamp(context));
}

/** Tries again later, or gives up where it has failed too often. */
async function endFailure(
  context: EngineContext,
  transaction: RepositoryTransaction,
  item: WorkItem,
  error: string,
  delay: number,
): Promise<'dead' | 'due' | 'lost'> {
  const isLast = item.attempts + 1 >= context.timings.attempts;
  if (isLast) return transaction.buryWork(item, { at: timestamp(context), error });
  const held = await transaction.releaseWork(item, { availableAt: timestampIn(context, delay), error });
  return held ? 'due' : 'lost';
}

async function announceDeath(
  context: EngineContext,
  transaction: RepositoryTransaction,
  { instanceId, attempts }: WorkItem,
  instance: Instance | undefined,
  error: unknown,
): Promise<void> {
  const { generation = null, changeId = null } = instance ?? {};
  const data = { attempts: attempts + 1, code: isCaelusError(error) ? error.code : null };
  context.logger.error('An instance failed too often, and is tried no more until it is asked for again.', {
    instance: instanceId,
    ...data,
  });
  const event = {
    type: 'work-dead',
    at: timestamp(context),
    instanceId,
    generation,
    changeId,
    actor: null,
    data,
  } as const;
  await transaction.appendEvent(event);
}
