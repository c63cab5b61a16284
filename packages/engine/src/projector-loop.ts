import { type BatchOutcome, firstPace, paceAfter } from './batch-pace.ts';
import type { EngineContext } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { messageOf } from './message-of.ts';
import { type BatchOptions, projectBatch } from './projector.ts';
import { createWriterElection } from './writer-election.ts';

/**
 * Writes the branch for as long as this worker is elected to, and waits for its turn until then. Begins nothing more once `signal`
 * is aborted; what has begun is stopped by `cancelled` alone.
 */
export async function runProjector(
  context: EngineContext,
  owner: string,
  signal: AbortSignal,
  cancelled: AbortSignal,
): Promise<void> {
  const { clock, due, vacated, timings, random } = context;
  const election = createWriterElection(context, owner);
  const often = Math.min(timings.poll, Math.ceil(timings.writerLease / 3));
  let pace = firstPace(timings);
  let isReady = false;
  let storeWorks = false;
  try {
    while (!signal.aborted) {
      const [requests, vacancies] = [due.count(), vacated.count()];
      if (!(await election.stand({ signal }))) {
        isReady = false;
        await vacated.wait(vacancies, timings.poll, { signal });
        continue;
      }
      if (!isReady) await ensureRepository(context, { signal: cancelled });
      isReady = true;
      const onBeat = () => election.stand({ signal: cancelled });
      const outcome = await takeBatch(context, owner, { signal: cancelled, size: pace.size, storeWorks, onBeat });
      storeWorks = !outcome.failed && (storeWorks || outcome.claimed > 0);
      const next = paceAfter(pace, outcome, timings, random());
      pace = next.pace;
      // Where this machine cannot reach what it needs, another one may.
      if (outcome.failed) await election.resign();
      if (next.wait === null) await due.wait(requests, often, { signal });
      else if (next.wait > 0) await clock.sleep(next.wait, { signal });
    }
  } finally {
    await election.resign();
  }
}

async function takeBatch(context: EngineContext, owner: string, options: BatchOptions): Promise<BatchOutcome> {
  const { clock, logger } = context;
  const started = clock.now().getTime();
  const milliseconds = () => clock.now().getTime() - started;
  try {
    const { claimed } = await projectBatch(context, owner, options);
    return { claimed, milliseconds: milliseconds(), failed: false };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    logger.error('A batch could not be written to Git, and is tried again.', { message: messageOf(error) });
    return { claimed: 0, milliseconds: milliseconds(), failed: true };
  }
}
