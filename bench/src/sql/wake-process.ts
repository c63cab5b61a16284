// Two processes on one database: one asks for work, the other one claims it as soon as it hears of it, or by asking.
import { setTimeout as sleep } from 'node:timers/promises';
import { toTimestamp, type WorkItem } from '@caelus/core';
import { answerCalls } from '../process-calls.ts';
import { idOf, type OpenRows, openRows } from './open-rows.ts';

let rows: OpenRows | undefined;

const opened = () => {
  if (rows === undefined) throw new Error('no database is open');
  return rows;
};
/** The same clock in both processes, finer than a millisecond. */
const instant = () => performance.timeOrigin + performance.now();

async function claimOne(): Promise<WorkItem | undefined> {
  const claim = { owner: 'bench', limit: 1, leaseMilliseconds: 60_000, now: toTimestamp(new Date()) };
  const [item] = await opened().repository.claimWork(claim);
  return item;
}

/** When the work that is asked for next was claimed, and when this process had heard of it. */
let claimed: Promise<Wake> | undefined;
let stopListening: (() => Promise<void>) | undefined;
let onNews = () => {};

export interface Wake {
  readonly heardAt: number;
  readonly claimedAt: number;
}

const handlers = {
  async open(url: string): Promise<void> {
    rows = await openRows(url, 3);
  },
  /** Listens as a worker does, which keeps the connection that it hears by. */
  async listen(): Promise<void> {
    stopListening = await opened().repository.onNews?.(() => onNews());
    if (stopListening === undefined) throw new Error('this repository cannot tell of work');
  },
  /** Returns when it began to ask. */
  async request(index: number): Promise<number> {
    const began = instant();
    const id = idOf('instance', index) as WorkItem['instanceId'];
    await opened().repository.transaction((transaction) =>
      transaction.requestWork(id, 'bench', toTimestamp(new Date())),
    );
    return began;
  },
  /** As a loop does that is woken. */
  await(): void {
    claimed = new Promise<Wake>((resolve, reject) => {
      onNews = () => {
        const heardAt = instant();
        claimOne().then((item) => item && resolve({ heardAt, claimedAt: instant() }), reject);
      };
    });
  },
  /** As a loop does that nobody wakes. */
  poll(milliseconds: number): void {
    onNews = () => {};
    claimed = (async () => {
      for (;;) {
        const heardAt = instant();
        if ((await claimOne()) !== undefined) return { heardAt, claimedAt: instant() };
        await sleep(milliseconds);
      }
    })();
  },
  async claimed(): Promise<Wake> {
    if (claimed === undefined) throw new Error('nobody waits for work');
    return claimed;
  },
  async close(): Promise<void> {
    await stopListening?.();
    await rows?.repository[Symbol.asyncDispose]();
    await rows?.pool.end();
  },
};

export type WakeProcess = typeof handlers;

answerCalls(handlers);
