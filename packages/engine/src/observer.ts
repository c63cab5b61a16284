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
  type Timestamp,
} from '@caelus/core';
import { carriesChange } from './carries-change.ts';
import { eachInstance } from './each-instance.ts';
import { inLots } from './each-page.ts';
import { type EngineContext, timestamp, timestampIn } from './engine-context.ts';
import { messageOf } from './message-of.ts';
import { recordAllObserved } from './record-observed.ts';

/** What one look at every Application came to. */
export interface ObserveReport {
  /** Applications and instances that were looked at. */
  readonly observed: number;
  /** Rows that changed. */
  readonly changed: number;
}

/** How much later than another's a clock may be, for what was written by it to count as written before. */
const CLOCK_SKEW_MILLISECONDS = 60_000;

/** Reads every Application, and brings the rows to what Argo CD says. */
export async function observeAll(context: EngineContext, options: CallOptions = {}): Promise<ObserveReport> {
  return context.observe('status-observe', {}, async (add) => {
    const seen = new Set<string>();
    let changed = 0;
    const since = timestampIn(context, -CLOCK_SKEW_MILLISECONDS);
    for await (const lot of inLots(context.status.list(options))) {
      const sightings = lot.map((application) => ({ name: application.metadata.name, application }));
      for (const { name } of sightings) seen.add(name);
      changed += await observeLot(context, sightings, since, options);
    }
    const unseen = (async function* () {
      for await (const { argoAppName } of eachInstance(context, options)) if (!seen.has(argoAppName)) yield argoAppName;
    })();
    for await (const lot of inLots(unseen)) {
      const sightings = lot.map((name) => ({ name, application: undefined }));
      for (const { name } of sightings) seen.add(name);
      changed += await observeLot(context, sightings, since, options);
    }
    add({ observed: seen.size, changed });
    return { observed: seen.size, changed };
  });
}

/** An Application by its name; `undefined` where there is none of that name. */
interface Sighting {
  readonly name: string;
  readonly application: Application | undefined;
}

/** What an Application means for its row, where that is news. */
interface Seen {
  readonly instance: Instance;
  readonly gitState: GitState | undefined;
  readonly mapped: MappedStatus;
}

/**
 * Brings the rows of many Applications to what a listing says of them, and tells how many changed. A listing takes long, and a
 * watch may have told of something newer meanwhile: what somebody wrote after `since` is read anew, by name.
 */
async function observeLot(
  context: EngineContext,
  sightings: readonly Sighting[],
  since: Timestamp,
  options: CallOptions,
): Promise<number> {
  const news = await compare(context, sightings, options);
  const isOld = ({ instance }: Seen) => instance.updatedAt < since;
  const { changed, missed } = await record(context, news.filter(isOld), options);
  const recent = news.filter((seen) => !isOld(seen)).map(({ instance }) => instance.argoAppName);
  return changed + (await observeAnew(context, [...recent, ...missed], options));
}

/** How often what others keep writing is read anew, before it is left to the next look. */
const ATTEMPTS = 5;

/** Reads Applications by name, and brings their rows to what they say now. Returns how many changed. */
async function observeAnew(context: EngineContext, names: readonly string[], options: CallOptions): Promise<number> {
  let changed = 0;
  let left = names;
  for (let attempt = 1; left.length > 0 && attempt <= ATTEMPTS; attempt++) {
    const sightings: Sighting[] = [];
    for (const name of left) sightings.push({ name, application: await context.status.get(name, options) });
    const recorded = await record(context, await compare(context, sightings, options), options);
    changed += recorded.changed;
    left = recorded.missed;
  }
  return changed;
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

/** Looks again at the Applications whose grace period is over, until the signal stops it. */
export async function observeAfterGrace(context: EngineContext, options: CallOptions): Promise<void> {
  for (;;) await observeAnew(context, await context.gracePeriods.over(options), options);
}

/** Reads one Application, as after a hint that it changed, and brings its row to what Argo CD says. Returns whether the row changed. */
export async function observeNamed(context: EngineContext, name: string, options: CallOptions = {}): Promise<boolean> {
  // A hint may come from anywhere, and Argo CD is asked about our own alone.
  if ((await context.repository.findInstanceByArgoAppName(name, options)) === undefined) return false;
  return context.observe('application-observe', {}, async (add) => {
    const changed = (await observeAnew(context, [name], options)) > 0;
    add({ changed });
    return changed;
  });
}

/** Brings the row of one Application to what Argo CD says. */
async function observeApplication(
  context: EngineContext,
  name: string,
  application: Application | undefined,
  options: CallOptions,
): Promise<void> {
  const { missed } = await record(context, await compare(context, [{ name, application }], options), options);
  await observeAnew(context, missed, options);
}

/**
 * Writes what is news, in one transaction. Tells how many rows changed, and the names of those that somebody wrote after they were
 * compared: what was mapped is about the past.
 */
async function record(
  context: EngineContext,
  news: readonly Seen[],
  options: CallOptions,
): Promise<{ readonly changed: number; readonly missed: readonly string[] }> {
  if (news.length === 0) return { changed: 0, missed: [] };
  const updates = news.map(({ instance, gitState, mapped }) => ({
    current: instance,
    observed: observedOf(instance, gitState, mapped),
  }));
  const differing = updates.filter(({ current, observed }) => differs(current, observed));
  const gone = news.filter(({ mapped }) => mapped.status === 'Deleted').map(({ instance }) => instance.id);
  const written = await context.repository.transaction(async (transaction) => {
    const at = timestamp(context);
    // A look more than needed does no harm, and so they are not read again.
    for (const id of gone) await transaction.requestWork(id, 'application-gone', at);
    return recordAllObserved(transaction, differing, at);
  }, options);
  if (gone.length > 0) context.due.wake();
  if (written.size > 0) context.changed.wake();
  const missed = differing.filter(({ current }) => !written.has(current.id));
  return { changed: written.size, missed: missed.map(({ current }) => current.argoAppName) };
}

/** Which Applications mean something for their rows that these do not say yet; those of nobody's are left out. */
async function compare(
  context: EngineContext,
  sightings: readonly Sighting[],
  options: CallOptions,
): Promise<readonly Seen[]> {
  const { repository } = context;
  const names = sightings.map(({ name }) => name);
  const instances = await repository.findInstancesByArgoAppNames(names, options);
  const byName = new Map(instances.map((instance) => [instance.argoAppName, instance]));
  const ids = instances.map(({ id }) => id);
  const states = new Map((await repository.findGitStates(ids, options)).map((state) => [state.instanceId, state]));
  const news: Seen[] = [];
  for (const { name, application } of sightings) {
    const instance = byName.get(name);
    if (instance === undefined) {
      context.gracePeriods.note(name, null);
      continue;
    }
    const gitState = states.get(instance.id);
    const reached = await findReached(context, gitState, application, options);
    const mapped = mapStatus({
      wanted: isWanted(instance),
      application,
      specHash: gitState?.specHash ?? '',
      writtenAt: gitState?.writtenAt,
      reaches: (revision) => reached.has(revision),
      now: timestamp(context),
      graceMilliseconds: context.timings.grace,
    });
    context.gracePeriods.note(name, mapped.graceEnd);
    if (mapped.syncSkipped) await startSync(context, name, options);
    const isNews = mapped.status === 'Deleted' || differs(instance, observedOf(instance, gitState, mapped));
    if (isNews) news.push({ instance, gitState, mapped });
  }
  return news;
}

/** Starts the sync that Argo CD does not start by itself. Where one runs by now, that is as well. */
async function startSync({ status, logger }: EngineContext, name: string, options: CallOptions): Promise<void> {
  const { control } = status;
  if (control === undefined) return;
  try {
    await control.sync(name, { ...options, prune: true });
    logger.info('Started the sync of an instance, after one of an older commit had failed.', { application: name });
  } catch (error) {
    options.signal?.throwIfAborted();
    logger.warn('The sync of an instance could not be started.', { application: name, message: messageOf(error) });
  }
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
    // What holds it up was found out by more than the Application, and is so until it is looked at again.
    if (instance.statusReason === 'DeletionBlocked' && mapped.status === 'Deleting') return seen;
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
