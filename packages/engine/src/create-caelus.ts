import type { CaelusEvent } from '@caelus/core';
import type { CaelusOptions } from './caelus-options.ts';
import { type Charts, createCharts } from './charts.ts';
import { createEngineContext } from './engine-context.ts';
import { createInstances, type Instances } from './instances.ts';
import { createProducts, type Products } from './products.ts';
import { type RunOnceOptions, type RunReport, runOnce } from './run-once.ts';
import { type SettledOptions, type Settlement, settled } from './settled.ts';
import { type EventStreamOptions, streamEvents } from './stream-events.ts';
import { createTemplateVersions, type TemplateVersions } from './template-versions.ts';
import { startWorker, type Worker, type WorkerOptions } from './worker.ts';

/** Caelus in a host's process. */
export interface Caelus {
  readonly products: Products;
  readonly templateVersions: TemplateVersions;
  readonly instances: Instances;
  readonly charts: Charts;
  /** Waits until an instance has become what was asked, or cannot. @throws {CaelusError} `INSTANCE_UNKNOWN`, `ID_INVALID` */
  settled(id: string, options?: SettledOptions): Promise<Settlement>;
  /** Every event after `after`, and then each new one. A stream that is resumed by the last cursor misses and doubles none. @throws {CaelusError} `ID_INVALID` */
  events(options?: EventStreamOptions): AsyncIterable<CaelusEvent>;
  /** Starts the loops in this process: `await using worker = caelus.start()`. Several processes may run them. */
  start(options?: WorkerOptions): Worker;
  /** Runs one pass of all loops, for hosts that schedule for themselves. */
  runOnce(options?: RunOnceOptions): Promise<RunReport>;
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
    settled: (id, settledOptions) => settled(context, id, settledOptions),
    events: (eventOptions) => streamEvents(context, eventOptions),
    start: (workerOptions) => startWorker(context, workerOptions),
    runOnce: (runOptions) => runOnce(context, runOptions),
  };
}
