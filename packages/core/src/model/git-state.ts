import * as z from 'zod';
import { parseInput } from '../schema/parse-input.ts';
import {
  type ChangeId,
  type CommitId,
  changeIdSchema,
  commitIdSchema,
  type InstanceId,
  instanceIdSchema,
  type Timestamp,
  timestampSchema,
} from './identifier.ts';

export const driftKinds = [
  'manual-edit',
  'missing',
  'database-behind',
  'deleted-in-git',
  'orphan',
  'tombstone-orphan',
  'foreign',
  'marker-invalid',
] as const;

/**
 * How what lies in Git differs from what Caelus wrote or would write:
 * `manual-edit` a file was changed by hand; `missing` the directory was removed by hand; `database-behind` Git carries a
 * change this database never made (it was restored from an older backup); `deleted-in-git` the instance was deleted after
 * the backup; `orphan` Caelus's own directory without a row; `tombstone-orphan` a deletion of an instance that has no row; `foreign` another store's directory; `marker-invalid` the
 * marker cannot be read.
 */
export type DriftKind = (typeof driftKinds)[number];

/** What the database knows of an instance's place in Git, as of the last write or check. */
export interface GitState {
  readonly instanceId: InstanceId;
  readonly generation: number;
  readonly changeId: ChangeId;
  /** Of what was written; or of what a command has seen there, when it decided what the row is to be instead. */
  readonly contentHash: string;
  /** Hash of the Application's spec as written, which tells Argo CD's view of it from an older one. */
  readonly specHash: string;
  readonly commit: CommitId;
  /** How far deletion is: everything there, the Application removed, or the directory removed too. */
  readonly phase: 'present' | 'application-removed' | 'removed';
  readonly writtenAt: Timestamp;
}

const gitStateSchema: z.ZodType<GitState> = z.strictObject({
  instanceId: instanceIdSchema,
  generation: z.int().min(0),
  changeId: changeIdSchema,
  contentHash: z.string(),
  specHash: z.string(),
  commit: commitIdSchema,
  phase: z.enum(['present', 'application-removed', 'removed']),
  writtenAt: timestampSchema,
});

/** Parses a stored Git state. @throws {CaelusError} `ID_INVALID`, `INVALID_INPUT` */
export function parseGitState(input: unknown): GitState {
  return parseInput(gitStateSchema, input, 'The Git state');
}

/** Parses a kind of drift. @throws {CaelusError} `INVALID_INPUT` */
export function parseDriftKind(input: unknown): DriftKind {
  return parseInput(z.enum(driftKinds), input, 'The kind of drift');
}
