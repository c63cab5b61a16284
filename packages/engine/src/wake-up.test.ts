import { createManualClock } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { createWakeUp } from './wake-up.ts';

describe('a wake-up', () => {
  it('wakes everybody who waits', async () => {
    const wakeUp = createWakeUp(createManualClock());
    const waiting = [1, 2, 3].map(() => wakeUp.wait(wakeUp.count(), 1000).then(() => 'woken'));
    wakeUp.wake();
    expect(await Promise.all(waiting)).toEqual(['woken', 'woken', 'woken']);
  });

  it('lets nobody sleep through what came between the look and the wait', async () => {
    const wakeUp = createWakeUp(createManualClock());
    const seen = wakeUp.count();
    wakeUp.wake();
    expect(await wakeUp.wait(seen, 1000)).toBeUndefined();
    expect(wakeUp.count()).toBe(seen + 1);
  });

  it('ends after its time', async () => {
    const clock = createManualClock();
    const wakeUp = createWakeUp(clock);
    let woken = false;
    const waiting = wakeUp.wait(wakeUp.count(), 1000).then(() => {
      woken = true;
    });
    clock.advance(999);
    await Promise.resolve();
    expect(woken).toBe(false);
    clock.advance(1);
    await waiting;
    expect(woken).toBe(true);
  });

  it('stops with the reason of its signal, and leaves nothing on it', async () => {
    const wakeUp = createWakeUp(createManualClock());
    const stop = new AbortController();
    const { signal } = stop;
    const calls: string[] = [];
    const spied = new Proxy(signal, {
      get(target, property) {
        if (property === 'addEventListener' || property === 'removeEventListener') calls.push(property);
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const woken = wakeUp.wait(wakeUp.count(), 1000, { signal: spied });
    wakeUp.wake();
    await woken;
    expect(calls).toEqual(['addEventListener', 'removeEventListener']);
    const reason = new Error('enough');
    const stopped = wakeUp.wait(wakeUp.count(), 1000, { signal });
    stop.abort(reason);
    await expect(stopped).rejects.toBe(reason);
    await expect(wakeUp.wait(wakeUp.count(), 1000, { signal })).rejects.toBe(reason);
  });
});
