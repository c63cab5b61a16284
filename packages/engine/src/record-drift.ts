import type { DriftKind, Instance, InstanceId, RepositoryTransaction } from '@caelus/core';
import { type EngineContext, timestamp } from './engine-context.ts';

/** Flags an instance, or clears its flag with `null`; an event says so where that is news. */
export async function recordDrift(
  context: EngineContext,
  transaction: RepositoryTransaction,
  instanceId: InstanceId,
  kind: DriftKind | null,
  instance: Pick<Instance, 'generation' | 'changeId'> | undefined,
): Promise<void> {
  const known = await transaction.findDrift(instanceId);
  if ((known?.kind ?? null) === kind) return;
  const at = timestamp(context);
  await transaction.putDrift(instanceId, kind, at);
  const { generation = null, changeId = null } = instance ?? {};
  const type = kind === null ? 'drift-resolved' : 'drift-detected';
  const data = { kind: kind ?? known?.kind ?? null };
  await transaction.appendEvent({ type, at, instanceId, generation, changeId, actor: null, data });
}
