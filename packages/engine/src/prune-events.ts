import { type CallOptions, PRUNING_LIMITS } from '@caelus/core';
import { type EngineContext, timestampIn } from './engine-context.ts';

/** Forgets what the retention gives free, batch by batch, so that nobody waits long for a lock. Returns how many went. */
export async function pruneEvents(context: EngineContext, options: CallOptions): Promise<number> {
  const { repository, retention, logger } = context;
  if (retention.events === undefined) return 0;
  const { olderThan, keep } = retention.events;
  const before = olderThan === undefined ? undefined : timestampIn(context, -olderThan);
  const pruning = { before, keep, limit: PRUNING_LIMITS.usual };
  let pruned = 0;
  for (;;) {
    const batch = await repository.transaction((transaction) => transaction.pruneEvents(pruning), options);
    pruned += batch;
    if (batch < pruning.limit) break;
  }
  if (pruned > 0) logger.info('Old events were pruned.', { pruned });
  return pruned;
}
