import { silentLogger } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createMaintenance } from './maintenance.ts';

/** Packs that come one by one, and a run that folds all of them into one when it is let go. */
function scene() {
  let packs = 0;
  let runs = 0;
  let letGo = () => {};
  const maintenance = createMaintenance({
    countPacks: () => packs,
    async consolidate() {
      runs += 1;
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
      packs = 1;
    },
    logger: silentLogger,
  });
  return {
    maintenance,
    runs: () => runs,
    letGo: () => letGo(),
    add(count: number) {
      for (let index = 0; index < count; index += 1) {
        packs += 1;
        maintenance.afterWrite();
      }
    },
  };
}

async function isSettled(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol('pending');
  // Whatever is settled has its turn before the next one of the loop.
  const turn = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([promise, turn])) !== pending;
}

describe('maintenance', () => {
  it('begins with the 32nd pack, and once only while it runs', async () => {
    const { maintenance, add, runs, letGo } = scene();
    add(31);
    await isSettled(maintenance.settled());
    expect(runs()).toBe(0);
    add(10);
    await isSettled(maintenance.settled());
    expect(runs()).toBe(1);
    letGo();
    await maintenance.settled();
    add(31);
    expect(runs()).toBe(1);
    add(1);
    await isSettled(maintenance.settled());
    expect(runs()).toBe(2);
    letGo();
    await maintenance.settled();
  });

  it('lets nobody write from 128 packs on, until it has run', async () => {
    const { maintenance, add, letGo } = scene();
    add(127);
    expect(await isSettled(maintenance.room())).toBe(true);
    add(1);
    const room = maintenance.room();
    expect(await isSettled(room)).toBe(false);
    letGo();
    await room;
    expect(await isSettled(maintenance.room())).toBe(true);
  });
});
