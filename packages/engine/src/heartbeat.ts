import type { EngineContext } from './engine-context.ts';
import { messageOf } from './message-of.ts';

/** Calls `beat` every so many milliseconds while `body` runs. One that fails is logged, and the next is tried. */
export async function withHeartbeat<T>(
  { clock, logger }: Pick<EngineContext, 'clock' | 'logger'>,
  milliseconds: number,
  beat: () => Promise<unknown>,
  body: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const beating = (async () => {
    for (;;) {
      await clock.sleep(milliseconds, { signal: over.signal });
      await beat().catch((error: unknown) => logger.warn('A lease was not renewed.', { message: messageOf(error) }));
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  try {
    return await body();
  } finally {
    over.abort(new Error('over'));
    await beating;
  }
}
