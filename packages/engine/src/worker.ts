import { hostname } from 'node:os';
import type { CallOptions } from '@caelus/core';
import type { EngineContext } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { messageOf } from './message-of.ts';
import { observeAll, watchApplications } from './observer.ts';
import { projectBatch } from './projector.ts';
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

/** The loops of one process. Disposing of it stops them; what they had begun is finished or given back. */
export interface Worker extends AsyncDisposable {
  /** Stops the loops and resolves when they have stopped. */
  stop(): Promise<void>;
}

/** Starts the loops. An error in one is logged, and it goes on after a wait that doubles up to the retry limit. */
export function startWorker(context: EngineContext, options: WorkerOptions = {}): Worker {
  const { projector = true, observer = true, sweeper = true } = options;
  const stopping = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal;
  const owner = workerName(context);
  const loops = [
    ...(projector ? [repeat(context, 'projector', () => runProjector(context, owner, signal), signal)] : []),
    ...(observer ? [repeat(context, 'observer', () => watchApplications(context, { signal }), signal)] : []),
    ...(observer ? [repeat(context, 'relist', () => runRelist(context, signal), signal)] : []),
    ...(sweeper ? [repeat(context, 'sweeper', () => runSweeper(context, signal), signal)] : []),
  ];
  const stop = async () => {
    stopping.abort(new Error('The worker was stopped.'));
    await Promise.all(loops);
  };
  return { stop, [Symbol.asyncDispose]: stop };
}

/** Names a worker for those who look at its leases. */
export function workerName({ ids }: Pick<EngineContext, 'ids'>): string {
  return `${hostname()}/${process.pid}/${ids.uuid().slice(-8)}`;
}

async function runProjector(context: EngineContext, owner: string, signal: AbortSignal): Promise<void> {
  await ensureRepository(context, { signal });
  for (;;) {
    const seen = context.changed.count();
    const { claimed } = await projectBatch(context, owner, { signal });
    if (claimed === 0) await context.changed.wait(seen, context.timings.poll, { signal });
  }
}

async function runRelist(context: EngineContext, signal: AbortSignal): Promise<void> {
  for (;;) {
    await context.clock.sleep(context.timings.relist, { signal });
    await observeAll(context, { signal });
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
