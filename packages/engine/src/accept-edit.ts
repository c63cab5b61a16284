import { type Actor, blameValue, type Instance, isCaelusError, type RepositoryTransaction } from '@caelus/core';
import { type EngineContext, timestamp } from './engine-context.ts';
import type { Examination } from './examine-instance.ts';
import { recordDrift } from './record-drift.ts';
import { takeSide } from './take-side.ts';

/** Makes an edit by hand what the row wants. Where the row has moved on since, it is looked at once more. */
export async function acceptEdit(
  context: EngineContext,
  transaction: RepositoryTransaction,
  examination: Examination,
  instance: Instance,
  editor: Actor | null,
): Promise<void> {
  const { expressed = {} } = examination;
  try {
    await takeSide(context, transaction, examination, instance, {
      type: 'instance-adopted',
      changes: expressed,
      status: 'Pending',
      phase: 'present',
      actor: editor,
      data: { kind: 'manual-edit' },
    });
  } catch (error) {
    if (isCaelusError(error, 'GENERATION_STALE') || isCaelusError(error, 'INSTANCE_DELETED')) {
      await transaction.requestWork(instance.id, 'edit-stale', timestamp(context));
    } else if (isCaelusError(error) && !error.retryable) {
      // A hostname that is taken, say: only a person can tell what is meant.
      await recordDrift(context, transaction, instance.id, 'manual-edit', instance);
    } else throw error;
  }
}

/** How many commits are looked at for the author of an edit. */
const COMMITS_OF_AN_EDIT = 200;

/** Who made the edit by hand that lies in Git; `null` where the history does not tell, or not soon. */
export async function findEditor(
  { store, render }: Pick<EngineContext, 'store' | 'render'>,
  { commit }: Pick<Examination, 'commit'>,
  { id }: Pick<Instance, 'id'>,
): Promise<Actor | null> {
  if (commit === null) return null;
  try {
    const blame = await blameValue(store, render.layout, id, '', { from: commit, maxCommits: COMMITS_OF_AN_EDIT });
    return blame.outcome === 'found' && blame.how === 'by-hand' ? blame.author : null;
  } catch (error) {
    if (isCaelusError(error)) return null;
    throw error;
  }
}
