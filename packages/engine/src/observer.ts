import {
  type Application,
  type CallOptions,
  type CommitId,
  type GitState,
  type Instance,
  type InstanceObserved,
  isWanted,
  type MappedStatus,
  mapStatus,
  revisionsToReach,
} from '@caelus/core';
import { carriesChange } from './carries-change.ts';
import { eachInstance } from './each-instance.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { recordObserved } from './record-observed.ts';

/** What one look at every Application came to. */
export interface ObserveReport {
  /** Applications and instances that were looked at. */
  readonly observed: number;
  /** Rows that changed. */
  readonly changed: number;
}

/** Reads every Application, and brings the rows to what Argo CD says. */
export async function observeAll(context: EngineContext, options: CallOptions = {}): Promise<ObserveReport> {
  return context.observe('status-observe', {}, async (add) => {
    const seen = new Set<string>();
    let changed = 0;
    /** A listing takes long, and a watch may have told of something newer meanwhile: news are read anew, by name. */
    const look = async (name: string, listed: Application | undefined) => {
      seen.add(name);
      if ((await compare(context, name, listed, options)) === undefined) return;
      const application = await context.status.get(name, options);
      if (await observeApplication(context, name, application, options)) changed += 1;
    };
    for await (const application of context.status.list(options)) await look(application.metadata.name, application);
    for await (const { argoAppName } of eachInstance(context, options)) {
      if (!seen.has(argoAppName)) await look(argoAppName, undefined);
    }
    add({ observed: seen.size, changed });
    return { observed: seen.size, changed };
  });
}

/** Follows the changes of every Application until the signal stops it. */
export async function watchApplications(context: EngineContext, options: CallOptions): Promise<void> {
  for await (const event of context.status.watch(options)) {
    if (event.type === 'present') {
      await observeApplication(context, event.application.metadata.name, event.application, options);
    } else if (event.type === 'absent') {
      await observeApplication(context, event.name, undefined, options);
    }
  }
}

/** Brings the row of one Application to what Argo CD says. Returns whether the row changed. */
async function observeApplication(
  context: EngineContext,
  name: string,
  application: Application | undefined,
  options: CallOptions,
): Promise<boolean> {
  const seen = await compare(context, name, application, options);
  if (seen === undefined) return false;
  const { instance, gitState, mapped } = seen;
  const changed = await context.repository.transaction(async (transaction) => {
    const current = await transaction.findInstance(instance.id);
    // A command or a commit came between: what was mapped is about the past, and the next look will tell.
    if (current === undefined || current.changeId !== instance.changeId || current.status === 'Deleted') return false;
    const at = timestamp(context);
    if (mapped.status === 'Deleted') await transaction.requestWork(instance.id, 'application-gone', at);
    const next = observedOf(current, gitState, mapped);
    if (!differs(current, next)) return false;
    await recordObserved(transaction, current, next, at);
    return true;
  }, options);
  if (mapped.status === 'Deleted') context.due.wake();
  if (changed) context.changed.wake();
  return changed;
}

/** What an Application means for its row; `undefined` where it is nobody's, or the row says so already. */
async function compare(
  context: EngineContext,
  name: string,
  application: Application | undefined,
  options: CallOptions,
): Promise<
  { readonly instance: Instance; readonly gitState: GitState | undefined; readonly mapped: MappedStatus } | undefined
> {
  const { repository } = context;
  const instance = await repository.findInstanceByArgoAppName(name, options);
  if (instance === undefined) return undefined;
  const gitState = await repository.findGitState(instance.id, options);
  const reached = await findReached(context, gitState, application, options);
  const mapped = mapStatus({
    wanted: isWanted(instance),
    application,
    specHash: gitState?.specHash ?? '',
    reaches: (revision) => reached.has(revision),
    now: timestamp(context),
    graceMilliseconds: context.timings.grace,
  });
  const isNews = mapped.status === 'Deleted' || differs(instance, observedOf(instance, gitState, mapped));
  return isNews ? { instance, gitState, mapped } : undefined;
}

/** What the row says after what was seen; pure. */
export function observedOf(
  instance: Instance,
  gitState: GitState | undefined,
  mapped: MappedStatus,
): Partial<InstanceObserved> {
  const { syncStatus, healthStatus } = mapped;
  const lastSyncedAt = mapped.lastSyncedAt ?? instance.lastSyncedAt;
  const seen = { syncStatus, healthStatus, lastSyncedAt };
  if (!isWanted(instance)) {
    // The row is Deleted only once its directory is gone too, which is the projector's to say.
    return { ...seen, status: 'Deleting', statusReason: mapped.reason, lastError: mapped.message };
  }
  if (gitState?.generation !== instance.generation || gitState.phase !== 'present') {
    if (instance.statusReason === 'ProjectionFailed') return seen;
    return { ...seen, status: 'Pending', statusReason: 'AwaitingCommit' };
  }
  return {
    ...seen,
    status: mapped.status,
    statusReason: mapped.reason,
    lastError: mapped.message,
    ...(mapped.synced && { observedGeneration: gitState.generation }),
    ...(mapped.status === 'Running' && { appliedTemplateVersionId: instance.desiredTemplateVersionId }),
  };
}

function differs(instance: Instance, next: Partial<InstanceObserved>): boolean {
  return Object.entries(next).some(([key, value]) => instance[key as keyof InstanceObserved] !== value);
}

/** The revisions that are the instance's commit, come after it, or have what it wrote. */
async function findReached(
  context: EngineContext,
  gitState: GitState | undefined,
  application: Application | undefined,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  if (gitState === undefined || application === undefined) return new Set();
  const { store, ancestry } = context;
  const { commit } = gitState;
  const isReached = async (text: string) => {
    const revision = text as CommitId;
    if (revision === commit || (await ancestry.isAncestor(store, commit, revision, options))) return true;
    return carriesChange(context, gitState, revision, options);
  };
  const revisions = revisionsToReach(application);
  const reached = await Promise.all(revisions.map(isReached));
  return new Set(revisions.filter((_, index) => reached[index]));
}
