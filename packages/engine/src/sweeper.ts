import {
  type BranchState,
  type CallOptions,
  type Instance,
  type InstanceId,
  instanceIdOf,
  type Snapshot,
} from '@caelus/core';
import { isRewound, noteRechecked, noteTip } from './branch-state.ts';
import { ensureCatalogue } from './catalogue.ts';
import { eachInstance, everyInstance } from './each-instance.ts';
import { eachPage, inLots } from './each-page.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { examineInstance, type KnownRows, type PartsReader } from './examine-instance.ts';
import { liesAsRendered } from './lies-as-rendered.ts';
import { createPartsCache } from './parts-cache.ts';
import { pruneEvents } from './prune-events.ts';
import { recordDrift } from './record-drift.ts';

/** What one comparison of all rows with Git came to. */
export interface SweepReport {
  /** Instances and directories that were compared. */
  readonly checked: number;
  /** Instances that the projector was asked to look at. */
  readonly requested: number;
  /** Directories without a row. */
  readonly orphans: number;
}

export interface SweepOptions extends CallOptions {
  /** Called after every instance with how many were checked. */
  readonly onProgress?: ((checked: number) => void) | undefined;
}

/**
 * Compares every row with Git, and asks the projector for those that differ: whatever was lost on the way, edited by
 * hand, or rendered by an older version is found here. Forgets expired idempotency keys, and the events that the
 * retention gives free.
 */
export async function sweepAll(context: EngineContext, options: SweepOptions = {}): Promise<SweepReport> {
  const { repository, store, observe } = context;
  return observe('rows-sweep', {}, async (add) => {
    const before = await repository.findBranchState(options);
    await ensureRepository(context, options);
    await repository.refresh?.(options);
    await ensureCatalogue(context, options);
    const snapshot = await store.snapshot(options);
    const recheck = await lookAtTip(context, snapshot, before, options);
    const parts = createPartsCache(repository);
    let checked = 0;
    const progress = () => {
      checked += 1;
      options.onProgress?.(checked);
    };
    const compared = new Set<InstanceId>();
    let requested = 0;
    for await (const lot of inLots(recheck ? everyInstance(context, options) : eachInstance(context, options))) {
      for (const { id } of lot) compared.add(id);
      requested += await sweepLot(context, snapshot, lot, parts, { signal: options.signal, onProgress: progress });
    }
    let orphans = 0;
    const others = (async function* () {
      for await (const id of eachDirectory(context, snapshot, options)) if (!compared.has(id)) yield id;
    })();
    for await (const lot of inLots(others)) {
      const found = await repository.findInstances(lot, options);
      // A directory that came back after the deletion: the branch was forced back, or a person put it there.
      const returned = recheck ? [] : found.filter(({ status }) => status === 'Deleted');
      requested += await sweepLot(context, snapshot, returned, parts, { signal: options.signal });
      const known = new Set(found.map(({ id }) => id));
      for (const id of lot) {
        // What a host has inserted since is read here one by one.
        if (known.has(id) || (await repository.findInstance(id, options)) !== undefined) continue;
        if (await flagOrphan(context, snapshot, id, options)) orphans += 1;
        progress();
      }
    }
    await clearDrift(context, snapshot, options);
    const { commit } = snapshot;
    if (recheck && commit !== null) {
      await repository.transaction((transaction) => noteRechecked(context, transaction, commit), options);
    }
    await repository.transaction((transaction) => transaction.purgeIdempotencyRecords(timestamp(context)), options);
    await pruneEvents(context, options);
    if (requested > 0) context.due.wake();
    add({ checked, requested, orphans });
    return { checked, requested, orphans };
  });
}

/**
 * Remembers where the branch is, and tells whether everything has to be compared, deleted instances too: their tombstones may
 * have been lost with the commits that are.
 */
async function lookAtTip(
  context: EngineContext,
  { commit }: Snapshot,
  before: BranchState | undefined,
  options: CallOptions,
): Promise<boolean> {
  if (commit === null) return false;
  const rewound = await isRewound(context, before, commit, options);
  return context.repository.transaction(async (transaction) => {
    await noteTip(context, transaction, before, commit, rewound);
    return (await transaction.findBranchState())?.recheck === true;
  }, options);
}

/** Asks for those that differ, and tells how many. One that agrees costs a look into the commit, and no query of its own. */
async function sweepLot(
  context: EngineContext,
  snapshot: Snapshot,
  instances: readonly Instance[],
  parts: PartsReader,
  { signal, onProgress }: { readonly signal?: AbortSignal | undefined; readonly onProgress?: (() => void) | undefined },
): Promise<number> {
  const { repository } = context;
  if (instances.length === 0) return 0;
  const ids = instances.map(({ id }) => id);
  const states = new Map((await repository.findGitStates(ids, { signal })).map((state) => [state.instanceId, state]));
  const differing: InstanceId[] = [];
  for (const instance of instances) {
    const rows = { instance, gitState: states.get(instance.id), parts };
    // What cannot be examined is the projector's to report on the row.
    const agrees = await isInStep(context, snapshot, rows, { signal }).catch(() => false);
    if (!agrees) differing.push(instance.id);
    onProgress?.();
  }
  signal?.throwIfAborted();
  if (differing.length === 0) return 0;
  const at = timestamp(context);
  await repository.transaction(
    async (transaction) => {
      for (const id of differing) await transaction.requestWork(id, 'sweep', at, { revive: false });
    },
    { signal },
  );
  return differing.length;
}

/** Whether nothing is to be done about an instance. Git is read only where it does not tell by itself that it has what is wanted. */
async function isInStep(
  context: EngineContext,
  snapshot: Snapshot,
  rows: KnownRows & { readonly instance: Instance },
  options: CallOptions,
): Promise<boolean> {
  if (await liesAsRendered(context, snapshot, rows, options)) return true;
  const { decision } = await examineInstance(context, snapshot, rows.instance.id, options, rows);
  return decision.action === 'none' || decision.action === 'wait';
}

async function flagOrphan(
  context: EngineContext,
  snapshot: Snapshot,
  id: InstanceId,
  options: CallOptions,
): Promise<boolean> {
  const { decision } = await examineInstance(context, snapshot, id, options);
  if (decision.action !== 'flag') return false;
  const { drift } = decision;
  await context.repository.transaction(
    (transaction) => recordDrift(context, transaction, id, drift, undefined),
    options,
  );
  return true;
}

/** Takes back the flags of what has been put right by hand. */
async function clearDrift(context: EngineContext, snapshot: Snapshot, options: CallOptions): Promise<void> {
  const { repository } = context;
  const flagged = eachPage((page) => repository.listDrift(page, options));
  for await (const { instanceId } of flagged) {
    const { decision, instance } = await examineInstance(context, snapshot, instanceId, options);
    if (decision.action !== 'none' && decision.action !== 'wait') continue;
    await repository.transaction(
      (transaction) => recordDrift(context, transaction, instanceId, null, instance),
      options,
    );
  }
}

/** Every instance that has a directory in Git. */
export async function* eachDirectory(
  { render }: Pick<EngineContext, 'render'>,
  snapshot: Snapshot,
  options: CallOptions,
): AsyncGenerator<InstanceId> {
  for (const parent of render.layout.instanceParents) {
    for (const { name, type } of await snapshot.listDirectory(parent, options)) {
      const id = type === 'directory' ? instanceIdOf(name) : undefined;
      if (id !== undefined) yield id;
    }
  }
}
