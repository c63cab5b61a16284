import type {
  ChangeNotifier,
  ChartResolver,
  Clock,
  Destination,
  DriftPolicy,
  IdSource,
  LayoutName,
  Logger,
  NamingStrategy,
  RenderContextOptions,
  Repository,
  StateStore,
  StatusSource,
  Telemetry,
  Tier,
} from '@caelus/core';
import type { Retention } from './retention.ts';

/** What {@link createCaelus} takes. Caelus closes none of the adapters; who makes them closes them. */
export interface CaelusOptions {
  /** The rows: who owns what, and what is to be done. */
  readonly repository: Repository;
  /** The GitOps repository's branch. */
  readonly store: StateStore;
  /** What Argo CD makes of it. */
  readonly status: StatusSource;
  /** The GitOps repository as Argo CD reaches it; the store may reach it by another URL. */
  readonly gitOps: Omit<RenderContextOptions['gitOps'], 'pathPrefix'>;
  /** Where Argo CD is, and which version of it. */
  readonly argoCd?: RenderContextOptions['argoCd'];
  /** At least one; instances that name none get the first. */
  readonly tiers: readonly Tier[];
  /** Default `flat`; `sharded` from a few thousand instances on. A repository keeps the layout it began with. */
  readonly layout?: LayoutName | undefined;
  /** Default `uuidNaming`. */
  readonly naming?: NamingStrategy | undefined;
  /** Where instances go that name no other cluster. Default: the cluster that Argo CD runs in. */
  readonly destination?: Destination | undefined;
  /** Default `DEFAULT_DRIFT_POLICY`: report manual edits, restore removed directories. */
  readonly driftPolicy?: Partial<DriftPolicy> | undefined;
  /** Told of every commit. Default: nobody; Argo CD finds out by polling. */
  readonly notifier?: ChangeNotifier | undefined;
  /** Pins chart versions that are given as ranges, or not at all. Default: such charts are refused. */
  readonly charts?: ChartResolver | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  readonly telemetry?: Telemetry | undefined;
  readonly timings?: Partial<Timings> | undefined;
  /**
   * Whether workers and event streams hear of what other processes commit, where the database can tell. It takes one connection
   * of the repository's pool. `false` where the pool has one only, or where a pooler in transaction mode is between: then they
   * look every `timings.poll`. Default `true`.
   */
  readonly listen?: boolean | undefined;
  /** What the sweep may forget. Default: nothing. */
  readonly retention?: Retention | undefined;
}

/** How often and how long, in milliseconds where not said otherwise. */
export interface Timings {
  /** How long a loop waits for work that another process may have made. Default 1,000. */
  readonly poll: number;
  /** How often every Application is read anew, beside the watch. Default 300,000. */
  readonly relist: number;
  /** How often rows and Git are compared. Default 600,000. */
  readonly sweep: number;
  /** How long one worker may keep an instance to itself without renewing its lease. Default 60,000. */
  readonly lease: number;
  /** How long the worker that writes the branch may be silent before another one takes its place. Default 15,000. */
  readonly writerLease: number;
  /** How long a failed instance waits first; twice as long after each failure, less up to a half of it by chance. Default 1,000. */
  readonly retry: number;
  /** How long it waits at most. Default 300,000. */
  readonly retryLimit: number;
  /** How often it may fail before it is tried no more: a dead letter. A store or database that is away does not count. Default 10. */
  readonly attempts: number;
  /** How often a deletion is looked at while Argo CD works on it. Default 5,000. */
  readonly deletion: number;
  /** How many instances go into one commit at most; workers begin with fewer, and take more under load. Default 1,000. */
  readonly batch: number;
  /** How long an idempotency key is remembered. Default 86,400,000: a day. */
  readonly idempotency: number;
  /**
   * How long `Degraded`, a sync that keeps failing, a deletion's error, and a deletion itself may last before they count; also how
   * often deletions that last longer are looked at. Default 30,000.
   */
  readonly grace: number;
}

export const DEFAULT_TIMINGS: Timings = {
  poll: 1_000,
  relist: 300_000,
  sweep: 600_000,
  lease: 60_000,
  writerLease: 15_000,
  retry: 1_000,
  retryLimit: 300_000,
  attempts: 10,
  deletion: 5_000,
  batch: 1_000,
  idempotency: 86_400_000,
  grace: 30_000,
};
