// A worker in a process of its own, beside others and without commands of its own. It prints `started` once its loops run, then
// `batch` after each batch, and runs until it is killed. `WorkerTask` as JSON is its only argument.
import { writeSync } from 'node:fs';
import { type CrashPoint, crashAt } from './crash-point.ts';
import { runCluster } from './run-cluster.ts';
import { openStack, type StackOptions } from './stack.ts';

export interface WorkerTask extends Pick<StackOptions, 'store' | 'database' | 'cluster'> {
  readonly crash?: { readonly point: CrashPoint; readonly nth: number } | undefined;
}

// The cast: the tests that start this program give it nothing else.
const { crash, ...task } = JSON.parse(process.argv[2] ?? '') as WorkerTask;
await using stack = await openStack({
  ...task,
  // Short leases, so that what a killed worker had is soon free again, and also runs out under a living one; small batches,
  // so that there are many.
  timings: { lease: 1_000, writerLease: 500, relist: 2_000, batch: 5 },
  telemetry: { onOperationEnd: ({ name }) => void (name === 'batch-project' && writeSync(1, 'batch\n')) },
  ...(crash && crashAt(crash.point, crash.nth, task)),
});
// Leases alone have to bring back what was lost: nobody compares rows with Git meanwhile.
await using _worker = stack.caelus.start({ sweeper: false });
await using _cluster = runCluster(stack.argoCd, 250);
writeSync(1, 'started\n');
await new Promise<never>(() => {});
