// The whole public API of @caelus/engine.

export {
  type CaelusOptions,
  DEFAULT_TIMINGS,
  type Timings,
} from './caelus-options.ts';
export { CHART_LIMITS, type Charts, type NewChart } from './charts.ts';
export type { Resolution } from './chosen-remedy.ts';
export type { CommandOptions, InstanceCommandOptions } from './command-options.ts';
export { type Caelus, createCaelus } from './create-caelus.ts';
export type { InstanceRollback } from './draft-rollback.ts';
export type { Finding, FindingSubject } from './finding.ts';
export type { InspectOptions } from './inspect.ts';
export type { InstanceControl, InstanceRefresh, InstanceSync } from './instance-control.ts';
export type { InstanceQuery, Instances, InstanceUpgrade } from './instances.ts';
export type { Products } from './products.ts';
export type { RebuildOptions, RowsRebuilt } from './rebuild-from-git.ts';
export type { GitRebuildOptions, GitRebuilt } from './rebuild-git.ts';
export type { EventRetention, Retention } from './retention.ts';
export type { RunOnceOptions, RunReport } from './run-once.ts';
export type { SettledOptions, Settlement } from './settled.ts';
export type { EventStreamOptions } from './stream-events.ts';
export { systemClock } from './system-clock.ts';
export type { TemplateVersions } from './template-versions.ts';
export { uuidSource } from './uuid-source.ts';
export type { Work } from './work.ts';
export type { StopOptions, Worker, WorkerOptions } from './worker.ts';
