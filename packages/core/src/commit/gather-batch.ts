import { CaelusError } from '../errors.ts';
import { parseRepoPath, type RepoPath } from '../layout/repo-path.ts';
import { bytesEqual, type Change, type Edit } from '../layout/repo-tree.ts';
import { parseActor } from '../model/actor.ts';
import type { CommitId } from '../model/identifier.ts';
import type { Proposal, ProposedChange, Receipt, Snapshot } from '../ports/state-store.ts';
import { checkTrailers } from './commit-message.ts';

/** The tip that changes are asked against, with what {@link gatherBatch} needs to know of it. */
export interface Tip {
  readonly snapshot: Snapshot;
  /** What lies at a path. */
  entryAt(path: RepoPath): Promise<TipEntry | undefined>;
}

/** Anything that is not a directory counts as a file: a link or a submodule too. */
export type TipEntry =
  | { readonly type: 'directory' }
  | { readonly type: 'file'; holds(bytes: Uint8Array): boolean | Promise<boolean> };

/** What one commit is going to hold. */
export interface Batch {
  /** The proposals that change something, in the order in which they were asked. */
  readonly proposals: readonly Proposal[];
  /** What they change together: at most one edit a path, ordered by path. Empty: there is nothing to commit. */
  readonly edits: Change;
  /** The receipts once `commit` holds the edits, or where there are none, while it is the tip. */
  receipts(commit: CommitId | null): readonly Receipt[];
}

export interface GatherBatchOptions {
  readonly signal?: AbortSignal | undefined;
  /** The most that one batch may write, in bytes of content. */
  readonly maxBytes: number;
}

type Outcome =
  | { readonly kind: 'written'; readonly edits: Change }
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'superseded'; readonly by: number }
  | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Asks each change, one after the other and all against the same tip, and puts together what they want. The rules, which
 * every {@link StateStore} shares:
 *
 * - Of several generations of one subject the newest is asked first, in the place of the first of them. Once it is written,
 *   or turns out to be there, older ones are superseded and not asked.
 * - An edit that leaves the tip as it is counts for nothing.
 * - A change that no longer fits beside the earlier ones fails with a retryable `STORE_CONFLICT`; one that is larger than a
 *   commit may be, with `INVALID_INPUT`.
 * - A change that touches a path which an earlier one of the batch edits fails with a retryable `STORE_CONFLICT`, because
 *   it has not seen that edit; the same edit twice is no conflict.
 * - Only what a change names is removed: a file gives way to a directory, or a directory to a file, where the same change
 *   removes the file, or every file of the directory. Otherwise the change fails with `PATH_INVALID`.
 * - A change that throws, or proposes what cannot be written, fails alone.
 */
export async function gatherBatch(
  changes: readonly ProposedChange[],
  tip: Tip,
  { signal, maxBytes }: GatherBatchOptions,
): Promise<Batch> {
  const taken = new TakenPaths();
  const proposals: Proposal[] = [];
  const outcomes = new Map<number, Outcome>();
  const newest = new Map<string, number>();
  let bytes = 0;

  async function ask(change: ProposedChange): Promise<Outcome> {
    checkGeneration(change);
    const proposal = await unlessAborted(change.propose(tip.snapshot), signal);
    const edits = proposal === null ? [] : await effectiveEdits(proposal, tip, taken);
    if (proposal === null || edits.length === 0) return { kind: 'unchanged' };
    const size = edits.reduce((sum, edit) => sum + (edit.bytes?.length ?? 0), 0);
    if (size > maxBytes) throw tooLarge(maxBytes);
    if (bytes + size > maxBytes) throw batchFull(maxBytes);
    bytes += size;
    taken.add(proposal.edits, edits);
    proposals.push(proposal);
    return { kind: 'written', edits };
  }

  for (const [index, change] of newestFirst(changes)) {
    signal?.throwIfAborted();
    const { subject, generation } = change;
    const by = newest.get(subject);
    if (by !== undefined && generation !== undefined && by > generation) {
      outcomes.set(index, { kind: 'superseded', by });
      continue;
    }
    try {
      outcomes.set(index, await ask(change));
      if (generation !== undefined) newest.set(subject, generation);
    } catch (error) {
      signal?.throwIfAborted();
      outcomes.set(index, { kind: 'failed', error });
    }
  }

  return {
    proposals,
    edits: taken.edits(),
    receipts: (commit) => changes.map((change, index) => receiptOf(change, outcomes.get(index) as Outcome, commit)),
  };
}

/** The changes as they are asked: those of one subject that have a generation share their places, the newest first. */
function newestFirst(changes: readonly ProposedChange[]): readonly (readonly [number, ProposedChange])[] {
  const bySubject = new Map<string, [number, ProposedChange][]>();
  for (const [index, change] of changes.entries()) {
    if (change.generation === undefined) continue;
    const rivals = bySubject.get(change.subject) ?? [];
    rivals.push([index, change]);
    bySubject.set(change.subject, rivals);
  }
  for (const rivals of bySubject.values()) rivals.sort(([, a], [, b]) => (b.generation ?? 0) - (a.generation ?? 0));
  return changes.map((change, index) => {
    const next = change.generation === undefined ? undefined : bySubject.get(change.subject)?.shift();
    return next ?? [index, change];
  });
}

function receiptOf({ subject, generation }: ProposedChange, outcome: Outcome, commit: CommitId | null): Receipt {
  const about = generation === undefined ? { subject } : { subject, generation };
  if (outcome.kind === 'failed') return { outcome: 'failed', ...about, error: outcome.error };
  if (outcome.kind === 'superseded') return { outcome: 'superseded', ...about, commit, by: outcome.by };
  if (outcome.kind === 'unchanged' || commit === null) return { outcome: 'unchanged', ...about, commit };
  return { outcome: 'written', ...about, commit, edits: outcome.edits };
}

function checkGeneration({ generation }: ProposedChange): void {
  if (generation === undefined || (Number.isSafeInteger(generation) && generation >= 0)) return;
  const message = 'Use a whole number from 0 on.';
  throw new CaelusError({
    code: 'INVALID_INPUT',
    message: `The generation of a change cannot be accepted. ${message}`,
    details: { issues: [{ path: '/generation', message }] },
  });
}

/** A change that never answers must not keep its caller from stopping. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The edits of a proposal that change the tip, after everything that could be wrong with it was looked at. */
async function effectiveEdits(proposal: Proposal, tip: Tip, taken: TakenPaths): Promise<Change> {
  const all = [...proposal.edits].sort((a, b) => (a.path < b.path ? -1 : 1));
  checkTrailers(proposal.trailers);
  if (proposal.actor !== null) parseActor(proposal.actor);
  const byPath = new Map<string, Edit>();
  for (const edit of all) {
    // The type says so already, but a cast must not be a way out of the repository.
    parseRepoPath(edit.path);
    if (byPath.has(edit.path)) throw pathInvalid('A change edits one path twice.');
    byPath.set(edit.path, edit);
  }
  taken.check(all);

  const effective: Edit[] = [];
  for (const edit of all) {
    const entry = await tip.entryAt(edit.path);
    if (edit.bytes === null) {
      if (entry?.type === 'file') effective.push(edit);
      continue;
    }
    if (entry?.type === 'file' && (await entry.holds(edit.bytes))) continue;
    if (entry?.type === 'directory') await checkEmptied(edit.path, byPath, tip.snapshot);
    await checkAncestors(edit.path, byPath, tip);
    effective.push(edit);
  }
  return effective;
}

/** A directory may become a file only if each file in it is removed by name. */
async function checkEmptied(directory: string, edits: ReadonlyMap<string, Edit>, snapshot: Snapshot): Promise<void> {
  for (const { name, type } of await snapshot.listDirectory(directory as RepoPath)) {
    const path = `${directory}/${name}`;
    if (type === 'directory') await checkEmptied(path, edits, snapshot);
    else if (edits.get(path)?.bytes !== null) {
      throw pathInvalid('A change writes a file where a directory lies that it does not empty.');
    }
  }
}

/** No directory above a file may be a file, in the tip or in the change itself. */
async function checkAncestors(path: string, edits: ReadonlyMap<string, Edit>, tip: Tip): Promise<void> {
  for (const ancestor of ancestorsOf(path)) {
    const edit = edits.get(ancestor);
    if (edit === undefined ? (await tip.entryAt(ancestor))?.type === 'file' : edit.bytes !== null) {
      throw pathInvalid('A change writes below a path that is a file, which it does not remove.');
    }
  }
}

/** What earlier changes of a batch ask for, and the directories that their files need. */
class TakenPaths {
  /** What was asked for, whether the tip had it already or not: a later change must not take it away. */
  readonly #wanted = new Map<RepoPath, Edit>();
  readonly #effective = new Map<RepoPath, Edit>();
  readonly #directories = new Set<RepoPath>();

  add(wanted: Change, effective: Change): void {
    for (const edit of effective) this.#effective.set(edit.path, edit);
    for (const edit of wanted) {
      this.#wanted.set(edit.path, edit);
      if (edit.bytes !== null) for (const ancestor of ancestorsOf(edit.path)) this.#directories.add(ancestor);
    }
  }

  check(edits: Change): void {
    for (const edit of edits) {
      const other = this.#wanted.get(edit.path);
      const isFile = edit.bytes !== null;
      if (
        (other !== undefined && !sameBytes(other.bytes, edit.bytes)) ||
        (isFile && this.#directories.has(edit.path)) ||
        (isFile && ancestorsOf(edit.path).some((ancestor) => this.#wanted.get(ancestor)?.bytes != null))
      ) {
        throw new CaelusError({
          code: 'STORE_CONFLICT',
          message: `Another change of the same batch edits ${edit.path}. Propose this one again.`,
          details: { attempts: 1 },
          retryable: true,
        });
      }
    }
  }

  edits(): Change {
    return [...this.#effective.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

function ancestorsOf(path: string): readonly RepoPath[] {
  const segments = path.split('/');
  // A prefix of a RepoPath is one.
  return segments.slice(1).map((_, index) => segments.slice(0, index + 1).join('/') as RepoPath);
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : bytesEqual(a, b);
}

function pathInvalid(message: string): CaelusError<'PATH_INVALID'> {
  return new CaelusError({
    code: 'PATH_INVALID',
    message: `${message} Correct the proposal's edits.`,
    details: { issues: [{ path: '/edits', message }] },
  });
}

function tooLarge(maxBytes: number): CaelusError<'INVALID_INPUT'> {
  const message = `One commit writes at most ${maxBytes} bytes.`;
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `A change is too large. ${message} Make it several changes.`,
    details: { issues: [{ path: '/edits', message }] },
  });
}

function batchFull(maxBytes: number): CaelusError<'STORE_CONFLICT'> {
  return new CaelusError({
    code: 'STORE_CONFLICT',
    message: `The changes before this one fill their commit, which writes at most ${maxBytes} bytes. Propose this one again.`,
    details: { attempts: 1 },
    retryable: true,
  });
}
