import { abortable } from '../../adapter/abortable.ts';
import type { CallOptions } from '../../call-options.ts';
import { CaelusError, type ErrorCode, type ErrorDetails } from '../../errors.ts';
import { type CaelusEvent, type NewCaelusEvent, parseNewEvent } from '../../model/caelus-event.ts';
import { type GitState, parseDriftKind, parseGitState } from '../../model/git-state.ts';
import {
  type InstanceId,
  parseInstanceId,
  parseTimestamp,
  type StoreId,
  type TenantId,
  type Timestamp,
} from '../../model/identifier.ts';
import { type Instance, parseInstance } from '../../model/instance.ts';
import { type Product, parseProduct } from '../../model/product.ts';
import { parseTemplateVersion, type TemplateVersion } from '../../model/template-version.ts';
import {
  assertResumable,
  eventCursor,
  firstEventCursor,
  parseEventPruning,
  placeOfEventCursor,
  prunableEvents,
} from '../../ports/event-stream.ts';
import type { IdSource } from '../../ports/id-source.ts';
import type {
  BranchState,
  Drift,
  EventQuery,
  IdempotencyRecord,
  InstanceFilter,
  Lease,
  Page,
  PageRequest,
  Repository,
  RepositoryNews,
  RepositoryReader,
  RepositoryTransaction,
  WorkItem,
  WorkRecord,
} from '../../ports/repository.ts';
import {
  desiredChanges,
  isUnchanged,
  MATURED_AT_ONCE,
  nextTurn,
  observedChanges,
  observedWrites,
  parseBranchState,
  parseKeys,
  parseLease,
  parsePageLimit,
  parseWorkClaim,
  parseWorkRenewal,
  workStateOf,
} from '../../ports/repository-rules.ts';
import { createSerialIds } from './serial-ids.ts';

export interface MemoryRepositoryOptions {
  /** Default: always the same one. Give each its own where two meet in one test. */
  readonly storeId?: StoreId | undefined;
  /** Makes lease tokens. Default: counts. */
  readonly ids?: IdSource | undefined;
}

export interface MemoryRepository extends Repository {
  /** Another repository with what is committed here now: a backup that was restored. It has the same `storeId`. */
  copy(): MemoryRepository;
}

interface Work {
  readonly tenant: TenantId | null;
  /** Its place among what waits to be claimed; `null` while it waits for a retry, and once it is dead. */
  readonly turn: number | null;
  /** The last turn in which it was claimed; 0 before the first. */
  readonly servedTurn: number;
  readonly requested: number;
  readonly done: number;
  readonly reason: string;
  readonly requestedAt: Timestamp;
  /** When the first request was made that the claimer cannot have seen. */
  readonly requestedSinceClaimAt: Timestamp | null;
  readonly availableAt: Timestamp;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly deadAt: Timestamp | null;
  readonly lease: { readonly owner: string; readonly token: string; readonly until: Timestamp } | null;
}

/** All that is stored. A transaction writes to a copy, table by table, and the copy replaces this at the commit. */
interface Tables {
  products: ReadonlyMap<string, Product>;
  templateVersions: ReadonlyMap<string, TemplateVersion>;
  instances: ReadonlyMap<string, Instance>;
  /** `<instance id> <change id>` */
  changes: ReadonlySet<string>;
  work: ReadonlyMap<string, Work>;
  gitStates: ReadonlyMap<string, GitState>;
  branch: BranchState | undefined;
  drift: ReadonlyMap<string, Drift>;
  /** In the order of their cursors. */
  events: readonly CaelusEvent[];
  /** How many events there ever were: the place of the newest. */
  eventCount: number;
  horizon: string;
  idempotency: ReadonlyMap<string, IdempotencyRecord>;
  leases: ReadonlyMap<string, Lease>;
}

const emptyTables: Tables = {
  products: new Map(),
  templateVersions: new Map(),
  instances: new Map(),
  changes: new Set(),
  work: new Map(),
  gitStates: new Map(),
  branch: undefined,
  drift: new Map(),
  events: [],
  eventCount: 0,
  horizon: firstEventCursor(placeOf(0)),
  idempotency: new Map(),
  leases: new Map(),
};

/**
 * Creates a repository in memory, for tests. It keeps the same contract as a database: transactions are isolated and
 * all or nothing, and records are copies that nobody can change.
 */
export function createMemoryRepository(options: MemoryRepositoryOptions = {}): MemoryRepository {
  return memoryRepository(options, emptyTables);
}

function memoryRepository(options: MemoryRepositoryOptions, initial: Tables): MemoryRepository {
  const { storeId = '00000000-0000-7000-8000-000000000000' as StoreId } = options;
  const ids = options.ids ?? createSerialIds();
  let committed = initial;
  let closed = false;
  const listeners = new Set<(news: RepositoryNews) => void>();
  let tail: Promise<void> = Promise.resolve();

  function assertOpen(): void {
    if (closed) throw unavailable('the repository in memory', 'It is closed. Create another one.');
  }

  /** Runs one body after the other, in the order of the calls; one that is stopped while it waits never runs. */
  async function exclusive<T>(signal: AbortSignal | undefined, body: () => Promise<T>): Promise<T> {
    assertOpen();
    const before = tail;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    tail = before.then(() => left);
    try {
      await abortable(before, signal);
      assertOpen();
      return await body();
    } finally {
      leave();
    }
  }

  async function transaction<T>(
    body: (transaction: RepositoryTransaction) => Promise<T>,
    { signal }: CallOptions = {},
  ): Promise<T> {
    return exclusive(signal, async () => {
      const draft = { ...committed };
      let ended = false;
      const guard = () => {
        if (ended) throw unavailable('the transaction', 'It has ended. Use it only inside the body it was given to.');
        signal?.throwIfAborted();
      };
      const open = { ...reader(() => draft, guard), ...writer(draft, guard) };
      try {
        const result = await abortable(body(open), signal);
        const news = newsOf(committed, draft);
        committed = draft;
        for (const listener of listeners) for (const each of news) listener(each);
        return result;
      } finally {
        ended = true;
      }
    });
  }

  return {
    name: 'memory',
    capabilities: { multiProcess: false, durable: false },
    storeId,
    ...reader(() => committed, assertOpen),
    transaction,
    async claimWork(claim, { signal } = {}) {
      const { owner, limit, now, leaseUntil } = parseWorkClaim(claim);
      return exclusive(signal, async () => {
        const work = admit(committed.work, now, limit);
        const due = [...work]
          .flatMap(([id, one]) => (one.turn === null ? [] : [{ id, one, turn: one.turn }]))
          .filter(({ one }) => one.requested > one.done && (one.lease === null || one.lease.until <= now))
          .filter(({ one }) => one.availableAt <= now)
          .sort((a, b) => a.turn - b.turn || compare(claimKey(a.id, a.one), claimKey(b.id, b.one)))
          .slice(0, limit);
        const leased = due.map(({ id, one, turn }): [string, Work] => [
          id,
          {
            ...one,
            servedTurn: turn,
            requestedSinceClaimAt: null,
            lease: { owner, token: ids.uuid(), until: leaseUntil },
          },
        ]);
        committed = { ...committed, work: new Map([...work, ...leased]) };
        return leased.map(([instanceId, { requested, attempts, reason, lease }]) =>
          keep({ instanceId, requested, attempts, reason, leaseToken: lease?.token } as WorkItem),
        );
      });
    },
    async renewWork(items, renewal, { signal } = {}) {
      const until = parseWorkRenewal(renewal);
      return exclusive(signal, async () => {
        const work = new Map(committed.work);
        const held = items.filter(({ instanceId, leaseToken }) => {
          const one = work.get(instanceId);
          if (one?.lease?.token !== leaseToken) return false;
          work.set(instanceId, { ...one, lease: { ...one.lease, until } });
          return true;
        });
        committed = { ...committed, work };
        return held;
      });
    },
    async onNews(callback) {
      assertOpen();
      // Each call has a listener of its own, also where the callback is the same.
      const listener = (news: RepositoryNews) => callback(news);
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    copy: () => memoryRepository({ ...options, ids }, committed),
    async [Symbol.asyncDispose]() {
      closed = true;
      listeners.clear();
      await tail;
    },
  };
}

function reader(tables: () => Tables, assertOpen: () => void): RepositoryReader {
  /** What is asked of `tables` now, or an error where the caller stopped or the repository is closed. */
  async function read<T>(options: CallOptions | undefined, query: (from: Tables) => T): Promise<T> {
    options?.signal?.throwIfAborted();
    assertOpen();
    return query(tables());
  }
  return {
    findProduct: (id, options) => read(options, ({ products }) => products.get(id)),
    findProductBySlug: (slug, options) =>
      read(options, ({ products }) => [...products.values()].find((product) => product.slug === slug)),
    listProducts: (page, options) => read(options, ({ products }) => newestFirst('product', products.values(), page)),
    findTemplateVersion: (id, options) => read(options, ({ templateVersions }) => templateVersions.get(id)),
    listTemplateVersions: ({ productId, includeDeprecated = true } = {}, page, options) =>
      read(options, ({ templateVersions }) => {
        const found = [...templateVersions.values()].filter(
          (version) =>
            (productId === undefined || version.productId === productId) &&
            (includeDeprecated || version.deprecatedAt === null),
        );
        return newestFirst('template-version', found, page);
      }),
    findInstance: (id, options) => read(options, ({ instances }) => instances.get(id)),
    findInstanceByArgoAppName: (name, options) =>
      read(options, ({ instances }) =>
        [...instances.values()].find(({ argoAppName, status }) => argoAppName === name && status !== 'Deleted'),
      ),
    findInstances: (ids, options) =>
      read(options, ({ instances }) => parseKeys(ids).flatMap((id) => instances.get(id) ?? [])),
    findInstancesByArgoAppNames: (names, options) =>
      read(options, ({ instances }) => {
        const asked = new Set(parseKeys(names));
        return [...instances.values()].filter(
          ({ argoAppName, status }) => status !== 'Deleted' && asked.has(argoAppName),
        );
      }),
    listInstances: (filter = {}, page, options) =>
      read(options, ({ instances }) => {
        const found = [...instances.values()].filter((instance) => passes(instance, filter));
        return newestFirst('instance', found, page);
      }),
    findGitState: (id, options) => read(options, ({ gitStates }) => gitStates.get(id)),
    findGitStates: (ids, options) =>
      read(options, ({ gitStates }) => parseKeys(ids).flatMap((id) => gitStates.get(id) ?? [])),
    findDrift: (id, options) => read(options, ({ drift }) => drift.get(id)),
    listDrift: (page, options) =>
      read(options, ({ drift }) => {
        const key = ({ instanceId }: Drift) => [instanceId];
        return paged(
          'drift',
          [...drift.values()].sort((a, b) => compare(key(a), key(b))),
          key,
          page,
        );
      }),
    findBranchState: (options) => read(options, ({ branch }) => branch),
    hasChange: (id, changeId, options) => read(options, ({ changes }) => changes.has(`${id} ${changeId}`)),
    listEvents: (query = {}, options) => read(options, (from) => eventsOf(from, query)),
    eventHead: (options) => read(options, ({ events, horizon }) => events.at(-1)?.cursor ?? horizon),
    workBacklog: (options) =>
      read(options, ({ work }) => {
        const open = [...work.values()].filter(({ requested, done }) => requested > done);
        const pending = open.filter(({ deadAt }) => deadAt === null);
        const requestedAt = pending.map((item) => item.requestedAt).sort();
        return {
          pending: pending.length,
          failing: pending.filter(({ attempts }) => attempts > 0).length,
          dead: open.length - pending.length,
          oldestRequestedAt: requestedAt[0] ?? null,
        };
      }),
    findWork: (id, options) =>
      read(options, ({ work }) => {
        const found = work.get(id);
        return found && workRecord(id, found);
      }),
    listWork: ({ state } = {}, page, options) =>
      read(options, ({ work }) => {
        const found = [...work]
          .map(([id, one]) => workRecord(id as InstanceId, one))
          .filter((record) => record.state !== 'done' && (state === undefined || record.state === state))
          .sort((a, b) => compare([a.instanceId], [b.instanceId]));
        return paged('work', found, ({ instanceId }) => [instanceId], page);
      }),
    findLease: (name, options) => read(options, ({ leases }) => leases.get(name)),
  };
}

function writer(draft: Tables, assertOpen: () => void): Omit<RepositoryTransaction, keyof RepositoryReader> {
  const copies = new WeakSet<object>();
  /** Puts a record into a copy of a map, the first time, so that what is committed stays as it is. */
  function put<V>(map: ReadonlyMap<string, V>, key: string, value: V): ReadonlyMap<string, V> {
    const copy = copies.has(map) ? (map as Map<string, V>) : new Map(map);
    copies.add(copy);
    return copy.set(key, keep(value));
  }
  function recordChange(instanceId: string, changeId: string): void {
    draft.changes = new Set(draft.changes).add(`${instanceId} ${changeId}`);
  }
  function append(event: NewCaelusEvent): void {
    const parsed = parseNewEvent(event);
    const { instanceId, changeId } = parsed;
    draft.eventCount += 1;
    draft.events = [...draft.events, keep({ ...parsed, cursor: eventCursor(placeOf(draft.eventCount), parsed) })];
    if (instanceId !== null && changeId !== null) recordChange(instanceId, changeId);
  }
  function existing(instanceId: string): Instance {
    const instance = draft.instances.get(instanceId);
    if (instance !== undefined) return instance;
    throw refused('INSTANCE_UNKNOWN', `There is no instance ${instanceId}.`, { instanceId });
  }
  function putInstance(instance: Instance): void {
    assertProduct(draft, instance.productId);
    assertTemplateVersion(draft, instance.desiredTemplateVersionId);
    if (instance.appliedTemplateVersionId !== null) assertTemplateVersion(draft, instance.appliedTemplateVersionId);
    assertNamesFree(draft, instance);
    draft.instances = put(draft.instances, instance.id, instance);
    recordChange(instance.id, instance.changeId);
  }
  function complete(item: WorkItem): boolean {
    return endLease(item, (work) => {
      const done = Math.max(work.done, Math.min(work.requested, item.requested));
      return {
        ...work,
        done,
        turn: work.requested > done ? turnAfter(draft.work, work.tenant) : work.turn,
        requestedAt: work.requestedSinceClaimAt ?? work.requestedAt,
        attempts: 0,
        lastError: null,
      };
    });
  }
  /** Writes the work of an instance if the lease is still that of `item`. */
  function endLease({ instanceId, leaseToken }: WorkItem, next: (work: Work) => Work): boolean {
    const work = draft.work.get(instanceId);
    if (work?.lease?.token !== leaseToken) return false;
    draft.work = put(draft.work, instanceId, { ...next(work), lease: null });
    return true;
  }

  const methods: Omit<RepositoryTransaction, keyof RepositoryReader> = {
    async insertProduct(product) {
      const { id, slug } = parseProduct(product);
      if ([...draft.products.values()].some((other) => other.id === id || other.slug === slug)) {
        throw refused('PRODUCT_EXISTS', `There is a product ${slug} already.`, { slug });
      }
      draft.products = put(draft.products, id, product);
    },
    async insertTemplateVersion(templateVersion) {
      const { id, productId, version } = parseTemplateVersion(templateVersion);
      if (
        [...draft.templateVersions.values()].some((other) => other.productId === productId && other.version === version)
      ) {
        throw refused('TEMPLATE_VERSION_EXISTS', `The product has a template version ${version} already.`, {
          productId,
          version,
        });
      }
      if (draft.templateVersions.has(id)) {
        throw refused('TEMPLATE_VERSION_IMMUTABLE', `There is another template version ${id}, which never changes.`, {
          templateVersionId: id,
        });
      }
      assertProduct(draft, productId);
      draft.templateVersions = put(draft.templateVersions, id, templateVersion);
    },
    async deprecateTemplateVersion(id, at) {
      const templateVersion = assertTemplateVersion(draft, id);
      const deprecatedAt = templateVersion.deprecatedAt ?? parseTimestamp(at);
      draft.templateVersions = put(draft.templateVersions, id, { ...templateVersion, deprecatedAt });
    },
    async insertInstance(instance) {
      const { id: instanceId } = parseInstance(instance);
      if (draft.instances.has(instanceId)) {
        throw refused('INSTANCE_EXISTS', `There is an instance ${instanceId} already.`, { instanceId });
      }
      putInstance(instance);
    },
    async updateDesired(id, expectedGeneration, update) {
      const current = existing(id);
      putInstance({ ...current, ...desiredChanges(current, expectedGeneration, update) });
    },
    async updateObserved(id, observed, at) {
      const current = existing(id);
      putInstance({ ...current, ...observedChanges(current, observed, at) });
    },
    async updateObservedMany(updates, at) {
      const writes = observedWrites(updates, at).filter(({ current }) =>
        isUnchanged(draft.instances.get(current.id), current),
      );
      for (const { current, fields } of writes) putInstance({ ...current, ...fields });
      return writes.map(({ current }) => current.id);
    },
    async putGitState(state) {
      draft.gitStates = put(draft.gitStates, state.instanceId, parseGitState(state));
    },
    async putBranchState(state) {
      draft.branch = keep(parseBranchState(state));
    },
    async putDrift(instanceId, kind, at) {
      const earlier = draft.drift.get(instanceId);
      const drift = new Map(draft.drift);
      if (kind === null) drift.delete(instanceId);
      else if (earlier?.kind !== kind) {
        drift.set(
          parseInstanceId(instanceId),
          keep({ instanceId, kind: parseDriftKind(kind), detectedAt: parseTimestamp(at) }),
        );
      }
      draft.drift = drift;
    },
    async appendEvent(event) {
      append(event);
    },
    async appendEvents(events) {
      for (const event of events) append(event);
    },
    async pruneEvents(pruning) {
      const { before, keep, limit } = parseEventPruning(pruning);
      const most = Math.max(0, Math.min(limit, draft.events.length - (keep ?? 0)));
      const oldest = draft.events.slice(0, most).map(({ at }) => at);
      const count = prunableEvents(oldest, before);
      draft.horizon = draft.events[count - 1]?.cursor ?? draft.horizon;
      draft.events = draft.events.slice(count);
      return count;
    },
    async requestWork(instanceId, reason, at, { revive = true } = {}) {
      parseInstanceId(instanceId);
      parseTimestamp(at);
      const found = draft.work.get(instanceId) ?? neverRequested(at);
      const isDead = found.deadAt !== null;
      if (isDead && !revive) return;
      const tenant = draft.instances.get(instanceId)?.tenant ?? found.tenant;
      const isIdle = found.requested === found.done;
      const beginsAnew = isIdle || isDead;
      const isSooner = beginsAnew || at < found.availableAt;
      draft.work = put(draft.work, instanceId, {
        ...found,
        ...(isDead && { attempts: 0, deadAt: null }),
        tenant,
        reason,
        turn: beginsAnew || (isSooner && found.turn === null) ? turnAfter(draft.work, tenant) : found.turn,
        requested: found.requested + 1,
        requestedAt: isIdle ? at : found.requestedAt,
        requestedSinceClaimAt: found.requestedSinceClaimAt ?? at,
        availableAt: isSooner ? at : found.availableAt,
      });
    },
    async completeWork(item) {
      return complete(item);
    },
    async completeWorkMany(items) {
      return items.filter(complete);
    },
    async releaseWork(item, { availableAt, error }) {
      parseTimestamp(availableAt);
      return endLease(item, (work) => ({
        ...work,
        turn: null,
        availableAt,
        attempts: work.attempts + (error === null ? 0 : 1),
        lastError: error ?? work.lastError,
      }));
    },
    async buryWork(item, { at, error }) {
      parseTimestamp(at);
      const isRequested = (work: Work) => work.requested > item.requested;
      const held = endLease(item, (work) => ({
        ...work,
        turn: null,
        availableAt: at,
        attempts: isRequested(work) ? 0 : work.attempts + 1,
        deadAt: isRequested(work) ? null : at,
        lastError: error,
      }));
      if (!held) return 'lost';
      return draft.work.get(item.instanceId)?.deadAt === null ? 'due' : 'dead';
    },
    async replaceLease(name, seen, next) {
      const found = draft.leases.get(name);
      if (found?.token !== seen?.token || found?.beat !== seen?.beat) return false;
      if (next !== undefined) draft.leases = put(draft.leases, name, parseLease({ name, ...next }));
      else draft.leases = new Map([...draft.leases].filter(([other]) => other !== name));
      return true;
    },
    async findIdempotencyRecord(scope, key) {
      return draft.idempotency.get(JSON.stringify([scope, key]));
    },
    async putIdempotencyRecord(record) {
      parseTimestamp(record.expiresAt);
      draft.idempotency = put(draft.idempotency, JSON.stringify([record.scope, record.key]), record);
    },
    async purgeIdempotencyRecords(now) {
      const kept = [...draft.idempotency].filter(([, { expiresAt }]) => expiresAt >= now);
      const purged = draft.idempotency.size - kept.length;
      draft.idempotency = new Map(kept);
      return purged;
    },
  };
  return guarded(methods, assertOpen);
}

function neverRequested(at: Timestamp): Omit<Work, 'reason'> {
  return {
    tenant: null,
    turn: null,
    servedTurn: 0,
    requested: 0,
    done: 0,
    requestedAt: at,
    requestedSinceClaimAt: null,
    availableAt: at,
    attempts: 0,
    lastError: null,
    deadAt: null,
    lease: null,
  };
}

function turnAfter(work: Tables['work'], tenant: TenantId | null): number {
  let last = 0;
  let served: { readonly turn: number; readonly tenant: string } | undefined;
  for (const one of work.values()) {
    const farthest = { turn: one.servedTurn, tenant: one.tenant ?? '' };
    if (one.tenant === tenant) last = Math.max(last, one.turn ?? 0, one.servedTurn);
    const isFarther =
      served === undefined ||
      farthest.turn > served.turn ||
      (farthest.turn === served.turn && farthest.tenant > served.tenant);
    if (farthest.turn > 0 && isFarther) served = farthest;
  }
  return nextTurn(tenant ?? '', last, served);
}

/** What has waited long enough joins the end of its tenant's line: what was due first, first. */
function admit(work: Tables['work'], now: Timestamp, limit: number): Tables['work'] {
  const admitted = new Map(work);
  const ready = [...work]
    .filter(([, one]) => one.turn === null && one.deadAt === null && one.requested > one.done)
    .filter(([, { availableAt }]) => availableAt <= now)
    .sort(([a, one], [b, other]) => compare([one.availableAt, a], [other.availableAt, b]))
    .slice(0, Math.max(limit, MATURED_AT_ONCE));
  for (const [id, one] of ready) admitted.set(id, { ...one, turn: turnAfter(admitted, one.tenant) });
  return admitted;
}

const claimKey = (id: string, { tenant, requestedAt }: Work) => [tenant ?? '', requestedAt, id];

function workRecord(instanceId: InstanceId, work: Work): WorkRecord {
  const { tenant, reason, requestedAt, availableAt, attempts, lastError, deadAt, lease } = work;
  const leaseUntil = lease?.until ?? null;
  return keep({
    instanceId,
    tenant,
    state: workStateOf({ ...work, leaseUntil }),
    reason,
    requestedAt,
    availableAt,
    attempts,
    lastError,
    leaseOwner: lease?.owner ?? null,
    leaseUntil,
    deadAt,
  });
}

/** What a commit may be waited for. */
function newsOf(before: Tables, after: Tables): readonly RepositoryNews[] {
  const isRequested = [...after.work].some(([id, one]) => one.requested > (before.work.get(id)?.requested ?? 0));
  const isGivenBack = [...before.leases.keys()].some((name) => !after.leases.has(name));
  const news: readonly (readonly [RepositoryNews, boolean])[] = [
    ['work', after.work !== before.work && isRequested],
    ['lease', isGivenBack],
    ['event', after.events.length > before.events.length],
  ];
  return news.filter(([, isNews]) => isNews).map(([name]) => name);
}

/** The same methods, each of which first asks whether it may run at all. */
function guarded<T extends object>(methods: T, assertOpen: () => void): T {
  return Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (...input: unknown[]) => {
        assertOpen();
        return (method as (...input: unknown[]) => unknown)(...input);
      },
    ]),
  ) as T;
}

function assertProduct({ products }: Tables, product: string): void {
  if (!products.has(product)) throw refused('PRODUCT_UNKNOWN', `There is no product ${product}.`, { product });
}

function assertTemplateVersion({ templateVersions }: Tables, templateVersionId: string): TemplateVersion {
  const found = templateVersions.get(templateVersionId);
  if (found !== undefined) return found;
  throw refused('TEMPLATE_VERSION_UNKNOWN', `There is no template version ${templateVersionId}.`, {
    templateVersionId,
  });
}

function assertNamesFree({ instances }: Tables, instance: Instance): void {
  const { id, argoAppName, namespace, hostname } = instance;
  if (instance.status === 'Deleted') return;
  const others = [...instances.values()].filter((other) => other.id !== id && other.status !== 'Deleted');
  const cluster = JSON.stringify(instance.destination);
  const inCluster = others
    .filter((other) => other.namespace === namespace)
    .filter(({ destination }) => JSON.stringify(destination) === cluster);
  const name = others.some((other) => other.argoAppName === argoAppName) ? argoAppName : inCluster[0]?.namespace;
  if (name !== undefined) {
    throw refused('INSTANCE_NAME_TAKEN', `Another instance has the name ${name}. Choose another one.`, { name });
  }
  if (hostname !== null && others.some((other) => other.hostname === hostname)) {
    throw refused('HOSTNAME_TAKEN', `Another instance has the hostname ${hostname}. Choose another one.`, { hostname });
  }
}

function passes(instance: Instance, filter: InstanceFilter): boolean {
  const { tenant, productId, templateVersionId, tier, status, syncStatus } = filter;
  return (
    (tenant === undefined || instance.tenant === tenant) &&
    (productId === undefined || instance.productId === productId) &&
    (templateVersionId === undefined || instance.desiredTemplateVersionId === templateVersionId) &&
    (tier === undefined || instance.tier === tier) &&
    (status === undefined || status.includes(instance.status)) &&
    (syncStatus === undefined || (instance.syncStatus !== null && syncStatus.includes(instance.syncStatus)))
  );
}

function placeOf(number: number): string {
  return String(number).padStart(15, '0');
}

function eventsOf({ events, horizon }: Tables, query: EventQuery): readonly CaelusEvent[] {
  const { after, instanceId, types } = query;
  const limit = parsePageLimit(query.limit);
  if (after !== undefined) {
    const place = placeOfEventCursor(after, /^\d{15}$/);
    assertResumable(after, { horizon, event: events.find(({ cursor }) => cursor.startsWith(`${place}.`)) });
  }
  return events
    .filter(({ cursor }) => after === undefined || cursor > after)
    .filter((event) => instanceId === undefined || event.instanceId === instanceId)
    .filter((event) => types === undefined || types.includes(event.type))
    .slice(0, limit);
}

function newestFirst<T extends { readonly id: string; readonly createdAt: Timestamp }>(
  listing: string,
  found: Iterable<T>,
  page: PageRequest | undefined,
): Page<T> {
  const key = ({ createdAt, id }: T) => [createdAt, id];
  return paged(
    listing,
    [...found].sort((a, b) => compare(key(b), key(a))),
    key,
    page,
    true,
  );
}

/** The part of an ordered listing that follows the cursor: the listing's name and the key of the last item before. */
function paged<T>(
  listing: string,
  ordered: readonly T[],
  key: (item: T) => readonly string[],
  page: PageRequest | undefined,
  descending = false,
): Page<T> {
  const limit = parsePageLimit(page?.limit);
  const last = page?.cursor?.split(' ');
  if (last !== undefined && (last[0] !== listing || last.length !== (descending ? 3 : 2))) {
    throw invalidCursor(page?.cursor ?? '');
  }
  const follows = (item: T) => last === undefined || compare(key(item), last.slice(1)) * (descending ? -1 : 1) > 0;
  const rest = ordered.filter(follows);
  const items = rest.slice(0, limit);
  const end = items.at(-1);
  const nextCursor = end === undefined || rest.length <= limit ? null : [listing, ...key(end)].join(' ');
  return { items, nextCursor };
}

function compare(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((part, place) => part !== b[place]);
  return index === -1 ? 0 : (a[index] ?? '') < (b[index] ?? '') ? -1 : 1;
}

/** A copy that shares nothing with `record` and that nobody can change, as a database would give it. */
function keep<T>(record: T): T {
  return freeze(JSON.parse(JSON.stringify(record))) as T;
}

function freeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

function refused<Code extends ErrorCode>(code: Code, message: string, details: ErrorDetails[Code]): CaelusError {
  return new CaelusError<Code>({ code, message, details });
}

function invalidCursor(cursor: string): CaelusError {
  return new CaelusError({
    code: 'CURSOR_INVALID',
    message: 'The cursor is not one that this listing gave. Start again without a cursor.',
    details: { cursor },
  });
}

function unavailable(what: string, advice: string): CaelusError {
  return new CaelusError({ code: 'UNAVAILABLE', message: `${what} cannot be used. ${advice}`, details: { what } });
}
