import type { Instance, InstanceObserved, RepositoryTransaction, Timestamp } from '@caelus/core';

/** Writes what was seen of an instance, with an event where its status or the reason of it changes. */
export async function recordObserved(
  transaction: RepositoryTransaction,
  current: Instance,
  observed: Partial<InstanceObserved>,
  at: Timestamp,
): Promise<void> {
  const { id: instanceId, generation, changeId } = current;
  await transaction.updateObserved(instanceId, observed, at);
  const { status = current.status, statusReason = current.statusReason } = observed;
  if (status === current.status && statusReason === current.statusReason) return;
  const data = { from: current.status, to: status, reason: statusReason };
  await transaction.appendEvent({
    type: 'instance-status-changed',
    at,
    instanceId,
    generation,
    changeId,
    actor: null,
    data,
  });
}
