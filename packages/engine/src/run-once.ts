import type { CallOptions } from '@caelus/core';
import { reportBlockedDeletions } from './blocked-deletions.ts';
import type { EngineContext } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { observeAll } from './observer.ts';
import { projectDue } from './project-due.ts';
import { sweepAll } from './sweeper.ts';
import { workerName } from './worker.ts';

export interface RunOnceOptions extends CallOptions {
  /** Called after every step with what has been done so far. */
  readonly onProgress?: ((report: RunReport) => void) | undefined;
}

/** What one pass over everything came to. */
export interface RunReport {
  /** Instances that a commit was made for. */
  readonly written: number;
  /** Instances that could not be written; they are tried again later. */
  readonly failed: number;
  /** Instances whose place in Git a person has to look at. */
  readonly flagged: number;
  /** Rows that changed because of what Argo CD says. */
  readonly observed: number;
}

/**
 * Compares all rows with Git, writes everything that is due, and brings the rows to what Argo CD says: one pass of all
 * loops, for hosts that schedule for themselves.
 */
export async function runOnce(
  context: EngineContext,
  { onProgress, ...options }: RunOnceOptions = {},
): Promise<RunReport> {
  let report: RunReport = { written: 0, failed: 0, flagged: 0, observed: 0 };
  const add = (more: Partial<RunReport>) => {
    const sum = (key: keyof RunReport) => report[key] + (more[key] ?? 0);
    report = { written: sum('written'), failed: sum('failed'), flagged: sum('flagged'), observed: sum('observed') };
    onProgress?.(report);
  };
  const owner = workerName(context);
  await ensureRepository(context, options);
  add({ observed: (await observeAll(context, options)).changed });
  await sweepAll(context, options);
  for await (const { written, failed, flagged } of projectDue(context, owner, options))
    add({ written, failed, flagged });
  add({ observed: (await observeAll(context, options)).changed });
  add({ observed: await reportBlockedDeletions(context, options) });
  return report;
}
