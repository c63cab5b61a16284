// A process that writes to a database: `<file> <writer> <count>`. It prints `<writer> <number>` for each transaction that is
// committed, and `claimed <instance> <requested>` for each piece of work that it held and completed.
import { writeSync } from 'node:fs';
import type { InstanceId, Timestamp } from '@caelus/core';
import { createSqlRepository } from '../src/index.ts';

const [file = '', writer = '', count = '0'] = process.argv.slice(2);
const print = (line: string) => writeSync(1, `${line}\n`);
const now = () => new Date().toISOString() as Timestamp;

await using repository = await createSqlRepository({ file, busyTimeoutMilliseconds: 60_000 });
const [instance] = (await repository.listInstances()).items;
if (instance === undefined) throw new Error('The database has no instance to write to.');

for (let number = 1; number <= Number(count); number++) {
  await repository.transaction(async (transaction) => {
    const found = await transaction.findInstance(instance.id);
    if (found === undefined) throw new Error('The instance is gone.');
    const next = String(Number(found.userValues[writer] ?? 0) + 1);
    const changeId = crypto.randomUUID() as typeof found.changeId;
    await transaction.updateDesired(found.id, found.generation, {
      changeId,
      changedBy: null,
      updatedAt: now(),
      status: 'Pending',
      statusReason: 'Updated',
      userValues: { ...found.userValues, [writer]: next },
    });
    const work = `work-${writer}-${number}` as InstanceId;
    await transaction.requestWork(work, 'written', now());
    await transaction.appendEvent({
      at: now(),
      type: 'instance-updated',
      instanceId: found.id,
      generation: found.generation + 1,
      changeId,
      actor: null,
      data: { writer, number },
    });
  });
  print(`${writer} ${number}`);
  if (number % 4 === 0) {
    const claim = { owner: writer, limit: 4, leaseMilliseconds: 600_000, now: now() };
    for (const item of await repository.claimWork(claim)) {
      const isMine = await repository.transaction((transaction) => transaction.completeWork(item));
      if (isMine) print(`claimed ${item.instanceId} ${item.requested}`);
    }
  }
}
