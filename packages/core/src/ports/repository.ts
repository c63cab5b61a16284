import type { CallOptions } from '../call-options.ts';
import type { JsonValue } from '../json-value.ts';
import type { Actor } from '../model/actor.ts';
import type { CaelusEvent, CaelusEventType, NewCaelusEvent } from '../model/caelus-event.ts';
import type { DriftKind, GitState } from '../model/git-state.ts';
import type {
  ChangeId,
  CommitId,
  InstanceId,
  ProductId,
  Slug,
  StoreId,
  TemplateVersionId,
  TenantId,
  TierName,
  Timestamp,
} from '../model/identifier.ts';
import type { Instance, InstanceDesired, InstanceObserved, InstanceStatus, SyncStatus } from '../model/instance.ts';
import type { Product } from '../model/product.ts';
import type { TemplateVersion } from '../model/template-version.ts';

/**
 * The rows: products, template versions, instances, the work that is due, and what happened. Who owns what is known here
 * and nowhere else.
 */
export interface Repository extends RepositoryReader, AsyncDisposable {
  /** For logs and errors, without credentials. */
  readonly name: string;
  readonly capabilities: RepositoryCapabilities;
  /** The id of this database, made at its first start. It marks everything in Git as this database's own. */
  readonly storeId: StoreId;
  /**
   * Runs `body` as one transaction: all of it or nothing, and nobody else sees half. `body` may run again where the
   * database asks for it, so it must not act outside.
   * @throws {CaelusError} `UNAVAILABLE`, and whatever `body` throws
   */
  transaction<T>(body: (transaction: RepositoryTransaction) => Promise<T>, options?: CallOptions): Promise<T>;
  /**
   * Leases up to `limit` instances whose work is due: requested more than done, available, not dead, and not leased by
   * somebody whose lease still runs. Tenants take turns, and within a tenant what was requested first comes first
   * ({@link nextTurn}). No two callers hold the same instance.
   */
  claimWork(claim: WorkClaim, options?: CallOptions): Promise<readonly WorkItem[]>;
  /** Makes leases run longer, from `renewal.now` on. Returns those of `items` that are still the caller's. */
  renewWork(
    items: readonly WorkItem[],
    renewal: Pick<WorkClaim, 'leaseMilliseconds' | 'now'>,
    options?: CallOptions,
  ): Promise<readonly WorkItem[]>;
  /**
   * Calls back soon after any process has committed something that others may wait for, until the function that it resolves
   * to is called, or the repository is disposed. It may call back without a reason, and it may stay silent where there is one:
   * a hint that saves waiting, beside which one looks from time to time. Left out where the database cannot tell.
   */
  onNews?(callback: (news: RepositoryNews) => void): Promise<() => Promise<void>>;
  /**
   * Compares everything with the rows of a host, and requests work for what differs. Left out where there is no host to compare
   * with. The sweeper calls it, so that a change which nobody told of is found all the same.
   */
  refresh?(options?: CallOptions): Promise<RefreshReport>;
}

/** What one comparison with a host's rows came to. */
export interface RefreshReport {
  /** Rows of the host's that were compared. */
  readonly checked: number;
  /** Of these and of those that are gone, how many work was requested for. */
  readonly requested: number;
}

/** What was committed: work was requested, a lease was given back, an event was appended. */
export type RepositoryNews = 'work' | 'lease' | 'event';

export interface RepositoryCapabilities {
  /** Whether several processes may share one database. */
  readonly multiProcess: boolean;
  /** Whether what was committed outlives the process. */
  readonly durable: boolean;
  /**
   * Whether rows of the catalogue and of instances can be inserted here; `false` where only a host can, because they lie in its
   * own tables. Default `true`.
   */
  readonly ownsRows?: boolean | undefined;
}

export interface RepositoryReader {
  findProduct(id: ProductId, options?: CallOptions): Promise<Product | undefined>;
  findProductBySlug(slug: Slug, options?: CallOptions): Promise<Product | undefined>;
  /** @throws {CaelusError} `CURSOR_INVALID` */
  listProducts(page?: PageRequest, options?: CallOptions): Promise<Page<Product>>;
  findTemplateVersion(id: TemplateVersionId, options?: CallOptions): Promise<TemplateVersion | undefined>;
  /** @throws {CaelusError} `CURSOR_INVALID` */
  listTemplateVersions(
    filter?: TemplateVersionFilter,
    page?: PageRequest,
    options?: CallOptions,
  ): Promise<Page<TemplateVersion>>;
  findInstance(id: InstanceId, options?: CallOptions): Promise<Instance | undefined>;
  /** The instance that holds the Application's name now; deleted ones have given theirs up. */
  findInstanceByArgoAppName(argoAppName: string, options?: CallOptions): Promise<Instance | undefined>;
  /** Those of up to 500 that there are, in no order. @throws {CaelusError} `INVALID_INPUT` for more */
  findInstances(ids: readonly InstanceId[], options?: CallOptions): Promise<readonly Instance[]>;
  /** The instances that hold these names of Applications now, as {@link findInstances} gives them. @throws {CaelusError} `INVALID_INPUT` */
  findInstancesByArgoAppNames(argoAppNames: readonly string[], options?: CallOptions): Promise<readonly Instance[]>;
  /** @throws {CaelusError} `CURSOR_INVALID` */
  listInstances(filter?: InstanceFilter, page?: PageRequest, options?: CallOptions): Promise<Page<Instance>>;
  findGitState(id: InstanceId, options?: CallOptions): Promise<GitState | undefined>;
  /** Those of up to 500 instances, in no order. @throws {CaelusError} `INVALID_INPUT` for more */
  findGitStates(ids: readonly InstanceId[], options?: CallOptions): Promise<readonly GitState[]>;
  findDrift(id: InstanceId, options?: CallOptions): Promise<Drift | undefined>;
  /** Everything that is flagged now, by instance id. @throws {CaelusError} `CURSOR_INVALID` */
  listDrift(page?: PageRequest, options?: CallOptions): Promise<Page<Drift>>;
  /** Whether this database ever made that change of that instance: the lineage check. */
  hasChange(id: InstanceId, changeId: ChangeId, options?: CallOptions): Promise<boolean>;
  /**
   * Events in the order in which they became visible; none is missed or doubled when paging by `after`.
   * @throws {CaelusError} `CURSOR_INVALID`, and `CURSOR_EXPIRED` where events after the cursor are missing
   */
  listEvents(query?: EventQuery, options?: CallOptions): Promise<readonly CaelusEvent[]>;
  /** The cursor of the newest event. Where none is kept, of the newest that was pruned, or one that every event comes after. */
  eventHead(options?: CallOptions): Promise<string>;
  workBacklog(options?: CallOptions): Promise<WorkBacklog>;
  /** What was last seen of the branch as a whole; `undefined` before the first look. */
  findBranchState(options?: CallOptions): Promise<BranchState | undefined>;
  /** The work of an instance, done or not. */
  findWork(id: InstanceId, options?: CallOptions): Promise<WorkRecord | undefined>;
  /** Work that is not done, by instance id. @throws {CaelusError} `CURSOR_INVALID` */
  listWork(filter?: WorkFilter, page?: PageRequest, options?: CallOptions): Promise<Page<WorkRecord>>;
  findLease(name: string, options?: CallOptions): Promise<Lease | undefined>;
}

export interface RepositoryTransaction extends RepositoryReader {
  /** @throws {CaelusError} `PRODUCT_EXISTS` where the slug is taken */
  insertProduct(product: Product): Promise<void>;
  /**
   * @throws {CaelusError} `TEMPLATE_VERSION_EXISTS` where the product has one of that name, `TEMPLATE_VERSION_IMMUTABLE`
   *   where another one has its id, `PRODUCT_UNKNOWN`
   */
  insertTemplateVersion(templateVersion: TemplateVersion): Promise<void>;
  /** The one thing about a template version that may change. Keeps an earlier instant. @throws {CaelusError} `TEMPLATE_VERSION_UNKNOWN` */
  deprecateTemplateVersion(id: TemplateVersionId, at: Timestamp): Promise<void>;
  /** @throws {CaelusError} `INSTANCE_EXISTS`, `INSTANCE_NAME_TAKEN`, `HOSTNAME_TAKEN`, `PRODUCT_UNKNOWN`, `TEMPLATE_VERSION_UNKNOWN` */
  insertInstance(instance: Instance): Promise<void>;
  /**
   * Changes the desired state if the generation is still `expectedGeneration`, and raises it by one.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `GENERATION_STALE`, `HOSTNAME_TAKEN`, `TEMPLATE_VERSION_UNKNOWN`, and
   *   `INSTANCE_DELETED` once the instance is `Deleted`, unless the update leaves it so
   */
  updateDesired(id: InstanceId, expectedGeneration: number, update: DesiredUpdate): Promise<void>;
  /**
   * Writes what was seen. Leaves the desired state alone.
   * @throws {CaelusError} `INSTANCE_UNKNOWN`, `TEMPLATE_VERSION_UNKNOWN`, and `INSTANCE_DELETED` where it would bring a
   *   `Deleted` instance back
   */
  updateObserved(id: InstanceId, observed: Partial<InstanceObserved>, at: Timestamp): Promise<void>;
  /**
   * Writes what was seen of many, as {@link updateObserved} does, of each only where its row is still as it was when it was
   * read: of the same change and status, and not written since. Returns the ids of those that were written. Any number, each
   * instance once.
   * @throws {CaelusError} `INVALID_INPUT`, `TEMPLATE_VERSION_UNKNOWN`, `INSTANCE_DELETED`
   */
  updateObservedMany(updates: readonly ObservedUpdate[], at: Timestamp): Promise<readonly InstanceId[]>;
  putGitState(state: GitState): Promise<void>;
  putBranchState(state: BranchState): Promise<void>;
  /** Flags an instance, or clears its flag with `null`. The instance need not have a row. */
  putDrift(id: InstanceId, kind: DriftKind | null, at: Timestamp): Promise<void>;
  appendEvent(event: NewCaelusEvent): Promise<void>;
  /** Appends many events in their order. Any number. */
  appendEvents(events: readonly NewCaelusEvent[]): Promise<void>;
  /**
   * Forgets the oldest events, and returns how many. What {@link RepositoryReader.hasChange} knows stays known. Readers that
   * have not come so far are refused from then on.
   * @throws {CaelusError} `INVALID_INPUT`
   */
  pruneEvents(pruning: EventPruning): Promise<number>;
  /**
   * Asks for the instance to be looked at, and ends a wait for a retry that would last beyond `at`. Requests are
   * counted, not queued: many make one. Work that is dead begins anew, without attempts, unless `revive` is `false` (default
   * `true`), which leaves it as it is. The instance need not have a row.
   */
  requestWork(
    id: InstanceId,
    reason: string,
    at: Timestamp,
    options?: { readonly revive?: boolean | undefined },
  ): Promise<void>;
  /**
   * Says that everything requested up to `item.requested` is done, if the lease is still the caller's.
   * Returns whether it was.
   */
  completeWork(item: WorkItem): Promise<boolean>;
  /** Says so of many, as {@link completeWork} does, each of them once. Any number. Returns those whose lease was still the caller's. */
  completeWorkMany(items: readonly WorkItem[]): Promise<readonly WorkItem[]>;
  /** Gives the lease back unfinished; the item is due again at `retry.availableAt`. Returns whether the lease was the caller's. */
  releaseWork(item: WorkItem, retry: WorkRetry): Promise<boolean>;
  /**
   * Gives the lease back for good: the item failed once more, is `dead`, and is claimed only after it is requested again.
   * Where it was requested since it was claimed, it is `due` at once instead, without attempts. `lost`: the lease was
   * not the caller's, and nothing has changed.
   */
  buryWork(item: WorkItem, burial: WorkBurial): Promise<'dead' | 'due' | 'lost'>;
  /**
   * Puts a lease in the place of the one that was seen, if that is still there as it was: the same token and beat, or none for
   * `undefined`. `undefined` for `next` gives it back. Returns whether it was replaced.
   */
  replaceLease(name: string, seen: Lease | undefined, next: Omit<Lease, 'name'> | undefined): Promise<boolean>;
  findIdempotencyRecord(scope: string, key: string): Promise<IdempotencyRecord | undefined>;
  /** Keeps what a key has led to. A record of the same scope and key is replaced. */
  putIdempotencyRecord(record: IdempotencyRecord): Promise<void>;
  /** Forgets the records that expired before `now`; returns how many. */
  purgeIdempotencyRecords(now: Timestamp): Promise<number>;
}

/**
 * What one command changes. `status` becomes `Pending`, or `Deleting` with `deletedAt`. A row that is `Deleted` stays so: its
 * generation can be raised past one that Git has, and nothing else.
 */
export interface DesiredUpdate extends Partial<InstanceDesired> {
  readonly changeId: ChangeId;
  readonly changedBy: Actor | null;
  readonly updatedAt: Timestamp;
  readonly status: 'Pending' | 'Deleting' | 'Deleted';
  readonly statusReason: string;
  readonly deletedAt?: Timestamp | undefined;
  /** The next generation, where Git has a greater one than the row. Greater than the row's. Default: the row's and one. */
  readonly generation?: number | undefined;
}

/** What was seen of an instance, and the row that it was compared with. */
export interface ObservedUpdate {
  /** As it was read. */
  readonly current: Instance;
  readonly observed: Partial<InstanceObserved>;
}

export interface PageRequest {
  /** 1 to 500. Default 50. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** One page of a listing, newest first unless said otherwise. */
export interface Page<T> {
  readonly items: readonly T[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

/** The greatest and the default `PageRequest.limit`. */
export const PAGE_LIMITS = { most: 500, usual: 50 } as const;

export interface TemplateVersionFilter {
  readonly productId?: ProductId | undefined;
  /** Default `true`. */
  readonly includeDeprecated?: boolean | undefined;
}

/** All that are given must hold. */
export interface InstanceFilter {
  readonly tenant?: TenantId | undefined;
  readonly productId?: ProductId | undefined;
  readonly templateVersionId?: TemplateVersionId | undefined;
  readonly tier?: TierName | undefined;
  readonly status?: readonly InstanceStatus[] | undefined;
  readonly syncStatus?: readonly SyncStatus[] | undefined;
}

export interface EventQuery {
  /** The cursor of the last event that was read. Default: from the first. */
  readonly after?: string | undefined;
  readonly instanceId?: InstanceId | undefined;
  readonly types?: readonly CaelusEventType[] | undefined;
  /** 1 to 500. Default 50. */
  readonly limit?: number | undefined;
}

/** What the database knows of the branch as a whole. */
export interface BranchState {
  /** A tip of it, the newest that is known. */
  readonly commit: CommitId;
  /** Whether a later tip did not descend from an earlier one, so that everything has to be compared with it once more. */
  readonly recheck: boolean;
}

/** Which of the oldest events are forgotten: where both `before` and `keep` are given, those that both allow. */
export interface EventPruning {
  /** Only what happened before. The first event that did not, in the order of the stream, keeps all that follow. */
  readonly before?: Timestamp | undefined;
  /** So many of the newest stay: 0 or more. */
  readonly keep?: number | undefined;
  /** At most so many at once: 1 to 10,000. Default 1,000. */
  readonly limit?: number | undefined;
}

export interface Drift {
  readonly instanceId: InstanceId;
  readonly kind: DriftKind;
  /** When it was first flagged as this kind. */
  readonly detectedAt: Timestamp;
}

export interface WorkClaim {
  /** Names the claimer for operators: host and process. */
  readonly owner: string;
  /** 1 or more. */
  readonly limit: number;
  /** How long the lease runs: 1 ms to 24 hours. */
  readonly leaseMilliseconds: number;
  /** The claimer's time. A database with a clock of its own uses that instead. */
  readonly now: Timestamp;
}

/** The lease of one instance's work. */
export interface WorkItem {
  readonly instanceId: InstanceId;
  /** How many requests had been made when it was claimed. */
  readonly requested: number;
  /** How often it was released unfinished since it was last done. */
  readonly attempts: number;
  /** Of the newest request. */
  readonly reason: string;
  readonly leaseToken: string;
}

export interface WorkRetry {
  readonly availableAt: Timestamp;
  /** What went wrong; `null` where the item only has to wait, which does not count as an attempt. */
  readonly error: string | null;
}

export interface WorkBurial {
  readonly at: Timestamp;
  /** What went wrong the last time. */
  readonly error: string;
}

export interface WorkBacklog {
  /** Instances whose work is not done, and that are not given up. */
  readonly pending: number;
  /** Of these, those that failed at least once. */
  readonly failing: number;
  /** Instances that are given up until they are requested again. */
  readonly dead: number;
  /** Of what is pending. */
  readonly oldestRequestedAt: Timestamp | null;
}

/**
 * `done`: nothing is asked for. `dead`: given up after too many failures. `leased`: a worker has it, or had it when it died.
 * `failing`: failed, and tried again at `availableAt`. `pending`: waits for its turn.
 */
export const workStates = ['done', 'dead', 'leased', 'failing', 'pending'] as const;
export type WorkState = (typeof workStates)[number];

/** What is to be done for one instance, for those who operate Caelus. */
export interface WorkRecord {
  readonly instanceId: InstanceId;
  /** Of the instance; `null` where it had no row when it was requested. */
  readonly tenant: TenantId | null;
  readonly state: WorkState;
  /** Of the newest request. */
  readonly reason: string;
  /** When the oldest request was made that is not done. */
  readonly requestedAt: Timestamp;
  readonly availableAt: Timestamp;
  /** How often it failed since it was last done. */
  readonly attempts: number;
  /** What went wrong the last time; `null` where nothing has since it was last done. */
  readonly lastError: string | null;
  readonly leaseOwner: string | null;
  /** Others may take it from then on. */
  readonly leaseUntil: Timestamp | null;
  readonly deadAt: Timestamp | null;
}

export interface WorkFilter {
  readonly state?: Exclude<WorkState, 'done'> | undefined;
}

/** Says who does something that only one process is to do at a time. How long it holds is for those who compete to know. */
export interface Lease {
  /** What it is about. */
  readonly name: string;
  /** Names the holder for operators: host and process. */
  readonly owner: string;
  /** Tells this holding from every other. */
  readonly token: string;
  /** Raised by every renewal: a holder that lives is one whose lease changes. */
  readonly beat: number;
  /** By the holder's clock, for operators; nothing is decided by it. */
  readonly renewedAt: Timestamp;
}

/** What a command with an idempotency key has answered. */
export interface IdempotencyRecord {
  readonly scope: string;
  readonly key: string;
  /** Hash of the request; the same key with another is refused. */
  readonly requestHash: string;
  readonly response: JsonValue;
  readonly expiresAt: Timestamp;
}
