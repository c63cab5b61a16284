import {
  type Actor,
  type CaelusEventType,
  type GitContent,
  type GitState,
  type Instance,
  type InstanceDesired,
  type JsonObject,
  type Marker,
  parseChangeId,
  type RepositoryTransaction,
  type Tombstone,
} from '@caelus/core';
import { type EngineContext, timestamp } from './engine-context.ts';
import type { Examination } from './examine-instance.ts';
import { recordDrift } from './record-drift.ts';

/** What becomes of a row that disagrees with Git. */
export interface SideTaken {
  readonly type: Extract<CaelusEventType, 'instance-adopted' | 'instance-reasserted'>;
  /** What changes of the row; nothing where the database is right. */
  readonly changes: Partial<InstanceDesired>;
  readonly status: 'Pending' | 'Deleting' | 'Deleted';
  readonly deletedAt?: Instance['deletedAt'];
  readonly phase: GitState['phase'];
  readonly actor: Actor | null;
  readonly data: JsonObject;
}

/**
 * Lets a row take a side, in the database alone: a change of its own, past every generation that Git has; what Git has is known
 * from now on, and its hash is kept, so that the next pass overwrites exactly what was looked at and nothing that came later.
 * @throws {CaelusError} `GENERATION_STALE` where the row has moved on, and the codes of `updateDesired`
 */
export async function takeSide(
  context: EngineContext,
  transaction: RepositoryTransaction,
  { git, gitState, commit }: Pick<Examination, 'git' | 'gitState' | 'commit'>,
  instance: Instance,
  { type, changes, status, deletedAt, phase, actor, data }: SideTaken,
): Promise<void> {
  const at = timestamp(context);
  const inGit = readableFiles(git);
  const [marker, tombstone] = [readable(git.marker), readable(git.tombstone)];
  const generation = Math.max(instance.generation, ...inGit.map((file) => file.generation)) + 1;
  const changeId = parseChangeId(context.ids.uuid());
  const { id: instanceId } = instance;
  await transaction.updateDesired(instanceId, instance.generation, {
    ...changes,
    generation,
    changeId,
    changedBy: actor,
    updatedAt: at,
    status,
    statusReason: status === 'Deleted' ? instance.statusReason : 'Accepted',
    ...(status === 'Deleting' && { deletedAt: deletedAt ?? instance.deletedAt ?? at }),
  });
  await acknowledge(context, transaction, instanceId, inGit, actor);
  await recordDrift(context, transaction, instanceId, null, instance);
  // A branch that was emptied has no commit; what was recorded of it before stands for it.
  const seenAt = commit ?? gitState?.commit;
  if (seenAt !== undefined) {
    await transaction.putGitState({
      instanceId,
      generation: marker?.generation ?? 0,
      changeId: (marker ?? tombstone ?? instance).changeId,
      contentHash: git.contentHash ?? '',
      specHash: gitState?.specHash ?? '',
      commit: seenAt,
      phase,
      writtenAt: at,
    });
  }
  await transaction.requestWork(instanceId, type, at);
  await transaction.appendEvent({ type, at, instanceId, generation, changeId, commit, actor, data });
}

/** Makes the changes that Git carries known, as if this database had made them. */
export async function acknowledge(
  context: EngineContext,
  transaction: RepositoryTransaction,
  instanceId: Instance['id'],
  inGit: readonly (Marker | Tombstone)[],
  actor: Actor | null,
): Promise<void> {
  for (const { generation, changeId } of inGit) {
    if (await transaction.hasChange(instanceId, changeId)) continue;
    const at = timestamp(context);
    const event = { type: 'change-acknowledged', at, instanceId, generation, changeId, actor, data: {} } as const;
    await transaction.appendEvent(event);
  }
}

/** What Git has that names a change. */
export function readableFiles({ marker, tombstone }: GitContent): readonly (Marker | Tombstone)[] {
  return [readable(marker), readable(tombstone)].flatMap((file) => (file === null ? [] : [file]));
}

function readable<T>(file: T | 'invalid' | null): T | null {
  return file === 'invalid' ? null : file;
}
