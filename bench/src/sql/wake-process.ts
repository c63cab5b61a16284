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

/** When the work that is asked for next was claimed. */
let claimed: Promise<number> | undefined;

const handlers = {
  async open(url: string): Promise<void> {
    rows = await openRows(url, 3);
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
  /** Returns once it listens. */
  async listen(): Promise<void> {
    const { repository } = opened();
    if (repository.onNews === undefined) throw new Error('this repository cannot tell of work');
    let stop: () => Promise<void> = async () => {};
    const heard = new Promise<number>((resolve, reject) => {
      const look = () => claimOne().then((item) => item && resolve(instant()), reject);
      repository
        .onNews?.(() => void look())
        .then((end) => {
          stop = end;
          listening();
        }, reject);
    });
    let listening = () => {};
    await new Promise<void>((resolve) => {
      listening = resolve;
    });
    claimed = heard.finally(() => stop());
  },
  /** As a loop does that nobody wakes. */
  poll(milliseconds: number): void {
    claimed = (async () => {
      for (;;) {
        if ((await claimOne()) !== undefined) return instant();
        await sleep(milliseconds);
      }
    })();
  },
  async claimedAt(): Promise<number> {
    if (claimed === undefined) throw new Error('nobody waits for work');
    return claimed;
  },
  async close(): Promise<void> {
    await rows?.repository[Symbol.asyncDispose]();
    await rows?.pool.end();
  },
};

export type WakeProcess = typeof handlers;

answerCalls(handlers);
