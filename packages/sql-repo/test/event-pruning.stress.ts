import { isCaelusError, type NewCaelusEvent, type Timestamp } from '@caelus/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

// Pruning beside transactions that write and readers that follow, in PostgreSQL, where events do not come in the order of commits.

let database: TestDatabase;
beforeEach(async () => {
  database = await createDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

const event = (number: number): NewCaelusEvent => ({
  at: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString() as Timestamp,
  type: 'instance-updated',
  instanceId: null,
  generation: number,
  changeId: null,
  actor: null,
  data: { number },
});

describeWithServer('pruning events in PostgreSQL', () => {
  it('does not go past a transaction that may still come before', async () => {
    const repository = await database.open();
    let end = () => {};
    let begin = () => {};
    const mayEnd = new Promise<void>((resolve) => {
      end = resolve;
    });
    const began = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const slow = repository.transaction(async (transaction) => {
      await transaction.appendEvent(event(1));
      begin();
      await mayEnd;
    });
    await began;
    const start = await repository.eventHead();
    await repository.transaction((transaction) => transaction.appendEvent(event(2)));
    const pruned = await repository.transaction((transaction) => transaction.pruneEvents({ keep: 0 }));
    end();
    await slow;
    expect(pruned).toBe(0);
    const seen = await repository.listEvents({ after: start });
    expect(seen.map(({ generation }) => generation)).toEqual([1, 2]);
    expect(await repository.transaction((transaction) => transaction.pruneEvents({ keep: 0 }))).toBe(2);
  });

  it('lets every reader see each event once, or tells it, beside writers that fail and pruners that race', async () => {
    const shared = await database.open({}, { max: 12 });
    // Before anything is written: who begins here has to see it all.
    const start = await shared.eventHead();
    const written = new Set<number>();
    let isOver = false;
    const write = Array.from({ length: 8 }, async (_, writer) => {
      for (let round = 0; round < 20; round++) {
        const number = writer * 100 + round;
        const call = shared.transaction(async (transaction) => {
          await transaction.appendEvent(event(number));
          if (round % 4 === 3) throw new Error('undone');
        });
        await call.then(
          () => written.add(number),
          () => {},
        );
      }
    });
    const prune = Array.from({ length: 2 }, async () => {
      let pruned = 0;
      while (!isOver)
        pruned += await shared.transaction((transaction) => transaction.pruneEvents({ keep: 15, limit: 4 }));
      return pruned;
    });
    const read = Array.from({ length: 3 }, async () => {
      const stretches: number[][] = [[]];
      let after: string = start;
      for (;;) {
        const wasOver = isOver;
        const page = await shared.listEvents({ after, limit: 5 }).catch((error: unknown) => error);
        if (isCaelusError(page, 'CURSOR_EXPIRED')) {
          stretches.push([]);
          after = await shared.eventHead();
          continue;
        }
        if (!Array.isArray(page)) throw page;
        stretches.at(-1)?.push(...page.map(({ generation }) => generation));
        after = page.at(-1)?.cursor ?? after;
        if (wasOver && page.length === 0) return stretches;
      }
    });
    await Promise.all(write);
    isOver = true;
    const pruned = (await Promise.all(prune)).reduce((sum, count) => sum + count, 0);
    const readers = await Promise.all(read);
    const left = await shared.listEvents({ limit: 500 });
    expect(written.size).toBe(120);
    expect(pruned).toBeGreaterThan(0);
    expect(left.length + pruned).toBe(120);
    for (const stretches of readers) {
      const seen = stretches.flat();
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((number) => !written.has(number))).toEqual([]);
      // Who was never told has missed nothing.
      if (stretches.length === 1) expect(seen).toHaveLength(120);
    }
  });
});
