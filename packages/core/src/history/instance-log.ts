import type { CallOptions } from '../call-options.ts';
import { type ChangeReference, parseChangeTrailer } from '../commit/change-trailer.ts';
import { oneLine } from '../commit/commit-message.ts';
import { instanceFiles, type Layout } from '../layout/layout.ts';
import type { Actor } from '../model/actor.ts';
import type { ChangeId, CommitId, InstanceId, Timestamp } from '../model/identifier.ts';
import type { Page, PageRequest } from '../ports/repository.ts';
import { parsePageLimit } from '../ports/repository-rules.ts';
import type { CommitRecord, StateStore } from '../ports/state-store.ts';
import { type Marker, parseMarker, parseTombstone, type Tombstone } from '../render/marker.ts';
import { walkCommits } from './commit-walk.ts';
import { parseMaxCommits } from './history-limits.ts';
import { layoutAt } from './layout-at.ts';
import { readOwn } from './read-instance.ts';

/** A commit in which Caelus wrote a change of an instance. */
export interface InstanceLogEntry {
  readonly commit: CommitId;
  /** Who asked; the committer where the commit holds changes of several people. */
  readonly author: Actor;
  readonly committedAt: Timestamp;
  readonly generation: number;
  /** Leads to the audit events of the change. */
  readonly changeId: ChangeId;
  /** One line without control characters. */
  readonly summary: string;
}

export interface InstanceLogOptions extends PageRequest, CallOptions {
  /** How many commits of the branch one page looks at: 1 to 1,000,000. Default 10,000. */
  readonly maxCommits?: number | undefined;
}

/**
 * Lists the commits in which Caelus wrote an instance, newest first. They are found by their `Caelus-Change` trailers, so
 * a page reads the messages of the commits that it passes, and files only of those that name the instance.
 *
 * A trailer is believed where the marker or the tombstone at that commit names the same change; a commit by hand that
 * quotes one is left out otherwise. This keeps out mistakes (a copied message, a merge that was resolved another way). Who may
 * push may also write a marker: where that matters, sign commits and have the host verify them.
 *
 * A page may hold fewer entries than its limit, or none, while `nextCursor` is not `null`: it has then looked at
 * `maxCommits` commits.
 * @param layout for commits that do not say which one the repository had.
 * @throws {CaelusError} `CURSOR_INVALID`, `INVALID_INPUT`, `UNAVAILABLE`, `STORE_CORRUPT`
 */
export async function instanceLog(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  options: InstanceLogOptions = {},
): Promise<Page<InstanceLogEntry>> {
  const limit = parsePageLimit(options.limit);
  const maxCommits = parseMaxCommits(options.maxCommits);
  const items: InstanceLogEntry[] = [];
  let looked = 0;
  for await (const { record, next } of walkCommits(store, options.cursor, options)) {
    const entry = await entryOf(store, layout, id, record, options);
    if (entry !== undefined) items.push(entry);
    looked += 1;
    if (items.length === limit || looked === maxCommits) return { items, nextCursor: next };
  }
  return { items, nextCursor: null };
}

async function entryOf(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  record: CommitRecord,
  { signal }: CallOptions,
): Promise<InstanceLogEntry | undefined> {
  const changes = changesOf(record);
  if (!changes.some(({ instanceId }) => instanceId === id)) return undefined;
  const snapshot = await store.snapshotAt(record.commit, { signal });
  const places = instanceFiles(await layoutAt(snapshot, layout, { signal }), id);
  const [marker, tombstone] = await Promise.all([
    snapshot.readFile(places.marker, { signal }),
    snapshot.readFile(places.tombstone, { signal }),
  ]);
  const written = [readOwn(marker, id, parseMarker), readOwn(tombstone, id, parseTombstone)];
  const index = changes.findIndex(
    (change) => change.instanceId === id && written.some((file) => isWrittenBy(file, change)),
  );
  const change = changes[index];
  if (change === undefined) return undefined;
  const { commit, author, committedAt } = record;
  const { generation, changeId } = change;
  return { commit, author, committedAt, generation, changeId, summary: summaryOf(record, index, changes.length) };
}

/** What a commit says it writes, in the order of its trailers. */
export function changesOf({ trailers }: CommitRecord): readonly ChangeReference[] {
  return trailers.flatMap((trailer) => parseChangeTrailer(trailer) ?? []);
}

/** Whether a marker or a tombstone was written by that change. */
export function isWrittenBy(
  file: Marker | Tombstone | 'invalid' | null,
  { generation, changeId }: Pick<ChangeReference, 'generation' | 'changeId'>,
): boolean {
  return file !== null && file !== 'invalid' && file.generation === generation && file.changeId === changeId;
}

/** The line of one of several changes, where the message has one for each as `renderCommitMessage` writes them; or the subject. */
function summaryOf({ message }: CommitRecord, index: number, count: number): string {
  const [subject = '', body = ''] = message.split('\n\n');
  const lines = body.split('\n').filter((line) => line.startsWith('- '));
  return oneLine((lines.length === count ? lines[index]?.slice(2) : undefined) ?? subject);
}
