import { type CaelusEvent, type CallOptions, type EventQuery, PAGE_LIMITS, parseInstanceId } from '@caelus/core';
import type { EngineContext } from './engine-context.ts';

export interface EventStreamOptions extends Omit<EventQuery, 'limit' | 'instanceId'>, CallOptions {
  /** Only events of this instance. */
  readonly instanceId?: string | undefined;
}

/** Every event after `after`, and then each new one, until the signal stops it or the caller stops iterating. */
export async function* streamEvents(
  { repository, changed, news, timings }: EngineContext,
  { signal, instanceId, ...rest }: EventStreamOptions = {},
): AsyncGenerator<CaelusEvent> {
  const query = { ...rest, instanceId: instanceId === undefined ? undefined : parseInstanceId(instanceId) };
  let { after } = query;
  const release = news.hold();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const seen = changed.count();
      const head = await repository.eventHead({ signal });
      const page = { ...query, after, limit: PAGE_LIMITS.most };
      const events = head === after ? [] : await repository.listEvents(page, { signal });
      for (const event of events) {
        after = event.cursor;
        yield event;
      }
      if (events.length > 0) continue;
      // All up to the head was looked through. From there a stream whose filter finds little does not fall behind what is pruned.
      after = head;
      // Not every database tells what other processes do, so the wait is never longer than a poll.
      await changed.wait(seen, timings.poll, { signal });
    }
  } finally {
    await release();
  }
}
