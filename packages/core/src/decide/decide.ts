import type { DriftKind, GitState } from '../model/git-state.ts';
import type { ChangeId, StoreId } from '../model/identifier.ts';
import type { Marker, Tombstone } from '../render/marker.ts';

/** What to do where Git does not hold what Caelus wrote. Nothing is lost either way: the history has both. */
export interface DriftPolicy {
  /** A file of an instance was changed, added or removed by hand. `repair`: write the desired state again. */
  readonly manualEdit: 'repair' | 'report';
  /** An instance's directory was removed by hand. `restore`: write it again. */
  readonly missing: 'restore' | 'report';
}

/** Repairs nothing that a person did on purpose, restores what is gone. */
export const DEFAULT_DRIFT_POLICY: DriftPolicy = { manualEdit: 'report', missing: 'restore' };

/** What the database says of the instance. */
export interface RowState {
  readonly generation: number;
  readonly changeId: ChangeId;
  /** `false` from the moment its deletion was asked for. */
  readonly wanted: boolean;
  /** Hash of what would be rendered now; `null` for a row that is not wanted. */
  readonly contentHash: string | null;
}

/** What lies in Git for the instance, at the commit that would be written upon. */
export interface GitContent {
  readonly marker: Marker | 'invalid' | null;
  readonly tombstone: Tombstone | 'invalid' | null;
  /** Hash of what is there, taken as the marker's own was; `null` without a readable marker. */
  readonly contentHash: string | null;
  /** Whether any file lies in the instance's directory. */
  readonly hasDirectory: boolean;
  readonly hasApplicationFile: boolean;
}

export interface DecideInput {
  readonly storeId: StoreId;
  readonly row: RowState | null;
  readonly git: GitContent;
  /** What the database last recorded of Git. */
  readonly gitState: GitState | null;
  /** Whether this database ever made that change: `false` for the changes of a later, lost database. */
  knowsChange(changeId: ChangeId): boolean;
  /** Whether Argo CD no longer has the Application. */
  readonly applicationGone: boolean;
  readonly policy: DriftPolicy;
}

export type Decision =
  /** Database and Git agree. */
  | { readonly action: 'none' }
  /** Git has what the row wants, and the database does not know yet: an acknowledgement was lost. */
  | { readonly action: 'record'; readonly phase: GitState['phase'] }
  /** Write every file of the instance, and remove its tombstone. */
  | { readonly action: 'write'; readonly reason: 'create' | 'update' | 'repair' | 'restore' }
  /** Deletion, phase 1: remove the Application and leave a tombstone. */
  | { readonly action: 'remove-application' }
  /** Argo CD is still deleting what the Application owned, with hooks that it renders from the directory. */
  | { readonly action: 'wait' }
  /** Deletion, phase 2: remove the directory. */
  | { readonly action: 'remove-directory' }
  /** Write nothing: a person, or an explicit command, has to say which side is right. */
  | { readonly action: 'flag'; readonly drift: DriftKind };

/**
 * Decides what a pass over one instance does, from the row, from what lies in Git, and from what the database last
 * recorded of Git. The write that follows is compare-and-swap on the same commit; after a lost race it is decided anew.
 */
export function decide(input: DecideInput): Decision {
  const { row, git, storeId } = input;
  const { marker, tombstone } = git;
  const owned = [marker, tombstone].every((file) => file === null || file === 'invalid' || file.storeId === storeId);
  if (row === null) return owned && isReadable(marker) ? flag('orphan') : NONE;
  if (!owned) return flag('foreign');
  if (marker === 'invalid' || tombstone === 'invalid') return flag('marker-invalid');
  if (marker === null && git.hasDirectory && input.gitState === null) return flag('foreign');
  if (tombstone !== null && !input.knowsChange(tombstone.changeId)) return flag('deleted-in-git');
  if (marker !== null && (!input.knowsChange(marker.changeId) || marker.generation > row.generation)) {
    return flag('database-behind');
  }
  return row.wanted ? decideWanted(input, row, marker, tombstone) : decideUnwanted(input, row, tombstone);
}

function decideWanted(
  { git, gitState, policy }: DecideInput,
  row: RowState,
  marker: Marker | null,
  tombstone: Tombstone | null,
): Decision {
  if (tombstone !== null) {
    // Only a command that chose the database over Git raises the generation past the deletion's.
    return row.generation > tombstone.generation ? write('restore') : flag('deleted-in-git');
  }
  if (marker === null) {
    if (git.hasDirectory) return manualEdit(policy);
    if (gitState === null) return write('create');
    return policy.missing === 'restore' || gitState.phase !== 'present' ? write('restore') : flag('missing');
  }
  if (git.contentHash !== marker.contentHash) return manualEdit(policy);
  const written = marker.generation === row.generation && marker.contentHash === row.contentHash;
  if (!written) return write('update');
  const recorded =
    gitState?.phase === 'present' &&
    gitState.changeId === marker.changeId &&
    gitState.contentHash === marker.contentHash &&
    gitState.generation === marker.generation;
  return recorded ? NONE : { action: 'record', phase: 'present' };
}

function decideUnwanted(
  { git, gitState, applicationGone }: DecideInput,
  row: RowState,
  tombstone: Tombstone | null,
): Decision {
  if (tombstone?.changeId !== row.changeId || git.hasApplicationFile) return { action: 'remove-application' };
  const phase = git.hasDirectory ? 'application-removed' : 'removed';
  if (gitState?.phase !== phase || gitState.changeId !== row.changeId) return { action: 'record', phase };
  if (!git.hasDirectory) return NONE;
  return { action: applicationGone ? 'remove-directory' : 'wait' };
}

const NONE: Decision = { action: 'none' };

function flag(drift: DriftKind): Decision {
  return { action: 'flag', drift };
}

function write(reason: 'create' | 'update' | 'repair' | 'restore'): Decision {
  return { action: 'write', reason };
}

function manualEdit(policy: DriftPolicy): Decision {
  return policy.manualEdit === 'repair' ? write('repair') : flag('manual-edit');
}

function isReadable(marker: Marker | 'invalid' | null): boolean {
  return marker !== null && marker !== 'invalid';
}
