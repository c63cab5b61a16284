import type { CallOptions } from '../call-options.ts';
import { CaelusError, isCaelusError } from '../errors.ts';
import type { CommitId } from '../model/identifier.ts';
import type { CommitRecord, StateStore } from '../ports/state-store.ts';

export interface WalkedCommit {
  readonly record: CommitRecord;
  /** A cursor that goes on after this commit; `null` after a first commit of the history. */
  readonly next: string | null;
}

/**
 * Walks the log, from the tip or from a cursor on. A cursor names a commit through which the whole rest of the walk leads,
 * and how many commits to pass over from there: one in a line of commits, more only within merges. So a page costs what it
 * looks at and not what the pages before it did, and commits that are made meanwhile move nothing.
 * @throws {CaelusError} `CURSOR_INVALID`
 */
export async function* walkCommits(
  store: StateStore,
  cursor: string | undefined,
  { signal }: CallOptions,
): AsyncGenerator<WalkedCommit> {
  const start = cursor === undefined ? undefined : parseCursor(cursor);
  const seen = new Set<CommitId>();
  const waiting = new Set<CommitId>();
  let anchor = start?.commit;
  let sinceAnchor = 0;
  let toSkip = start?.skip ?? 0;
  try {
    for await (const record of store.log({ from: start?.commit, signal })) {
      seen.add(record.commit);
      waiting.delete(record.commit);
      if (waiting.size === 0) {
        anchor = record.commit;
        sinceAnchor = 0;
      }
      sinceAnchor += 1;
      for (const parent of record.parents) if (!seen.has(parent)) waiting.add(parent);
      if (toSkip > 0) toSkip -= 1;
      else yield { record, next: waiting.size === 0 ? null : `${anchor}.${sinceAnchor}` };
    }
  } catch (error) {
    const isUnknown = isCaelusError(error, 'STORE_CORRUPT') && seen.size === 0 && error.details.what === start?.commit;
    throw isUnknown && cursor !== undefined ? cursorInvalid(cursor) : error;
  }
}

function parseCursor(cursor: string): { readonly commit: CommitId; readonly skip: number } {
  const [, commit, skip] = /^([0-9a-f]{40})\.([1-9][0-9]{0,6})$/.exec(cursor) ?? [];
  if (commit === undefined) throw cursorInvalid(cursor);
  return { commit: commit as CommitId, skip: Number(skip) };
}

function cursorInvalid(cursor: string): CaelusError<'CURSOR_INVALID'> {
  return new CaelusError({
    code: 'CURSOR_INVALID',
    message:
      'The cursor is not one of this history, or its commit is no longer in the store. Begin with the first page.',
    details: { cursor: cursor.slice(0, 64) },
  });
}
