// A process that works in a database: `<url> <owner>`. It requests work, claims and completes it, and prints
// `requested <id>` and `done <id> <requested>` for what is committed, until it is killed.
import { writeSync } from 'node:fs';
import type { Timestamp } from '@caelus/core';
import pg from 'pg';
import { createSqlRepository, fromPgPool } from '../src/index.ts';

const [url = '', owner = ''] = process.argv.slice(2);
const print = (line: string) => writeSync(1, `${line}\n`);
const now = () => new Date().toISOString() as Timestamp;

const pool = new pg.Pool({ connectionString: url, max: 3 });
await using repository = await createSqlRepository({ executor: fromPgPool(pool) });

for (let number = 1; ; number++) {
  const id = `work-${owner}-${number}` as never;
  await repository.transaction(async (transaction) => {
    await transaction.requestWork(id, 'written', now());
    await transaction.appendEvent({
      at: now(),
      type: 'instance-created',
      instanceId: id,
      generation: 1,
      changeId: null,
      actor: null,
      data: { requested: id },
    });
  });
  print(`requested ${id}`);
  const claim = { owner, limit: 3, leaseMilliseconds: 1500, now: now() };
  for (const item of await repository.claimWork(claim)) {
    const isMine = await repository.transaction(async (transaction) => {
      const kept = await transaction.completeWork(item);
      if (kept) {
        await transaction.appendEvent({
          at: now(),
          type: 'instance-deleted',
          instanceId: item.instanceId,
          generation: item.requested,
          changeId: null,
          actor: null,
          data: { done: item.instanceId },
        });
      }
      return kept;
    });
    if (isMine) print(`done ${item.instanceId} ${item.requested}`);
  }
}
