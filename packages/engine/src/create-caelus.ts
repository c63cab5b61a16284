import type { CaelusEvent, CallOptions, RemedyName } from '@caelus/core';
import type { CaelusOptions } from './caelus-options.ts';
import { type Charts, createCharts } from './charts.ts';
import type { Resolution } from './chosen-remedy.ts';
import type { CommandOptions } from './command-options.ts';
import { createEngineContext } from './engine-context.ts';
import type { Finding } from './finding.ts';
import { type InspectOptions, inspect } from './inspect.ts';
import { createInstances, type Instances } from './instances.ts';
import { observeNamed } from './observer.ts';
import { createProducts, type Products } from './products.ts';
import { type RebuildOptions, type RowsRebuilt, rebuildFromGit } from './rebuild-from-git.ts';
import { type GitRebuildOptions, type GitRebuilt, rebuildGit } from './rebuild-git.ts';
import { resolve } from './resolve.ts';
import { type RunOnceOptions, type RunReport, runOnce } from './run-once.ts';
import { type SettledOptions, type Settlement, settled } from './settled.ts';
import { type EventStreamOptions, streamEvents } from './stream-events.ts';
import { createTemplateVersions, type TemplateVersions } from './template-versions.ts';
import { createWork, type Work } from './work.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';

/** Caelus in a host's process. */
export interface Caelus {
  readonly products: Products;
  readonly templateVersions: TemplateVersions;
  readonly instances: Instances;
  readonly charts: Charts;
  /** What is to be brought from the rows to Git. */
  readonly work: Work;
  /** Waits until an instance has become what was asked, or cannot. @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID` */
  settled(id: string, options?: SettledOptions): Promise<Settlement>;
  /** Every event after `after`, and then each new one. A stream that is resumed by the last cursor misses and doubles none. @throws {CaelusError} `ID_INVALID`, `CURSOR_INVALID`, `CURSOR_EXPIRED` */
  events(options?: EventStreamOptions): AsyncIterable<CaelusEvent>;
  /** Starts the loops in this process: `await using worker = caelus.start()`. Several processes may run them. */
  start(options?: WorkerOptions): Worker;
  /** Runs one pass of all loops, for hosts that schedule for themselves. */
  runOnce(options?: RunOnceOptions): Promise<RunReport>;
  /**
   * Looks at one Application anew, as after a notification of Argo CD that is a hint and no more. Returns whether the instance's row
   * changed; `false` where no instance has that Application. @throws {CaelusError} `UNAVAILABLE`
   */
  observe(applicationName: string, options?: CallOptions): Promise<boolean>;
  /**
   * Every disagreement between the rows and Git as it is now, with what can be done about each. Reads only.
   * @throws {CaelusError} `STORE_FOREIGN`, `UNAVAILABLE`
   */
  inspect(options?: InspectOptions): AsyncIterable<Finding>;
  /**
   * Carries out one remedy of a finding, or of what is wrong with an instance now. What was found must still be so.
   * @throws {CaelusError} `FINDING_STALE`, `REMEDY_UNAVAILABLE`, `IDEMPOTENCY_KEY_REUSED`, and the codes of the commands
   */
  resolve(target: Finding | string, remedy: RemedyName, options?: CommandOptions): Promise<Resolution>;
  /**
   * Inserts every row again, from Git alone, into an empty database that was opened with the repository's store id.
   * @throws {CaelusError} `REBUILD_REFUSED`, `STORE_FOREIGN`, `UNAVAILABLE`
   */
  rebuildFromGit(options?: RebuildOptions): Promise<RowsRebuilt>;
  /** Writes everything that the branch lacks, from the rows alone. @throws {CaelusError} `STORE_FOREIGN`, `UNAVAILABLE` */
  rebuildGit(options?: GitRebuildOptions): Promise<GitRebuilt>;
}

/**
 * Assembles Caelus from a host's adapters. Reads and writes nothing yet.
 * @throws {CaelusError} `INVALID_INPUT`, `NAME_INVALID`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`
 */
export function createCaelus(options: CaelusOptions): Caelus {
  const context = createEngineContext(options);
  return {
    products: createProducts(context),
    templateVersions: createTemplateVersions(context),
    instances: createInstances(context),
    charts: createCharts(context),
    work: createWork(context),
    settled: (id, settledOptions) => settled(context, id, settledOptions),
    events: (eventOptions) => streamEvents(context, eventOptions),
    start: (workerOptions) => startWorker(context, workerOptions),
    runOnce: (runOptions) => runOnce(context, runOptions),
    observe: (applicationName, callOptions) => observeNamed(context, applicationName, callOptions),
    inspect: (inspectOptions) => inspect(context, inspectOptions),
    resolve: (target, remedy, resolveOptions) =>
      context.observe('finding-resolve', { remedy }, () => resolve(context, target, remedy, resolveOptions)),
    rebuildFromGit: (rebuildOptions) =>
      context.observe('rows-rebuild', {}, () => rebuildFromGit(context, rebuildOptions)),
    rebuildGit: (rebuildOptions) => context.observe('git-rebuild', {}, () => rebuildGit(context, rebuildOptions)),
  };
}
