import type { ChangeId, CommitId, InstanceId, Timestamp } from './identifier.ts';

/**
 * How what lies in Git differs from what Caelus wrote or would write:
 * `manual-edit` a file was changed by hand; `missing` the directory was removed by hand; `database-behind` Git carries a
 * change this database never made (it was restored from an older backup); `deleted-in-git` the instance was deleted after
 * the backup; `orphan` Caelus's own directory without a row; `foreign` another store's directory; `marker-invalid` the
 * marker cannot be read.
 */
export type DriftKind =
  | 'manual-edit'
  | 'missing'
  | 'database-behind'
  | 'deleted-in-git'
  | 'orphan'
  | 'foreign'
  | 'marker-invalid';

/** What the database knows of an instance's place in Git, as of the last write or check. */
export interface GitState {
  readonly instanceId: InstanceId;
  readonly generation: number;
  readonly changeId: ChangeId;
  readonly contentHash: string;
  readonly commit: CommitId;
  /** How far deletion is: everything there, the Application removed, or the directory removed too. */
  readonly phase: 'present' | 'application-removed' | 'removed';
  readonly writtenAt: Timestamp;
}
