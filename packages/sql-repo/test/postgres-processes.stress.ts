import type { CaelusEvent, Timestamp } from '@caelus/core';
import { expect, it } from 'vitest';
import type { SqlRepository } from '../src/index.ts';
import { type Child, startProgram } from './child-process.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

const PROCESSES = 3;
const KILLS = 24;

async function allEvents(repository: SqlRepository): Promise<readonly CaelusEvent[]> {
  const events: CaelusEvent[] = [];
  for (;;) {
    const page = await repository.listEvents({ limit: 500, after: events.at(-1)?.cursor });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Completes what is left. Leases of the killed have run out long before this instant. */
async function finish(repository: SqlRepository): Promise<number> {
  const now = new Date(Date.now() + 60_000).toISOString() as Timestamp;
  let finished = 0;
  for (;;) {
    const items = await repository.claimWork({ owner: 'last', limit: 50, leaseMilliseconds: 1000, now });
    if (items.length === 0) return finished;
    await repository.transaction(async (transaction) => {
      for (const item of items) if (await transaction.completeWork(item)) finished += 1;
    });
  }
}

/** The server rolls back what a killed process had begun once it sees that the connection is gone. */
async function serverHasNoticed(database: TestDatabase): Promise<void> {
  const pool = database.pool();
  const open = `SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'`;
  const deadline = Date.now() + 30_000;
  while ((await pool.query(open)).rows.length > 0) {
    if (Date.now() > deadline) throw new Error('The server still has transactions of killed processes.');
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
  }
}

describeWithServer('processes that claim and complete work, and are killed', () => {
  it(`complete every piece once and lose none, ${KILLS} kills long`, async () => {
    await using database = await createDatabase();
    const repository = await database.open();
    const killed: Child[] = [];
    let next = 0;
    const start = () => startProgram('./postgres-writer-program.ts', database.url, `p${next++}`);
    await Promise.all(
      Array.from({ length: PROCESSES }, async (_, place) => {
        for (let round = 0; round < KILLS / PROCESSES; round++) {
          const child = start();
          killed.push(child);
          // Each is killed at another place: after some line, in the middle of one of the next transactions.
          await child.printed(1 + ((7 * round + 5 * place) % 23));
          child.kill();
          expect(await child.ended).toBe('SIGKILL');
        }
      }),
    );
    const lines = killed.flatMap((child) => child.lines);
    const said = (word: string) =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
    await serverHasNoticed(database);
    const left = await finish(repository);
    const events = await allEvents(repository);
    const requested = events.flatMap(({ data }) => (data.requested === undefined ? [] : [String(data.requested)]));
    const done = events.flatMap(({ data, generation }) =>
      data.done === undefined ? [] : [`${data.done} ${generation}`],
    );

    // What was acknowledged is there, and nothing is there twice.
    expect(said('requested').length).toBeGreaterThan(KILLS);
    expect(said('requested').filter((id) => !requested.includes(id))).toEqual([]);
    expect(said('done').filter((id) => !done.includes(id))).toEqual([]);
    expect(new Set(requested).size).toBe(requested.length);
    expect(new Set(done).size).toBe(done.length);
    // Each request is done once: by a process, or by the one that came last.
    expect(done.length + left).toBe(requested.length);
    expect(await repository.workBacklog()).toEqual({ pending: 0, failing: 0, dead: 0, oldestRequestedAt: null });
  });
});
