import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createEventQueue } from './event-queue.ts';

const absent = (name: string) => ({ type: 'absent', name }) as const;

describe('the queue of events', () => {
  it('leaves nothing at the signal, however often a reader has waited', async () => {
    const queue = createEventQueue();
    const { signal } = new AbortController();
    for (let index = 0; index < 20; index += 1) {
      const next = queue.next(signal);
      queue.put(absent(`one-${index}`));
      expect(await next).toEqual(absent(`one-${index}`));
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends the wait with the reason of the signal', async () => {
    const stop = new AbortController();
    const next = createEventQueue().next(stop.signal);
    const reason = new Error('enough');
    stop.abort(reason);
    await expect(next).rejects.toBe(reason);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});
