// A host in a process of its own: it carries out the commands of one stream, and prints the number of each that was
// acknowledged. `HostTask` as JSON is its only argument.
import { writeSync } from 'node:fs';
import { systemClock } from '@caelus/engine';
import { carryOut } from './command-stream.ts';
import { type CrashPoint, crashAt } from './crash-point.ts';
import { runCluster } from './run-cluster.ts';
import { openStack, type StackOptions } from './stack.ts';

export interface HostTask extends Pick<StackOptions, 'store' | 'database'> {
  readonly stream: string;
  readonly first: number;
  readonly end: number;
  /** Milliseconds between two commands: users are not that fast, and the loops need their turn. */
  readonly pause: number;
  /** The most instances that are left to be worked on when a command is given. Default: any. */
  readonly backlog?: number;
  /** Whether a worker runs beside the commands, and Argo CD. */
  readonly works: boolean;
  readonly crash?: { readonly point: CrashPoint; readonly nth: number };
}

// The cast: the tests that start this program give it nothing else.
const { stream, first, end, pause, backlog, works, crash, ...task } = JSON.parse(process.argv[2] ?? '') as HostTask;
await using stack = await openStack({
  ...task,
  // The lease is shorter than a batch may take, so that it also runs out under who holds it.
  timings: { lease: 200, writerLease: 500, sweep: 5_000, relist: 5_000 },
  ...(crash && crashAt(crash.point, crash.nth, task)),
});
await using _worker = works ? stack.caelus.start() : undefined;
await using _cluster = works ? runCluster(stack.argoCd, 20) : undefined;
for (let number = first; number < end; number++) {
  while (backlog !== undefined && (await stack.repository.workBacklog()).pending > backlog) {
    await systemClock.sleep(20);
  }
  await carryOut(stack, stream, number);
  writeSync(1, `${number}\n`);
  await systemClock.sleep(pause);
}
