import { hostname } from 'node:os';
import type { CallOptions } from '@caelus/core';
import { reportBlockedDeletions } from './blocked-deletions.ts';
import type { EngineContext } from './engine-context.ts';
import { messageOf } from './message-of.ts';
import { observeAfterGrace, observeAll, watchApplications } from './observer.ts';
import { runProjector } from './projector-loop.ts';
import { sweepAll } from './sweeper.ts';

/** Which loops a worker runs. Default: all of them. */
export interface WorkerOptions extends CallOptions {
  /** Rows to Git. */
  readonly projector?: boolean | undefined;
  /** Argo CD to rows. */
  readonly observer?: boolean | undefined;
  /** Compares rows and Git now and then. */
  readonly sweeper?: boolean | undefined;
}

export interface StopOptions {
  /** How long a batch that has begun may go on, in milliseconds; then it is stopped and given back. Default 10,000. */
  readonly deadline?: number | undefined;
}

/** The loops of one process. Disposing of it stops them; what they had begun is finished or given back. */
export interface Worker extends AsyncDisposable {
  /**
   * Begins nothing more, finishes what has begun or gives it back, and lets another worker write the branch. Resolves then, and
   * at the latest after twice the deadline, also where a store or database does not answer. A second call waits for the same, and
   * may set an earlier deadline.
   */
  stop(options?: StopOptions): Promise<void>;
}

const DEADLINE_MILLISECONDS = 10_000;

/** Starts the loops. An error in one is logged, and it goes on after a wait that doubles up to the retry limit. */
export function startWorker(context: EngineContext, options: WorkerOptions = {}): Worker {
  const { projector = true, observer = true, sweeper = true } = options;
  const { clock, logger, news } = context;
  const stopping = new AbortController();
  const cancelling = new AbortController();
  const { signal } = stopping;
  const cancel = (reason: unknown) => {
    stopping.abort(reason);
    cancelling.abort(reason);
  };
  // Not AbortSignal.any: Node.js 20 keeps something of each for as long as the host's signal lives, which is for good.
  const onAbort = () => cancel(options.signal?.reason);
  if (options.signal?.aborted) onAbort();
  else options.signal?.addEventListener('abort', onAbort, { once: true });
  const owner = workerName(context);
  const release = news.hold();
  const loops = [
    ...(projector
      ? [repeat(context, 'projector', () => runProjector(context, owner, signal, cancelling.signal), signal)]
      : []),
    ...(observer ? [repeat(context, 'observer', () => watchApplications(context, { signal }), signal)] : []),
    ...(observer ? [repeat(context, 'observer', () => observeAfterGrace(context, { signal }), signal)] : []),
    ...(observer ? [repeat(context, 'relist', () => runRelist(context, signal), signal)] : []),
    ...(observer ? [repeat(context, 'deletions', () => runDeletions(context, signal), signal)] : []),
    ...(sweeper ? [repeat(context, 'sweeper', () => runSweeper(context, signal), signal)] : []),
  ];
  const ended = Promise.all(loops).then(async () => {
    options.signal?.removeEventListener('abort', onAbort);
    await release();
    return true;
  });
  /** Whether the loops have ended by then. */
  const endedWithin = async (milliseconds: number) => {
    const over = new AbortController();
    const late = clock.sleep(milliseconds, { signal: over.signal }).then(
      () => false,
      () => false,
    );
    try {
      return await Promise.race([ended, late]);
    } finally {
      over.abort(new Error('over'));
    }
  };
  const stop = async ({ deadline = DEADLINE_MILLISECONDS }: StopOptions = {}) => {
    stopping.abort(new Error('The worker was stopped.'));
    if (await endedWithin(deadline)) return;
    cancel(new Error('The worker was stopped, and its batch took too long.'));
    if (await endedWithin(deadline)) return;
    logger.error('The worker has not stopped in time: the database or the store does not answer.', { owner });
  };
  return { stop, [Symbol.asyncDispose]: () => stop() };
}

/** Names a worker for those who look at its leases. */
export function workerName({ ids }: Pick<EngineContext, 'ids'>): string {
  return `${hostname()}/${process.pid}/${ids.uuid().slice(-8)}`;
}

async function runRelist(context: EngineContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    await context.clock.sleep(context.timings.relist, { signal });
    await observeAll(context, { signal });
  }
}

async function runDeletions(context: EngineContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    await context.clock.sleep(context.timings.grace, { signal });
    await reportBlockedDeletions(context, { signal });
  }
}

async function runSweeper(context: EngineContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sweepAll(context, { signal });
    await context.clock.sleep(context.timings.sweep, { signal });
  }
}

/** Runs a loop until the signal stops it; resolves then, and never rejects. */
async function repeat(
  { clock, timings, logger }: EngineContext,
  name: string,
  run: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let delay = timings.retry;
  while (!signal.aborted) {
    const started = clock.now().getTime();
    try {
      await run();
    } catch (error) {
      if (signal.aborted) return;
      logger.error(`The ${name} failed, and is started again.`, {
        message: messageOf(error),
      });
      if (clock.now().getTime() - started > timings.retryLimit) delay = timings.retry;
    }
    await clock.sleep(delay, { signal }).catch(() => {});
    delay = Math.min(delay * 2, timings.retryLimit);
  }
}
