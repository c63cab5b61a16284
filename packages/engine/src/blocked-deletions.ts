import { type CallOptions, diagnoseDeletion, type Instance, type InstanceObserved } from '@caelus/core';
import { eachPage } from './each-page.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { messageOf } from './message-of.ts';
import { recordAllObserved } from './record-observed.ts';

/**
 * Finds out of every deletion that lasts longer than the grace what holds it up, and says so on its row. Nothing that happens tells
 * of a deletion that stands still, so they are looked at now and then. Returns how many rows changed.
 */
export async function reportBlockedDeletions(context: EngineContext, options: CallOptions = {}): Promise<number> {
  const { repository, logger, changed } = context;
  let count = 0;
  const deleting = eachPage((page) => repository.listInstances({ status: ['Deleting'] }, page, options));
  for await (const instance of deleting) {
    try {
      if (await reportDeletion(context, instance, options)) count += 1;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const details = { application: instance.argoAppName, message: messageOf(error) };
      logger.warn('It could not be found out what holds up a deletion.', details);
    }
  }
  if (count > 0) changed.wake();
  return count;
}

async function reportDeletion(
  { repository, status, timings, clock }: EngineContext,
  instance: Instance,
  options: CallOptions,
): Promise<boolean> {
  const application = await status.get(instance.argoAppName, options);
  const since = Date.parse(application?.metadata.deletionTimestamp ?? '');
  // The cluster is looked into only where there is something to explain.
  if (application === undefined || !(clock.now().getTime() - since >= timings.grace)) return false;
  const resources = (await status.findLiveResources?.(instance.argoAppName, options)) ?? [];
  const now = timestamp({ clock });
  const { blockers, message } = diagnoseDeletion({ application, resources, now, graceMilliseconds: timings.grace });
  if (blockers.length === 0 && instance.statusReason !== 'DeletionBlocked') return false;
  const observed: Partial<InstanceObserved> =
    blockers.length > 0
      ? { statusReason: 'DeletionBlocked', lastError: message }
      : { statusReason: 'Deleting', lastError: null };
  if (instance.statusReason === observed.statusReason && instance.lastError === observed.lastError) return false;
  // Of a row that somebody wrote meanwhile, this is the past; the next look sees the present.
  const written = await repository.transaction(
    (transaction) => recordAllObserved(transaction, [{ current: instance, observed }], now),
    options,
  );
  return written.size > 0;
}
