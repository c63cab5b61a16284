import type {
  Instance,
  InstanceId,
  InstanceObserved,
  NewCaelusEvent,
  ObservedUpdate,
  RepositoryTransaction,
  Timestamp,
} from '@caelus/core';

/** Writes what was seen of an instance, with an event where its status or the reason of it changes. */
export async function recordObserved(
  transaction: RepositoryTransaction,
  current: Instance,
  observed: Partial<InstanceObserved>,
  at: Timestamp,
): Promise<void> {
  await transaction.updateObserved(current.id, observed, at);
  for (const event of statusChanged({ current, observed }, at)) await transaction.appendEvent(event);
}

/** The same of many, of each only where its row is still as it was read. Returns which were written. */
export async function recordAllObserved(
  transaction: RepositoryTransaction,
  updates: readonly ObservedUpdate[],
  at: Timestamp,
): Promise<ReadonlySet<InstanceId>> {
  const written = new Set(await transaction.updateObservedMany(updates, at));
  const recorded = updates.filter(({ current }) => written.has(current.id));
  await transaction.appendEvents(recorded.flatMap((update) => statusChanged(update, at)));
  return written;
}

function statusChanged({ current, observed }: ObservedUpdate, at: Timestamp): readonly NewCaelusEvent[] {
  const { id: instanceId, generation, changeId } = current;
  const { status = current.status, statusReason = current.statusReason } = observed;
  if (status === current.status && statusReason === current.statusReason) return [];
  const data = { from: current.status, to: status, reason: statusReason };
  return [{ type: 'instance-status-changed', at, instanceId, generation, changeId, actor: null, data }];
}
