import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecideInput, type Decision, type DriftPolicy, decide } from '../src/decide/decide.ts';
import type { GitState } from '../src/model/git-state.ts';
import type { ChangeId, CommitId, StoreId } from '../src/model/identifier.ts';
import type { Marker, Tombstone } from '../src/render/marker.ts';

// A model of one instance: a database, a branch, a cluster, people who edit and restore, workers that die. What decide
// says is carried out as the engine does, and the laws are checked against what really happened in the model.

const STORE = 'a0000000-0000-4000-8000-000000000000' as StoreId;
const ME = { storeId: STORE } as const;

interface Row {
  generation: number;
  changeId: ChangeId;
  wanted: boolean;
  content: string;
}
interface Database {
  row: Row | null;
  changes: readonly ChangeId[];
  gitState: GitState | null;
}
interface Branch {
  tip: number;
  marker: Marker | null;
  tombstone: Tombstone | null;
  content: string | null;
  applicationFile: boolean;
}
interface Plan {
  tip: number;
  decision: Decision;
  row: Row;
  /** What the planner's database knew: a worker may outlive a restore of the database it had asked. */
  changes: readonly ChangeId[];
}

type Operation =
  | { type: 'create' | 'update'; content: string }
  | {
      type:
        | 'touch'
        | 'delete'
        | 'backup'
        | 'argo'
        | 'remove-directory'
        | 'remove-application-file'
        | 'plan-stale'
        | 'run-stale';
    }
  | { type: 'rewind'; by: number }
  | { type: 'resolve'; winner: Winner }
  | { type: 'edit'; content: string }
  | { type: 'restore'; which: number }
  | { type: 'reconcile'; crash: 'no' | 'before-write' | 'after-write' };

type Winner = 'database' | 'git';

const content = fc.constantFrom('a', 'b', 'c');
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('create', 'update'), content }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constantFrom(
        'touch',
        'delete',
        'backup',
        'argo',
        'remove-directory',
        'remove-application-file',
        'plan-stale',
        'run-stale',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('edit'), content }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restore'), which: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('rewind'), by: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resolve'), winner: fc.constantFrom('database', 'git') }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('reconcile'),
      crash: fc.constantFrom('no', 'no', 'before-write', 'after-write'),
    }),
  },
) as fc.Arbitrary<Operation>;

interface Faults {
  /** Changes what decide sees, to prove that the laws notice. */
  readonly blind?: (input: DecideInput) => DecideInput;
  readonly noCompareAndSwap?: boolean;
  /** A command that chooses a side goes on from the row's generation, whatever Git's is. */
  readonly noRaise?: boolean;
}

class Model {
  database: Database = { row: null, changes: [], gitState: null };
  git: Branch = { tip: 0, marker: null, tombstone: null, content: null, applicationFile: false };
  past: Branch[] = [];
  /** What lay in Git when a person, or the policy, chose what becomes of it. */
  chosen = new Set<string>();
  clusterHasApplication = false;
  backups: Database[] = [];
  stale: Plan | null = null;
  serial = 0;
  readonly policy: DriftPolicy;
  readonly faults: Faults;

  constructor(policy: DriftPolicy, faults: Faults) {
    this.policy = policy;
    this.faults = faults;
  }

  run(op: Operation): void {
    const { row } = this.database;
    switch (op.type) {
      case 'create':
        if (row === null) this.command({ content: op.content, wanted: true });
        return;
      case 'update':
        if (row?.wanted) this.command({ content: op.content });
        return;
      case 'touch':
        if (row?.wanted) this.command({});
        return;
      case 'delete':
        if (row?.wanted) this.command({ wanted: false });
        return;
      case 'backup':
        this.backups = [structuredClone(this.database), ...this.backups].slice(0, 4);
        return;
      case 'restore': {
        const backup = this.backups[op.which];
        if (backup) this.database = structuredClone(backup);
        return;
      }
      case 'edit':
        if (this.git.content !== null) this.push({ content: op.content });
        return;
      case 'remove-directory':
        this.push({ content: null, marker: null });
        return;
      case 'remove-application-file':
        this.push({ applicationFile: false });
        return;
      case 'rewind': {
        const before = this.past[op.by];
        if (before) this.push({ ...before, tip: this.git.tip });
        return;
      }
      case 'resolve':
        this.resolve(op.winner);
        return;
      case 'argo':
        this.clusterHasApplication = this.git.applicationFile;
        return;
      case 'plan-stale':
        this.stale = this.plan();
        return;
      case 'run-stale':
        if (this.stale) this.carryOut(this.stale, 'no');
        this.stale = null;
        return;
      case 'reconcile': {
        const plan = this.plan();
        if (plan) this.carryOut(plan, op.crash);
      }
    }
  }

  command(change: Partial<Row>): void {
    const changeId = `c0000000-0000-4000-8000-${String(++this.serial).padStart(12, '0')}` as ChangeId;
    const old = this.database.row ?? { generation: 0, wanted: true, content: '' };
    this.database = {
      ...this.database,
      row: { ...old, ...change, generation: old.generation + 1, changeId },
      changes: [...this.database.changes, changeId],
    };
  }

  /** What a person does about a flag. */
  resolve(winner: Winner): void {
    const decision = this.decision();
    if (decision.action !== 'flag') return;
    const { marker, tombstone } = this.git;
    if (decision.drift === 'orphan' || decision.drift === 'tombstone-orphan') {
      const { generation, changeId } = tombstone ?? (marker as Marker);
      this.database = {
        ...this.database,
        row: { generation, changeId, wanted: tombstone === null, content: contentOf(marker) ?? '' },
        changes: [...this.database.changes, changeId, ...(marker ? [marker.changeId] : [])],
      };
      return;
    }
    if (winner === 'database') this.choose({}, decision.drift === 'missing' ? 'removed' : 'present');
    else if (decision.drift === 'database-behind') this.choose({ content: contentOf(marker) ?? '' }, 'present');
    else if (decision.drift === 'manual-edit') this.accept();
    else this.choose({ wanted: false }, 'present');
  }

  accept(): void {
    if (this.isExpressible()) this.choose({ content: this.git.content ?? '' }, 'present');
  }

  isExpressible(): boolean {
    const { content: actual, applicationFile, marker } = this.git;
    return actual !== null && actual !== 'c' && applicationFile && marker?.changeId === this.database.row?.changeId;
  }

  /** The row takes a side: a change of its own, past everything in Git, and what lies there is taken note of. */
  choose(change: Partial<Row>, phase: GitState['phase']): void {
    const { marker, tombstone } = this.git;
    const before = this.database.row as Row;
    const inGit = [marker, tombstone].flatMap((file) => (file ? [file] : []));
    if (tombstone) this.chosen.add(tombstone.changeId);
    this.chosen.add(this.contentChosen());
    this.command(change);
    const row = this.database.row as Row;
    const generation = this.faults.noRaise
      ? row.generation
      : Math.max(before.generation, ...inGit.map((file) => file.generation)) + 1;
    this.database = {
      ...this.database,
      row: { ...row, generation },
      changes: [...this.database.changes, ...inGit.map(({ changeId }) => changeId)],
      gitState: {
        instanceId: 'i' as never,
        generation: marker?.generation ?? 0,
        changeId: (marker ?? tombstone ?? before).changeId,
        contentHash: this.input().git.contentHash ?? '',
        specHash: '',
        commit: String(this.git.tip).padStart(40, '0') as CommitId,
        phase,
        writtenAt: '' as never,
      },
    };
  }

  contentChosen(): string {
    const { marker, content: actual, applicationFile } = this.git;
    return `${marker?.changeId} ${this.hash(actual, applicationFile)}`;
  }

  push(change: Partial<Branch>): void {
    this.past = [this.git, ...this.past].slice(0, 6);
    this.git = { ...this.git, ...change, tip: this.git.tip + 1 };
  }

  hash = (text: string | null, applicationFile: boolean): string => `${text}:${applicationFile}`;

  input(): DecideInput {
    const { row, changes, gitState } = this.database;
    const { marker, tombstone, content: actual, applicationFile } = this.git;
    return {
      storeId: STORE,
      row: row && { ...row, contentHash: row.wanted ? this.hash(row.content, true) : null },
      git: {
        marker,
        tombstone,
        contentHash: marker || actual !== null ? this.hash(actual, applicationFile) : null,
        hasDirectory: actual !== null,
        hasApplicationFile: applicationFile,
      },
      gitState,
      knowsChange: (changeId) => changes.includes(changeId),
      applicationGone: !this.clusterHasApplication && !applicationFile,
      editIsExpressible: this.isExpressible(),
      policy: this.policy,
    };
  }

  decision(): Decision {
    return decide(this.faults.blind ? this.faults.blind(this.input()) : this.input());
  }

  plan(): Plan | null {
    const { row, changes } = this.database;
    return row && { tip: this.git.tip, decision: this.decision(), row, changes };
  }

  carryOut({ tip, decision, row, changes }: Plan, crash: 'no' | 'before-write' | 'after-write'): void {
    if (crash === 'before-write') return;
    if (decision.action === 'accept') {
      // In one transaction with a look at the row, and of what was seen in Git.
      if (tip === this.git.tip && this.database.row?.changeId === row.changeId) this.accept();
      return;
    }
    const change = this.changeOf(decision, row);
    if (change) {
      if (tip !== this.git.tip && !this.faults.noCompareAndSwap) return;
      this.checkWrite(decision, row, changes);
      this.push(change);
    }
    if (crash === 'after-write' || this.database.row?.changeId !== row.changeId) return;
    const phase = decision.action === 'record' ? decision.phase : phaseWritten[decision.action];
    if (phase === undefined) return;
    const contentHash = this.git.marker?.contentHash ?? '';
    const { generation, changeId } = row;
    const commit = String(this.git.tip).padStart(40, '0') as CommitId;
    this.database = {
      ...this.database,
      gitState: {
        instanceId: 'i' as never,
        generation,
        changeId,
        contentHash,
        specHash: '',
        commit,
        phase,
        writtenAt: '' as never,
      },
    };
  }

  changeOf(decision: Decision, row: Row): Partial<Branch> | null {
    const { generation, changeId } = row;
    switch (decision.action) {
      case 'write': {
        const marker = { ...ME, generation, changeId, contentHash: this.hash(row.content, true) } as Marker;
        return { marker, content: row.content, applicationFile: true, tombstone: null };
      }
      case 'remove-application':
        return { applicationFile: false, tombstone: { ...ME, id: 'i', generation, changeId } as unknown as Tombstone };
      case 'remove-directory':
        return { content: null, marker: null };
      default:
        return null;
    }
  }

  /** What must hold of every write, whoever decided it and whenever. */
  checkWrite(decision: Decision, row: Row, changes: readonly ChangeId[]): void {
    const { marker, tombstone, content: actual, applicationFile } = this.git;
    for (const before of [marker, tombstone]) {
      if (before === null) continue;
      expect(changes.includes(before.changeId), 'a change of a lost database was overwritten').toBe(true);
      expect(row.generation, 'a generation went back').toBeGreaterThanOrEqual(before.generation);
    }
    if (decision.action !== 'write') return;
    if (tombstone) expect(this.chosen, 'a deleted instance was revived').toContain(tombstone.changeId);
    if (this.chosen.has(this.contentChosen())) return;
    const edited = marker !== null && this.hash(actual, applicationFile) !== marker.contentHash;
    if (edited) expect(this.policy.manualEdit, 'a manual edit was overwritten against the policy').toBe('repair');
  }

  settle(): void {
    for (let step = 0; step < 12; step++) {
      this.run({ type: 'argo' });
      const plan = this.plan();
      if (plan === null || plan.decision.action === 'none' || plan.decision.action === 'flag') return;
      this.carryOut(plan, 'no');
    }
    throw new Error(`no fixpoint: ${JSON.stringify(this.plan()?.decision)}`);
  }

  checkSettled(): void {
    const { row, gitState } = this.database;
    if (row === null || this.decision().action === 'flag') return;
    expect(this.decision()).toEqual({ action: 'none' });
    expect(gitState?.generation).toBe(row.generation);
    if (row.wanted) {
      expect(this.git).toMatchObject({ content: row.content, applicationFile: true, tombstone: null });
      expect(this.git.marker?.generation).toBe(row.generation);
    } else {
      expect(this.git).toMatchObject({ content: null, marker: null, applicationFile: false });
      expect(this.git.tombstone?.changeId).toBe(row.changeId);
    }
  }
}

/** What the marker's change wrote. */
function contentOf(marker: Marker | null): string | undefined {
  return marker?.contentHash.split(':')[0];
}

const phaseWritten: Partial<Record<Decision['action'], GitState['phase']>> = {
  write: 'present',
  'remove-application': 'application-removed',
  'remove-directory': 'removed',
};

const policy: fc.Arbitrary<DriftPolicy> = fc.record({
  manualEdit: fc.constantFrom('repair', 'report', 'accept'),
  missing: fc.constantFrom('restore', 'report'),
});

function checkLaws(faults: Faults, numRuns: number): void {
  const sequences = fc.array(operation, { size: 'max', maxLength: 60 });
  fc.assert(
    fc.property(policy, sequences, fc.constantFrom<Winner>('database', 'git'), (chosen, operations, winner) => {
      const model = new Model(chosen, faults);
      for (const op of operations) model.run(op);
      model.settle();
      model.checkSettled();
      // Whatever is flagged then, one decision of a person settles; for the edit that no row expresses, it has to be repair.
      model.resolve(winner);
      model.settle();
      model.resolve('database');
      model.settle();
      model.checkSettled();
      expect(model.decision()).toEqual({ action: 'none' });
    }),
    { numRuns },
  );
}

describe('decide, over operations, crashes, manual edits, stale workers and restores', () => {
  it('never overwrites what it does not know, never goes back, and reaches a fixpoint', () => {
    checkLaws({}, 20_000);
  });

  // The laws are worth something only if they notice when a check is gone.
  it.each<[string, Faults]>([
    ['the lineage check', { blind: (input) => ({ ...input, knowsChange: () => true }) }],
    [
      'the manual-edit check',
      {
        blind: (input) => {
          const { marker } = input.git;
          const contentHash = marker !== null && marker !== 'invalid' ? marker.contentHash : null;
          return { ...input, git: { ...input.git, contentHash } };
        },
      },
    ],
    ['the compare-and-swap', { noCompareAndSwap: true }],
    ['the raise past the generation of Git', { noRaise: true }],
    [
      'the look at what was chosen upon',
      {
        blind: ({ gitState, git, ...input }) => {
          const { marker } = git;
          if (gitState === null || marker === null || marker === 'invalid') return { ...input, git, gitState };
          const { changeId } = marker;
          return { ...input, git, gitState: { ...gitState, changeId, contentHash: git.contentHash ?? '' } };
        },
      },
    ],
    ['the tombstones', { blind: (input) => ({ ...input, git: { ...input.git, tombstone: null } }) }],
  ])('goes red without %s', (_, faults) => {
    expect(() => checkLaws(faults, 20_000)).toThrow(/Property failed/);
  });
});
