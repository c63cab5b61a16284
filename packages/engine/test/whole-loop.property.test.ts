import {
  type Actor,
  type ChangeId,
  type Clock,
  createLayout,
  type InstanceId,
  instanceIdOf,
  isCaelusError,
  parseRepoPath,
  type RepoPath,
  type Repository,
  readInstance,
  type Snapshot,
  type StateStore,
} from '@caelus/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Caelus, CaelusOptions, Finding } from '../src/index.ts';
import {
  type ConsistencyWorld,
  createConsistencyWorld,
  Died,
  findingsOf,
  pausedClock,
  settleAll,
} from './consistency-world.ts';

// The engine as it is, over a database and a branch in memory: commands, workers that die at any step or come back late, two
// workers at once, backups that are restored, branches that are forced back, people who edit and people who choose a side.
// What each commit does to each instance is checked against what the worker's own database knew.

type Operation =
  | { readonly type: 'create' | 'backup' | 'argo' | 'plan-late' | 'run-late' | 'two-workers' }
  | { readonly type: 'update'; readonly which: number; readonly replicas: number }
  | { readonly type: 'upgrade' | 'delete'; readonly which: number }
  | { readonly type: 'pass'; readonly dies: number; readonly when: 'before' | 'after' }
  | { readonly type: 'restore'; readonly which: number }
  | { readonly type: 'rewind'; readonly by: number }
  | { readonly type: 'edit'; readonly which: number; readonly what: Edit }
  | { readonly type: 'resolve'; readonly which: number; readonly remedy: number };
type Edit =
  | 'values'
  | 'locked'
  | 'application'
  | 'remove-application'
  | 'remove-directory'
  | 'remove-marker'
  | 'spoil-marker';

const which = fc.nat(2);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('create', 'argo', 'two-workers') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('backup', 'plan-late', 'run-late') }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('update'), which, replicas: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('upgrade', 'delete'), which }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('pass'),
      dies: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 12 })),
      when: fc.constantFrom('before', 'after'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('restore'), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rewind'), by: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('edit'),
      which,
      what: fc.constantFrom<Edit[]>(
        'values',
        'values',
        'locked',
        'application',
        'remove-application',
        'remove-directory',
        'remove-marker',
        'spoil-marker',
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('resolve'), which, remedy: which }) },
) as fc.Arbitrary<Operation>;

interface Faults {
  readonly repository?: (repository: Repository) => Repository;
  readonly store?: (store: StateStore) => StateStore;
  /** What the engine is told in place of the policy that the laws are about. */
  readonly policy?: CaelusOptions['driftPolicy'];
}

const layout = createLayout('flat');
const FOREIGN = parseRepoPath('instances/foreign/instance.yaml');

interface Hooks {
  readonly store?: (store: StateStore) => StateStore;
  readonly dies?: Dying;
  readonly clock?: Clock;
}

class Loop {
  readonly world: ConsistencyWorld;
  readonly policy: NonNullable<CaelusOptions['driftPolicy']>;
  readonly faults: Faults;
  repository: Repository;
  backups: Repository[] = [];
  /** Instances that anybody ever made, on whichever database. */
  ids: InstanceId[] = [];
  /** What a person, or the policy, has chosen to overwrite: a content of Git, or the change of a deletion. */
  chosen = new Set<string>();
  late: (() => Promise<unknown>) | undefined;
  broken: string[] = [];

  constructor(world: ConsistencyWorld, policy: NonNullable<CaelusOptions['driftPolicy']>, faults: Faults) {
    this.world = world;
    this.policy = policy;
    this.faults = faults;
    this.repository = world.repository;
  }

  /** Caelus in a process of its own, which keeps the database that it was started on. */
  process(hooks: Hooks = {}): Caelus {
    const { repository, world, faults } = this;
    const faulty = faults.repository?.(repository) ?? repository;
    const watched = this.watch(faults.store?.(world.store) ?? world.store, repository);
    const store = hooks.store?.(watched) ?? watched;
    return world.over(hooks.dies?.repository(faulty) ?? faulty, {
      store: hooks.dies?.store(store) ?? store,
      driftPolicy: faults.policy ?? this.policy,
      ...(hooks.clock && { clock: hooks.clock }),
    });
  }

  /** Looks at every commit that a worker makes. */
  watch(store: StateStore, repository: Repository): StateStore {
    return {
      ...store,
      write: async (changes, options) => {
        const receipts = await store.write(changes, options);
        const commit = receipts.find((receipt) => receipt.outcome === 'written')?.commit;
        if (commit) await this.checkCommit(commit, repository);
        return receipts;
      },
    };
  }

  async checkCommit(commit: string, repository: Repository): Promise<void> {
    const { branch } = this.world;
    const after = await this.world.store.snapshotAt(commit as never);
    const [parent] = branch.commits.get(commit as never)?.parents ?? [];
    if (parent === undefined) return;
    const before = await this.world.store.snapshotAt(parent);
    for (const id of this.ids) await this.checkInstance(id, before, after, repository);
    expect(await after.readFile(FOREIGN), 'what is foreign was touched').toEqual(await before.readFile(FOREIGN));
  }

  async checkInstance(id: InstanceId, before: Snapshot, after: Snapshot, repository: Repository): Promise<void> {
    const [old, now] = await Promise.all([readInstance(before, layout, id), readInstance(after, layout, id)]);
    const isSame = old.contentHash === now.contentHash && key(old.marker) === key(now.marker);
    if (isSame && key(old.tombstone) === key(now.tombstone)) return;
    const isRemoval = now.marker === null;
    const newest = Math.max(generationOf(now.marker), generationOf(now.tombstone));
    for (const file of [old.marker, old.tombstone]) {
      if (file === null || file === 'invalid') continue;
      this.law(
        await repository.hasChange(id, file.changeId),
        'a change that the database does not know was overwritten',
      );
      if (!isRemoval || now.tombstone !== null) this.law(newest >= file.generation, 'a generation went back');
    }
    // A deletion takes away what it finds; a write leaves exactly what its marker says.
    if (now.marker === null || now.marker === 'invalid' || now.contentHash !== now.marker.contentHash) return;
    const { tombstone, marker } = old;
    if (tombstone !== null && tombstone !== 'invalid') {
      this.law(this.chosen.has(tombstone.changeId), 'a deleted instance was revived');
    }
    const isEdited =
      marker === 'invalid' || (marker === null ? old.hasDirectory : old.contentHash !== marker.contentHash);
    const isChosen = this.chosen.has(`${id} ${old.contentHash}`);
    if (isEdited && marker === 'invalid') this.law(isChosen, 'what cannot be read was overwritten');
    else if (isEdited && this.policy.manualEdit === 'report') this.law(isChosen, 'an edit was overwritten');
  }

  law(holds: boolean, what: string): void {
    if (!holds) this.broken.push(what);
  }

  async run(op: Operation): Promise<void> {
    const { world } = this;
    switch (op.type) {
      case 'create': {
        if (this.ids.length >= 3) return;
        const { id } = await this.process().instances.create({
          productId: world.product.id,
          templateVersionId: world.v1.id,
          tenant: 'acme',
        });
        this.ids.push(id);
        return;
      }
      case 'update':
        return this.command(op.which, (caelus, id) =>
          caelus.instances.update(id, { values: { replicas: op.replicas } }),
        );
      case 'upgrade':
        return this.command(op.which, (caelus, id) => caelus.instances.upgrade(id, { templateVersionId: world.v2.id }));
      case 'delete':
        return this.command(op.which, (caelus, id) => caelus.instances.delete(id));
      case 'backup':
        this.backups = [(this.repository as typeof world.repository).copy(), ...this.backups].slice(0, 3);
        return;
      case 'restore': {
        const backup = this.backups[op.which] as typeof world.repository | undefined;
        if (backup) this.repository = backup.copy();
        return;
      }
      case 'rewind': {
        let commit = world.branch.tip;
        for (let back = 0; back < op.by && commit !== null; back++) {
          const [parent] = world.branch.commits.get(commit)?.parents ?? [];
          if (parent !== undefined) commit = parent;
        }
        if (commit !== null && (await world.store.snapshotAt(commit).then((at) => at.readFile(FOREIGN))))
          world.rewind(commit);
        return;
      }
      case 'argo':
        await world.argoCd.reconcile();
        return;
      case 'edit':
        return this.edit(op.which, op.what);
      case 'pass': {
        await this.alive(this.process(op.dies === 0 ? {} : { dies: new Dying(op.dies, op.when) }).runOnce());
        world.clock.advance(100_000);
        return;
      }
      case 'two-workers':
        await Promise.all([this.alive(this.process().runOnce()), this.alive(this.process().runOnce())]);
        world.clock.advance(100_000);
        return;
      case 'plan-late': {
        const gate = new Gate();
        const running = this.alive(
          this.process({ store: (store) => gate.before(store), clock: pausedClock(world.clock) }).runOnce(),
        );
        await gate.reached(running);
        this.late = () => {
          gate.open();
          return running;
        };
        world.clock.advance(100_000);
        return;
      }
      case 'run-late':
        await this.late?.();
        this.late = undefined;
        return;
      case 'resolve': {
        const findings = await this.findings();
        const finding = findings[op.which % Math.max(1, findings.length)];
        if (finding) await this.resolve(finding, op.remedy);
      }
    }
  }

  async command(index: number, run: (caelus: Caelus, id: InstanceId) => Promise<unknown>): Promise<void> {
    const id = this.ids[index];
    if (id) await refusable(run(this.process(), id));
  }

  async alive(run: Promise<unknown>): Promise<void> {
    await run.catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
  }

  async edit(index: number, what: Edit): Promise<void> {
    const id = this.ids[index];
    if (!id) return;
    const { world } = this;
    const places = world.places(id);
    const text = async (path: RepoPath) => (await world.readText(path)) ?? '';
    const edits: Record<Edit, () => Promise<readonly (readonly [RepoPath, string | null])[]>> = {
      values: async () => [[places.values, (await text(places.values)).replace(/title: .*/, 'title: By hand')]],
      locked: async () => [[places.values, (await text(places.values)).replace(/tag: .*/, 'tag: evil')]],
      application: async () => [[places.application, `${await text(places.application)}# by hand\n`]],
      'remove-application': async () => [[places.application, null]],
      'remove-directory': async () => (await this.pathsOf(id)).map((path) => [path, null]),
      'remove-marker': async () => [[places.marker, null]],
      'spoil-marker': async () => [[places.marker, 'spoiled: ]']],
    };
    if (!(await this.pathsOf(id)).includes(places.values)) return;
    await this.push(await edits[what]());
  }

  async pathsOf(id: InstanceId): Promise<readonly RepoPath[]> {
    return [...this.world.files().keys()].filter((path) => path.startsWith(`instances/${id}/`)).map(parseRepoPath);
  }

  async push(edits: readonly (readonly [RepoPath, string | null])[]): Promise<void> {
    const proposal = {
      edits: edits.map(([path, content]) => ({ path, bytes: content === null ? null : encoder.encode(content) })),
      summary: 'edit by hand',
      trailers: [],
      actor: { name: 'Somebody' } satisfies Actor,
    };
    await this.world.store.write([{ subject: 'hand', propose: async () => proposal }]);
  }

  async findings(): Promise<readonly Finding[]> {
    const findings = await findingsOf(this.process());
    return findings.filter(({ subject }) => subject.type !== 'instance' || subject.id !== 'foreign');
  }

  async resolve(finding: Finding, index: number): Promise<void> {
    const { subject, remedies } = finding;
    const remedy = remedies[index % Math.max(1, remedies.length)];
    if (subject.type === 'instance') {
      const git = await readInstance(await this.world.store.snapshot(), layout, subject.id);
      this.chosen.add(`${subject.id} ${git.contentHash}`);
      if (git.tombstone !== null && git.tombstone !== 'invalid') this.chosen.add(git.tombstone.changeId);
      // What nothing can be done about is for a person to remove.
      if (!remedy) await this.push((await this.pathsOf(subject.id)).map((path) => [path, null]));
    }
    if (remedy) await refusable(this.process().resolve(finding, remedy.name));
  }

  /** Everything comes to rest; then every flag is settled by choices, and nothing is left. */
  async finish(winner: number): Promise<void> {
    const { world } = this;
    await this.late?.();
    await settleAll(world, this.process());
    const flagged = (await this.findings()).map(({ kind }) => kind);
    for (const kind of ['git-behind', 'unrecorded', 'git-rewound', 'unexaminable']) expect(flagged).not.toContain(kind);
    for (let round = 0; round < 8; round++) {
      const findings = await this.findings();
      if (findings.length === 0) break;
      for (const finding of findings) await this.resolve(finding, winner);
      await settleAll(world, this.process());
    }
    expect((await this.findings()).map(({ kind, subject }) => [kind, subject])).toEqual([]);
    const tip = world.tip();
    await settleAll(world, this.process());
    expect(world.tip(), 'there is no fixpoint').toBe(tip);
    const names = [...world.files().keys()].flatMap((path) => /^instances\/([^/]+)\//.exec(path)?.[1] ?? []);
    const inGit = new Set(names.map(instanceIdOf).filter((id) => id !== 'foreign'));
    const { items } = await this.repository.listInstances({}, { limit: 500 });
    const wanted = items.filter(({ status }) => status !== 'Deleted');
    expect([...inGit].toSorted()).toEqual(wanted.map(({ id }) => id).toSorted());
    for (const { status } of wanted) expect(status).toBe('Running');
    expect(this.broken).toEqual([]);
  }
}

/** A worker's process that ends at one of its calls of the database or of the store. */
class Dying {
  left: number;
  readonly when: 'before' | 'after';
  constructor(left: number, when: 'before' | 'after') {
    this.left = left;
    this.when = when;
  }

  async call<T>(run: () => Promise<T>): Promise<T> {
    this.left -= 1;
    if (this.left < 0 || (this.left === 0 && this.when === 'before')) throw new Died();
    const result = await run();
    if (this.left === 0) throw new Died();
    return result;
  }

  repository(repository: Repository): Repository {
    return {
      ...repository,
      claimWork: (claim, options) => this.call(() => repository.claimWork(claim, options)),
      transaction: (body, options) => this.call(() => repository.transaction(body, options)),
    };
  }

  store(store: StateStore): StateStore {
    return { ...store, write: (changes, options) => this.call(() => store.write(changes, options)) };
  }
}

/** Holds a worker between what it has decided and what it writes. */
class Gate {
  #open: () => void = () => {};
  #reached: () => void = () => {};
  readonly opened: Promise<void> = new Promise((resolve) => {
    this.#open = resolve;
  });
  readonly arrived: Promise<void> = new Promise((resolve) => {
    this.#reached = resolve;
  });

  open(): void {
    this.#open();
  }

  async reached(running: Promise<unknown>): Promise<void> {
    await Promise.race([this.arrived, running]);
  }

  before(store: StateStore): StateStore {
    return {
      ...store,
      write: (changes, options) =>
        store.write(
          changes.map((change) => ({
            ...change,
            propose: async (snapshot) => {
              const proposal = await change.propose(snapshot);
              if (proposal === null || change.subject === 'repository') return proposal;
              this.#reached();
              await this.opened;
              return proposal;
            },
          })),
          options,
        ),
    };
  }
}

const encoder = new TextEncoder();

type File = { readonly changeId: ChangeId; readonly generation: number } | 'invalid' | null;

const key = (file: File): string => (file === null || file === 'invalid' ? String(file) : file.changeId);
const generationOf = (file: File): number => (file === null || file === 'invalid' ? 0 : file.generation);

/** A command, which may be refused for a reason that a user would be told. */
async function refusable(call: Promise<unknown>): Promise<void> {
  const codes = ['INSTANCE_UNKNOWN', 'INSTANCE_DELETED', 'FINDING_STALE', 'TEMPLATE_VERSION_UNKNOWN'] as const;
  await call.catch((error: unknown) => {
    if (!codes.some((code) => isCaelusError(error, code))) throw error;
  });
}

const policies = fc.record({
  manualEdit: fc.constantFrom('repair' as const, 'report' as const, 'accept' as const),
  missing: fc.constantFrom('restore' as const, 'report' as const),
});

/** @param story what happens first, before anything may happen. */
async function checkLaws(
  faults: Faults,
  numRuns: number,
  policy: typeof policies = policies,
  story: readonly Operation[] = [],
): Promise<void> {
  const operations = fc.array(operation, { size: 'max', minLength: 4, maxLength: 24 });
  await fc.assert(
    fc.asyncProperty(policy, operations, which, async (driftPolicy, steps, winner) => {
      await using world = await createConsistencyWorld({ driftPolicy });
      await world.caelus.runOnce();
      await world.editByHand(FOREIGN, 'storeId: of-somebody-else\n');
      const loop = new Loop(world, driftPolicy, faults);
      await loop.run({ type: 'create' });
      for (const step of [...story, ...steps]) await loop.run(step);
      await loop.finish(winner);
    }),
    // Shrinking runs the loop hundreds of times: what fails is shown as it was found, and can be repeated by its seed.
    { numRuns, endOnFailure: true },
  );
}

/** `CAELUS_LOOP_RUNS` asks for more. */
const RUNS = Number(process.env.CAELUS_LOOP_RUNS ?? 15);

describe('the whole loop', () => {
  it('never overwrites what it does not know, revives nothing, and leaves nothing to settle once somebody has chosen', async () => {
    await checkLaws({}, RUNS);
  });

  const report = fc.constant({ manualEdit: 'report', missing: 'restore' } as const) as unknown as typeof policies;
  const pass: Operation = { type: 'pass', dies: 0, when: 'before' };
  const update = (replicas: number): Operation => ({ type: 'update', which: 0, replicas });
  const restore: Operation = { type: 'restore', which: 0 };
  const stories: Readonly<Record<'lineage' | 'edit' | 'late' | 'deletion', readonly Operation[]>> = {
    lineage: [pass, { type: 'backup' }, update(2), pass, restore, update(3), pass],
    edit: [pass, { type: 'edit', which: 0, what: 'values' }, pass],
    late: [pass, update(2), { type: 'plan-late' }, update(3), pass, { type: 'run-late' }],
    deletion: [pass, { type: 'backup' }, { type: 'delete', which: 0 }, pass, { type: 'argo' }, pass, restore, pass],
  };

  // Random sequences find these faults too, after some hundred runs; each story leads there at once.
  const runs = 10;
  it.each(Object.entries(stories))('holds to its laws after the story of %s', (_, story) =>
    checkLaws({}, 3, policies, story),
  );
  it.each<[string, Faults, typeof policies, readonly Operation[]]>([
    [
      'the lineage check',
      { repository: (repository) => ({ ...repository, hasChange: async () => true }) },
      policies,
      stories.lineage,
    ],
    ['the manual-edit check', { policy: { manualEdit: 'repair', missing: 'restore' } }, report, stories.edit],
    ['the compare-and-swap', { store: withoutCompareAndSwap }, policies, stories.late],
    ['the tombstones', { store: withoutTombstones }, policies, stories.deletion],
  ])('goes red without %s', async (_, faults, policy, story) => {
    await expect(checkLaws(faults, runs, policy, story)).rejects.toThrow(/Property failed/);
  });
});

/** A store that writes what was decided upon the tip as it was, whatever has come there since. */
function withoutCompareAndSwap(store: StateStore): StateStore {
  return {
    ...store,
    async write(changes, options) {
      const snapshot = await store.snapshot(options);
      const decided = await Promise.all(changes.map((change) => change.propose(snapshot)));
      return store.write(
        changes.map((change, index) => ({ ...change, propose: async () => decided[index] ?? null })),
        options,
      );
    },
  };
}

/** A store that shows no tombstone. */
function withoutTombstones(store: StateStore): StateStore {
  const blind = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    readFile: async (path, options) =>
      path.startsWith('.caelus/tombstones/') ? undefined : snapshot.readFile(path, options),
    listDirectory: async (path, options) =>
      path?.startsWith('.caelus/tombstones') ? [] : snapshot.listDirectory(path, options),
  });
  return {
    ...store,
    snapshot: async (options) => blind(await store.snapshot(options)),
    write: (changes, options) =>
      store.write(
        changes.map((change) => ({ ...change, propose: (snapshot) => change.propose(blind(snapshot)) })),
        options,
      ),
  };
}
