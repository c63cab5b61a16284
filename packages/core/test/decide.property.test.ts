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
  | { type: 'edit'; content: string }
  | { type: 'restore'; which: number }
  | { type: 'reconcile'; crash: 'no' | 'before-write' | 'after-write' };

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
}

class Model {
  database: Database = { row: null, changes: [], gitState: null };
  git: Branch = { tip: 0, marker: null, tombstone: null, content: null, applicationFile: false };
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

  push(change: Partial<Branch>): void {
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
        contentHash: marker && this.hash(actual, applicationFile),
        hasDirectory: actual !== null,
        hasApplicationFile: applicationFile,
      },
      gitState,
      knowsChange: (changeId) => changes.includes(changeId),
      applicationGone: !this.clusterHasApplication && !applicationFile,
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
        return { applicationFile: false, tombstone: { ...ME, id: 'i' as never, generation, changeId } };
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
    expect(tombstone, 'a deleted instance was revived').toBeNull();
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

const phaseWritten: Partial<Record<Decision['action'], GitState['phase']>> = {
  write: 'present',
  'remove-application': 'application-removed',
  'remove-directory': 'removed',
};

const policy: fc.Arbitrary<DriftPolicy> = fc.record({
  manualEdit: fc.constantFrom('repair', 'report'),
  missing: fc.constantFrom('restore', 'report'),
});

function checkLaws(faults: Faults, numRuns: number): void {
  const sequences = fc.array(operation, { size: 'max', maxLength: 60 });
  fc.assert(
    fc.property(policy, sequences, (chosen, operations) => {
      const model = new Model(chosen, faults);
      for (const op of operations) model.run(op);
      model.settle();
      model.checkSettled();
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
    ['the tombstones', { blind: (input) => ({ ...input, git: { ...input.git, tombstone: null } }) }],
  ])('goes red without %s', (_, faults) => {
    expect(() => checkLaws(faults, 20_000)).toThrow(/Property failed/);
  });
});
