import type { DriftKind, GitState } from '../model/git-state.ts';
import type { ChangeId, StoreId } from '../model/identifier.ts';
import type { Marker, Tombstone } from '../render/marker.ts';

/** What to do where Git does not hold what Caelus wrote. Nothing is lost either way: the history has both. */
export interface DriftPolicy {
  /**
   * A file of an instance was changed, added or removed by hand. `repair`: write the desired state again. `accept`: make the
   * edit the desired state, where the row can express it (see {@link expressEdit}), and report it where it cannot.
   */
  readonly manualEdit: 'repair' | 'report' | 'accept';
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
  /**
   * Hash of what is there, taken as the marker's own was; without a readable marker, over all files as they are. `null` where
   * nothing is there.
   */
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
  /** Whether a change of the row would have the effect of the edit by hand that lies in Git. */
  readonly editIsExpressible: boolean;
  readonly policy: DriftPolicy;
}

export type Decision =
  /** Database and Git agree. */
  | { readonly action: 'none' }
  /** Git has what the row wants, and the database does not know yet: an acknowledgement was lost. */
  | { readonly action: 'record'; readonly phase: GitState['phase'] }
  /** Make the edit by hand the row's desired state; the next pass writes it as Caelus does. */
  | { readonly action: 'accept' }
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
  const { row, git, gitState, storeId } = input;
  const { marker, tombstone } = git;
  const owned = [marker, tombstone].every((file) => file === null || file === 'invalid' || file.storeId === storeId);
  if (row === null) return decideWithoutRow(git, owned);
  if (!owned) return flag('foreign');
  if (marker === null && git.hasDirectory && gitState === null) return flag('foreign');
  const settled = isSettled(input, row);
  if (marker === 'invalid' || tombstone === 'invalid') {
    // A deletion that has left its tombstone needs no marker any more.
    const isUnderDeletion = !row.wanted && readable(tombstone)?.changeId === row.changeId;
    if (!settled && !isUnderDeletion) return flag('marker-invalid');
    return row.wanted ? write('repair') : decideUnwanted(input, row, readable(tombstone));
  }
  if (tombstone !== null && !input.knowsChange(tombstone.changeId)) return flag('deleted-in-git');
  if (marker !== null && (!input.knowsChange(marker.changeId) || marker.generation > row.generation)) {
    return flag('database-behind');
  }
  return row.wanted ? decideWanted(input, row, marker, tombstone, settled) : decideUnwanted(input, row, tombstone);
}

function decideWithoutRow({ marker, tombstone }: GitContent, owned: boolean): Decision {
  if (!owned) return NONE;
  if (readable(marker) !== null) return flag('orphan');
  return marker === null && readable(tombstone) !== null ? flag('tombstone-orphan') : NONE;
}

/**
 * Whether a command has seen exactly what lies in Git, and has decided what the row is to be. It records the hash of what it
 * saw, and raises the generation past it.
 */
function isSettled({ git, gitState }: DecideInput, row: RowState): boolean {
  if (gitState === null || git.contentHash === null) return false;
  const marker = readable(git.marker);
  return (
    gitState.contentHash === git.contentHash &&
    gitState.generation < row.generation &&
    (marker === null || marker.changeId === gitState.changeId)
  );
}

function decideWanted(
  input: DecideInput,
  row: RowState,
  marker: Marker | null,
  tombstone: Tombstone | null,
  settled: boolean,
): Decision {
  const { git, gitState, policy } = input;
  // Only a command that chose the database over Git raises the generation past the deletion's.
  if (tombstone !== null && row.generation <= tombstone.generation) return flag('deleted-in-git');
  const isEdited = marker === null ? git.hasDirectory : git.contentHash !== marker.contentHash;
  if (isEdited && !settled) return manualEdit(input);
  if (tombstone !== null) return write('restore');
  if (marker === null) {
    if (git.hasDirectory) return write('repair');
    if (gitState === null) return write('create');
    return policy.missing === 'restore' || gitState.phase !== 'present' ? write('restore') : flag('missing');
  }
  const written = marker.generation === row.generation && marker.contentHash === row.contentHash;
  if (!written) return write('update');
  return isRecorded(marker, gitState) ? NONE : { action: 'record', phase: 'present' };
}

/**
 * Whether the database knows that Git has this marker. Where every file of an instance lies in Git exactly as it is rendered
 * now, its marker among them, and there is no tombstone, {@link decide} says `none` if this holds of the rendered marker.
 */
export function isRecorded(
  marker: Pick<Marker, 'generation' | 'changeId' | 'contentHash'>,
  gitState: GitState | null,
): boolean {
  return (
    gitState?.phase === 'present' &&
    gitState.changeId === marker.changeId &&
    gitState.contentHash === marker.contentHash &&
    gitState.generation === marker.generation
  );
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

function manualEdit({ policy, editIsExpressible }: DecideInput): Decision {
  if (policy.manualEdit === 'repair') return write('repair');
  return policy.manualEdit === 'accept' && editIsExpressible ? { action: 'accept' } : flag('manual-edit');
}

function readable<T>(file: T | 'invalid' | null): T | null {
  return file === 'invalid' ? null : file;
}
