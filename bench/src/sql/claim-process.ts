// Workers in a process of their own that claim work and complete it.
import { type Timestamp, toTimestamp, type WorkItem } from '@caelus/core';
import { timed } from '../bench-result.ts';
import { answerCalls } from '../process-calls.ts';
import { idOf, type OpenRows, openRows } from './open-rows.ts';

let rows: OpenRows | undefined;

const opened = () => {
  if (rows === undefined) throw new Error('no database is open');
  return rows;
};
const now = (): Timestamp => toTimestamp(new Date());

const handlers = {
  async open(url: string, connections: number): Promise<void> {
    rows = await openRows(url, connections);
  },
  async request(count: number): Promise<void> {
    const { repository } = opened();
    for (let index = 0; index < count; index += 1000) {
      await repository.transaction(async (transaction) => {
        for (let each = index; each < Math.min(index + 1000, count); each += 1) {
          await transaction.requestWork(idOf('instance', each) as WorkItem['instanceId'], 'bench', now());
        }
      });
    }
  },
  /** Milliseconds until so many workers have claimed and completed all that is due, and how much that was. */
  async work(workers: number, batch: number): Promise<{ readonly milliseconds: number; readonly completed: number }> {
    const { repository } = opened();
    let completed = 0;
    const work = async (owner: string) => {
      for (;;) {
        const claim = { owner, limit: batch, leaseMilliseconds: 60_000, now: now() };
        const items = await repository.claimWork(claim);
        if (items.length === 0) return;
        await repository.transaction(async (transaction) => {
          const held = await transaction.completeWorkMany(items);
          completed += held.length;
        });
      }
    };
    const milliseconds = await timed(() =>
      Promise.all(Array.from({ length: workers }, (_, worker) => work(`worker-${worker}`))),
    );
    return { milliseconds, completed };
  },
  async close(): Promise<void> {
    await rows?.pool.end();
  },
};

export type ClaimProcess = typeof handlers;

answerCalls(handlers);
