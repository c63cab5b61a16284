import { setTimeout as delay } from 'node:timers/promises';
import { type ApplicationEvent, type CallOptions, isCaelusError, type Logger } from '@caelus/core';
import { isExpired } from '../client/api-status.ts';
import type { KubernetesObject } from '../client/resource.ts';
import { RESOURCES } from '../client/resource.ts';
import { unavailable } from '../kubernetes-errors.ts';
import { type ApplicationPlace, isAhead, ListingExpiredError, listPages } from './application-listing.ts';
import { MANAGED_SELECTOR, toApplication } from './managed-applications.ts';
import { nextWatchStep, WATCH_START, type WatchOutcome, type WatchPatience, type WatchProgress } from './watch-step.ts';

export interface ApplicationWatch extends ApplicationPlace {
  readonly patience: WatchPatience;
  /** How long the server keeps one watch open. */
  readonly watchSeconds: number;
  readonly logger: Logger;
}

/** A watch that the server ends sooner than this, without a word, has not worked. In milliseconds. */
const SHORT = 1000;

/**
 * Every managed Application, then `synced`, then each change. Goes on over broken connections, restarts of the server and
 * forgotten moments; what was deleted meanwhile is told as well.
 * @throws {CaelusError} `UNAVAILABLE` after too many failures in a row, and what says that the caller may not watch
 */
export async function* watchApplications(
  watch: ApplicationWatch,
  options: CallOptions,
): AsyncGenerator<ApplicationEvent> {
  const { client, patience, logger } = watch;
  const { signal } = options;
  /** Name to the version that was told last. */
  const known = new Map<string, string>();
  let progress: WatchProgress = WATCH_START;
  let action: 'list' | 'watch' = 'list';
  let isSynced = false;
  let lastFailure: unknown;

  /** Tells of an Application, unless what is known of it is as new. */
  function* tell(object: KubernetesObject): Generator<ApplicationEvent> {
    const { name, resourceVersion = '' } = object.metadata;
    if (known.get(name) === resourceVersion) return;
    known.set(name, resourceVersion);
    yield { type: 'present', application: toApplication(object) };
  }

  /**
   * Tells that an Application is gone, once the server says so by its name: to those who watch by label, one that only lost
   * the label looks deleted, and another of its name may be there by now.
   */
  async function* tellGone(name: string): AsyncGenerator<ApplicationEvent> {
    const found = await client.get(RESOURCES.Application, { namespace: watch.namespace, name }, options);
    if (found !== undefined) return yield* tell(found);
    known.delete(name);
    yield { type: 'absent', name };
  }

  async function* listOnce(): AsyncGenerator<ApplicationEvent, WatchOutcome> {
    const listed = new Set<string>();
    let resourceVersion = '';
    for await (const page of listPages(watch, options)) {
      for (const object of page.items) {
        listed.add(object.metadata.name);
        yield* tell(object);
      }
      resourceVersion = page.resourceVersion;
    }
    for (const name of [...known.keys()]) if (!listed.has(name)) yield* tellGone(name);
    if (!isSynced) yield { type: 'synced' };
    isSynced = true;
    return { type: 'listed', resourceVersion };
  }

  async function* watchOnce(resourceVersion: string): AsyncGenerator<ApplicationEvent, WatchOutcome> {
    const { namespace, watchSeconds } = watch;
    const started = performance.now();
    const request = { namespace, labelSelector: MANAGED_SELECTOR, resourceVersion, timeoutSeconds: watchSeconds };
    const answer = await client.watch(RESOURCES.Application, request, options);
    if (!answer.ok) {
      if (isExpired(answer.status)) return { type: 'expired' };
      lastFailure = client.failure(`watch Applications in ${namespace}`, answer.status);
      if (!isCaelusError(lastFailure, 'UNAVAILABLE')) throw lastFailure;
      return { type: 'failed', waitSeconds: answer.retryAfter };
    }
    for await (const event of answer.value) {
      if (event.type === 'ERROR') {
        if (isExpired(event.status)) return { type: 'expired' };
        lastFailure = client.failure(`watch Applications in ${namespace}`, event.status);
        return { type: 'failed', waitSeconds: event.status.retryAfter };
      }
      const { name, resourceVersion: at = '' } = event.object.metadata;
      if (event.type === 'DELETED') yield* tellGone(name);
      else if (event.type !== 'BOOKMARK') yield* tell(event.object);
      // After the telling: where that fails, the event comes again.
      progress = { resourceVersion: at, failures: 0 };
    }
    if (progress.resourceVersion !== resourceVersion) return { type: 'ended' };
    if (performance.now() - started < SHORT) return { type: 'failed' };
    // A server waits without a word for a version that it does not have, as after it was restored from a backup.
    return (await isAhead(watch, resourceVersion, options)) ? { type: 'expired' } : { type: 'ended' };
  }

  for (;;) {
    let outcome: WatchOutcome;
    try {
      const { resourceVersion } = progress;
      const isListing = action === 'list' || resourceVersion === undefined;
      outcome = yield* isListing ? listOnce() : watchOnce(resourceVersion);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ListingExpiredError) outcome = { type: 'expired' };
      else if (isCaelusError(error, 'UNAVAILABLE')) outcome = { type: 'failed' };
      else throw error;
      lastFailure = error;
    }
    signal?.throwIfAborted();
    const step = nextWatchStep(progress, outcome, patience);
    if (step.type === 'give-up') {
      if (isCaelusError(lastFailure, 'UNAVAILABLE')) throw lastFailure;
      throw unavailable(client.name, `its watch failed ${patience.failures} times in a row.`, lastFailure);
    }
    const { least, random } = step.wait;
    const milliseconds = least + Math.random() * random;
    if (outcome.type === 'failed') logger.warn('The watch of Applications broke, and goes on.', { milliseconds });
    if (milliseconds > 0) await delay(milliseconds, undefined, { signal }).catch(() => signal?.throwIfAborted());
    action = step.type;
    progress = step.progress;
  }
}
