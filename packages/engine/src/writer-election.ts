import type { CallOptions, Lease } from '@caelus/core';
import { type EngineContext, timestamp } from './engine-context.ts';
import { messageOf } from './message-of.ts';

/** A lease as it was last seen, and since when it has looked like that, in milliseconds of the watcher's own clock. */
export interface WatchedLease {
  readonly lease: Lease | undefined;
  readonly since: number;
}

/** What is known after one more look. A holder that lives changes its lease, so one that stays the same grows old. */
export function watchLease(before: WatchedLease | undefined, lease: Lease | undefined, now: number): WatchedLease {
  const isSame = before?.lease?.token === lease?.token && before?.lease?.beat === lease?.beat;
  return isSame && before !== undefined ? { lease, since: before.since } : { lease, since: now };
}

/** Whether a lease may be taken by somebody else. Nobody's clock is compared with another's. */
export function isVacant({ lease, since }: WatchedLease, now: number, milliseconds: number): boolean {
  return lease === undefined || now - since >= milliseconds;
}

/**
 * The election of the one worker that writes the branch. It saves lost races, and no more: one that was paused and still
 * takes itself for the writer meets the store's compare-and-swap.
 */
export interface WriterElection {
  /** Takes the lease where it is vacant, and renews it where it is the caller's and a third of it has passed. Returns whether it is. */
  stand(options?: CallOptions): Promise<boolean>;
  /** Gives the lease back, so that another takes it at once. Never rejects: a lease that stays runs out. */
  resign(): Promise<void>;
}

export function createWriterElection(context: EngineContext, owner: string): WriterElection {
  const { repository, clock, ids, logger, timings, render } = context;
  const name = `writer of ${render.gitOps.repoURL} ${render.gitOps.branch}`.slice(0, 500);
  let held: { readonly lease: Lease; readonly renewed: number } | undefined;
  let watched: WatchedLease | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  /** Without a signal: it is over in a moment, and one that is stopped half-way might hold what nobody knows of. */
  async function put(seen: Lease | undefined, token: string): Promise<boolean> {
    const renewed = clock.now().getTime();
    const next = { owner, token, beat: (seen?.beat ?? 0) + 1, renewedAt: timestamp(context) };
    const isPut = await repository.transaction((transaction) => transaction.replaceLease(name, seen, next));
    held = isPut ? { lease: { name, ...next }, renewed } : undefined;
    return isPut;
  }

  async function stand(options: CallOptions): Promise<boolean> {
    const now = () => clock.now().getTime();
    if (held !== undefined) {
      if (now() - held.renewed < timings.writerLease / 3) return true;
      if (await put(held.lease, held.lease.token)) return true;
      logger.warn('Another worker has become the writer.', { lease: name });
    }
    watched = watchLease(watched, await repository.findLease(name, options), now());
    if (!isVacant(watched, now(), timings.writerLease)) return false;
    const isTaken = await put(watched.lease, ids.uuid());
    watched = undefined;
    if (isTaken) logger.info('This worker has become the writer.', { lease: name });
    return isTaken;
  }

  async function resign(): Promise<void> {
    const lease = held?.lease;
    held = undefined;
    if (lease === undefined) return;
    await repository
      .transaction((transaction) => transaction.replaceLease(name, lease, undefined))
      .catch((error: unknown) => logger.warn('The writer could not resign.', { message: messageOf(error) }));
  }

  /** One after the other: the loop and the heartbeat of a batch share the election. */
  function inTurn<T>(call: () => Promise<T>): Promise<T> {
    const next = turn.then(call);
    turn = next.catch(() => {});
    return next;
  }

  return { stand: (options = {}) => inTurn(() => stand(options)), resign: () => inTurn(resign) };
}
