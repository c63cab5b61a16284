import { type ApplicationEvent, type CallOptions, type Clock, isCaelusError, type Logger } from '@caelus/core';
import { createLinkedAbort } from '@caelus/core/adapter';
import { retryDelay } from '../retry-policy.ts';
import { createEventQueue } from './event-queue.ts';
import { createKnownApplications, type VersionedApplication } from './known-applications.ts';
import { createMovableSleep } from './movable-sleep.ts';
import { createRelistSchedule } from './relist-schedule.ts';

export interface StreamEvent {
  readonly type: 'present' | 'deleted';
  readonly application: VersionedApplication;
}

/** Where {@link watchManaged} reads, all of the same Applications. */
export interface ManagedWatch {
  list(options: CallOptions): Promise<readonly VersionedApplication[]>;
  /** What exists, then changes. It may end, and may miss any of them. */
  stream(options: CallOptions): AsyncIterable<StreamEvent>;
  /** Reads one, surely: `undefined` only where it does not exist. */
  get(name: string, options: CallOptions): Promise<VersionedApplication | undefined>;
  readonly relistMilliseconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Failures in a row, of the stream or of listings, after which the watch fails. */
const MOST_FAILURES = 10;

/**
 * Every Application of the filter, then `synced`, then each change. Argo CD's stream has gaps: between its snapshot and its
 * subscription, where it is read too slowly, and where the connection breaks. Listings close them; what a listing lacks is gone
 * only once Argo CD says so of that one.
 * @throws {CaelusError} `UNAVAILABLE` after 10 failures in a row, and at once what does not pass by itself
 */
export async function* watchManaged(watch: ManagedWatch, signal: AbortSignal): AsyncGenerator<ApplicationEvent> {
  signal.throwIfAborted();
  const { clock, logger } = watch;
  const known = createKnownApplications();
  const queue = createEventQueue();
  const schedule = createRelistSchedule(watch.relistMilliseconds);
  const sleep = createMovableSleep(clock);
  using stopping = createLinkedAbort(signal);
  const inner = stopping.signal;
  const options = { signal: inner };
  const now = () => clock.now().getTime();

  const tell = (event: ApplicationEvent | undefined) => {
    if (event !== undefined) queue.put(event);
  };

  async function followStream(succeeded: () => void): Promise<void> {
    schedule.streamStarted(now());
    sleep.moved();
    for await (const { type, application } of watch.stream(options)) {
      tell(known.observe(type, application, 'stream'));
      schedule.streamMoved(now());
      succeeded();
    }
  }

  async function followListings(succeeded: () => void): Promise<void> {
    for (;;) {
      await sleep.until(schedule.due, inner);
      const begun = now();
      const { news, missing, lost } = known.observeListing(await watch.list(options));
      news.forEach(tell);
      for (const name of missing) await confirmAbsence(name);
      if (schedule.listed(begun, now(), lost)) {
        logger.warn('The watch of Argo CD loses events, so everything is listed sooner.', { lost });
      }
      succeeded();
      if (!isSynced) queue.put({ type: 'synced' });
      isSynced = true;
    }
  }

  /** A listing also lacks what its server does not know yet, and what we may no longer see. */
  async function confirmAbsence(name: string): Promise<void> {
    const version = known.newest();
    const found = await watch.get(name, options);
    tell(found === undefined ? known.observeAbsence(name, version) : known.observe('present', found, 'read'));
  }

  /** Runs until the watch ends, over failures that pass. A stream that ends politely is one that passes. */
  async function repeat(what: string, run: (succeeded: () => void) => Promise<void>): Promise<void> {
    let failures = 0;
    while (!inner.aborted) {
      const error = await run(() => {
        failures = 0;
      }).catch((caught: unknown) => caught ?? new Error(what));
      if (inner.aborted) return;
      failures += 1;
      const isPassing = error === undefined || (isCaelusError(error) && error.retryable);
      if (!isPassing || (error !== undefined && failures >= MOST_FAILURES)) return queue.fail(error);
      if (error !== undefined) logger.warn(`${what} failed, and goes on.`, { failures, message: messageOf(error) });
      await clock.sleep(retryDelay(failures, Math.random()), options).catch(() => {});
    }
  }

  let isSynced = false;
  const loops = [
    repeat('The stream of Applications', followStream),
    repeat('The listing of Applications', followListings),
  ];
  try {
    for (;;) yield await queue.next(signal);
  } finally {
    stopping.abort();
    await Promise.all(loops);
  }
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}
