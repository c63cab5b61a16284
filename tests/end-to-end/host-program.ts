// A host in a process of its own: it carries out the commands of one stream while its worker runs, and prints the number of
// each that was acknowledged. `HostTask` as JSON is its only argument.
import { writeSync } from 'node:fs';
import { systemClock } from '@caelus/engine';
import { carryOut } from './command-stream.ts';
import { type CrashPoint, crashAt } from './crash-point.ts';
import { openStack, type StackOptions } from './stack.ts';

export interface HostTask extends Pick<StackOptions, 'store' | 'database'> {
  readonly stream: string;
  readonly first: number;
  readonly end: number;
  readonly crash?: { readonly point: CrashPoint; readonly nth: number };
}

// The cast: the tests that start this program give it nothing else.
const { store, database, stream, first, end, crash } = JSON.parse(process.argv[2] ?? '') as HostTask;
await using stack = await openStack({
  store,
  database,
  // The lease is shorter than a batch may take, so that it also runs out under who holds it.
  timings: { lease: 200, sweep: 5_000, relist: 5_000 },
  ...(crash && { wrap: crashAt(crash.point, crash.nth) }),
});
await using _worker = stack.caelus.start();
const stopped = new AbortController();
const cluster = (async () => {
  while (!stopped.signal.aborted) {
    await stack.argoCd.reconcile();
    await systemClock.sleep(20);
  }
})();
for (let number = first; number < end; number++) {
  await carryOut(stack, stream, number);
  writeSync(1, `${number}\n`);
  // Users are not that fast, and the loops need their turn.
  await systemClock.sleep(5);
}
stopped.abort();
await cluster;
