import type { CallOptions } from '../call-options.ts';
import { CaelusError, isCaelusError } from '../errors.ts';
import { canonicalJson, type JsonValue } from '../json-value.ts';
import { instanceFiles, type Layout } from '../layout/layout.ts';
import { bytesEqual } from '../layout/repo-tree.ts';
import type { Actor } from '../model/actor.ts';
import type { ChangeId, CommitId, InstanceId, Timestamp } from '../model/identifier.ts';
import type { CommitRecord, Snapshot, StateStore } from '../ports/state-store.ts';
import { parseMarker } from '../render/marker.ts';
import { readOwnYaml } from '../render/read-own-yaml.ts';
import { parseJsonPointer, valueAt } from '../values/json-pointer.ts';
import { parseValues } from '../values/parse-values.ts';
import type { Values } from '../values/values.ts';
import { parseMaxCommits } from './history-limits.ts';
import { instanceAt } from './instance-at.ts';
import { changesOf, isWrittenBy } from './instance-log.ts';
import { layoutAt } from './layout-at.ts';
import { readOwn } from './read-instance.ts';

/** The commit that made a value what it is. */
export interface BlamedValue {
  /** What Helm gets, from `values.yaml`; `undefined` where there is nothing at the pointer: the commit removed it. */
  readonly value: JsonValue | undefined;
  /** What the user's own layer says, from the marker; `undefined` where the user says nothing. */
  readonly userValue: JsonValue | undefined;
  readonly commit: CommitId;
  /** Who asked; the committer where the commit holds changes of several people. */
  readonly author: Actor;
  readonly committedAt: Timestamp;
  /** `null` for a commit by hand. */
  readonly generation: number | null;
  /** Leads to the audit events of the change; `null` for a commit by hand. */
  readonly changeId: ChangeId | null;
  /** `change`: Caelus wrote it. `by-hand`: anybody else, or Caelus's commit was not left as Caelus writes it. */
  readonly how: 'change' | 'by-hand';
}

/** What {@link blameValue} found. */
export type Blame =
  | ({ readonly outcome: 'found' } & BlamedValue)
  /** Neither `values.yaml` nor the user's layer ever had anything at the pointer. */
  | { readonly outcome: 'never-set' }
  /**
   * The value is as it was at `since`, and what was before has not been looked at (`maxCommits`; go on with `from: since`)
   * or is not in the store, which began with a newer commit.
   */
  | { readonly outcome: 'older'; readonly since: CommitId; readonly reason: 'limit' | 'history-ends' };

export interface BlameOptions extends CallOptions {
  /** Explain the value as it was at this commit. Default: at the tip. */
  readonly from?: CommitId | undefined;
  /** How many commits to look at: 1 to 1,000,000. Default 10,000. */
  readonly maxCommits?: number | undefined;
}

/**
 * Finds who set a value of an instance, when, and in which commit: the newest commit from which on both the value at the
 * pointer of `values.yaml` and the one in the user's layer are what they are now.
 *
 * The walk goes back from commit to parent, through merges along a parent that already had the value. It reads two files at
 * each commit of the instance, and at each commit that says nothing of what it changes (one without `Caelus-Change`),
 * because that may be an edit by hand. A commit that names only other instances costs its message alone: it is taken
 * not to touch this one. Should it have done so nevertheless, the next file that is read differs, and the commits passed over
 * are then read one by one; only an edit and its undoing within one such stretch stay unseen.
 *
 * `how` is `change` where a trailer of the commit names the instance, the marker names that change, and the marker's hash
 * covers the files as they are; or where the directory is gone and the tombstone names it.
 * @param layout for commits that do not say which one the repository had.
 * @param pointer JSON pointer (RFC 6901); `''` for all values.
 * @throws {CaelusError} `INVALID_INPUT`; `STORE_CORRUPT` also where the values or the marker at the start cannot be read;
 *   `UNAVAILABLE`
 */
export async function blameValue(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  pointer: string,
  options: BlameOptions = {},
): Promise<Blame> {
  const { signal } = options;
  const tokens = parseJsonPointer(pointer);
  const maxCommits = parseMaxCommits(options.maxCommits);
  const snapshotAt = (commit: CommitId) => store.snapshotAt(commit, { signal });
  const tip = options.from === undefined ? await store.snapshot({ signal }) : await snapshotAt(options.from);
  if (tip.commit === null) return { outcome: 'never-set' };
  const files = await readFiles(tip, layout, id, { signal });
  const state = stateOf(files, id, tokens);
  if (state === undefined) throw unreadable(tip.commit);

  async function hasState(commit: CommitId): Promise<boolean> {
    const then = await readFiles(await snapshotAt(commit), layout, id, { signal });
    if (sameBytes(then.values, files.values) && sameBytes(then.marker, files.marker)) return true;
    return stateOf(then, id, tokens)?.key === state?.key;
  }

  const found = async (record: CommitRecord): Promise<Blame> => ({
    outcome: 'found',
    value: state.value,
    userValue: state.userValue,
    ...(await explain(store, layout, id, record, { signal })),
  });

  /** Commits that were passed over, newest first. Of the first one it is known that it has the state. */
  let passed: CommitRecord[] = [];
  let log = store.log({ from: tip.commit, signal })[Symbol.asyncIterator]();
  try {
    let current = await log.next();
    for (let looked = 1; !current.done; looked += 1) {
      signal?.throwIfAborted();
      const record: CommitRecord = current.value;
      const following = await log.next();
      const [parent, ...others] = record.parents;
      const isLine = others.length === 0 && !following.done && following.value.commit === parent;
      if (isLine && looked < maxCommits && concernsOthers(record, id)) {
        passed.push(record);
        current = following;
        continue;
      }

      if (passed.length > 0 && !(await hasState(record.commit))) return found(await lastWithState(passed, hasState));
      passed = [];
      if (record.parents.length > 0 && following.done) {
        return { outcome: 'older', since: record.commit, reason: 'history-ends' };
      }
      const origin = await firstOf(record.parents, hasState);
      if (origin === undefined) {
        return record.parents.length === 0 && state.isAbsent ? { outcome: 'never-set' } : found(record);
      }
      if (looked === maxCommits) return { outcome: 'older', since: origin, reason: 'limit' };
      if (isLine) current = following;
      else {
        // Only along this parent from here on, so that the end of the log is the end of this line.
        await log.return?.();
        log = store.log({ from: origin, signal })[Symbol.asyncIterator]();
        current = await log.next();
      }
    }
  } finally {
    await log.return?.();
  }
  throw unreadable(tip.commit);
}

/** Of commits one after the other, the first of which has the state: the one after which it ends. */
async function lastWithState(
  records: readonly CommitRecord[],
  hasState: (commit: CommitId) => Promise<boolean>,
): Promise<CommitRecord> {
  const [first, ...others] = records;
  let last = first as CommitRecord;
  for (const record of others) {
    if (!(await hasState(record.commit))) break;
    last = record;
  }
  return last;
}

/** Whether a commit names changes, and none of them is of this instance. */
function concernsOthers(record: CommitRecord, id: InstanceId): boolean {
  const changes = changesOf(record);
  return changes.length > 0 && changes.every(({ instanceId }) => instanceId !== id);
}

async function explain(
  store: StateStore,
  layout: Layout,
  id: InstanceId,
  record: CommitRecord,
  options: CallOptions,
): Promise<Omit<BlamedValue, 'value' | 'userValue'>> {
  const { commit, author, committedAt } = record;
  const { marker, tombstone, contentHash, hasDirectory } = await instanceAt(store, layout, id, commit, options);
  const isWhole = marker !== null && marker !== 'invalid' && marker.contentHash === contentHash;
  const change = changesOf(record).find(
    (each) =>
      each.instanceId === id && (hasDirectory ? isWhole && isWrittenBy(marker, each) : isWrittenBy(tombstone, each)),
  );
  return {
    commit,
    author,
    committedAt,
    generation: change?.generation ?? null,
    changeId: change?.changeId ?? null,
    how: change === undefined ? 'by-hand' : 'change',
  };
}

interface ValueFiles {
  readonly values: Uint8Array | undefined;
  readonly marker: Uint8Array | undefined;
}

interface ValueState {
  readonly value: JsonValue | undefined;
  readonly userValue: JsonValue | undefined;
  readonly isAbsent: boolean;
  /** Equal states have equal keys. */
  readonly key: string;
}

async function readFiles(
  snapshot: Snapshot,
  layout: Layout,
  id: InstanceId,
  options: CallOptions,
): Promise<ValueFiles> {
  const places = instanceFiles(await layoutAt(snapshot, layout, options), id);
  const [values, marker] = await Promise.all([
    snapshot.readFile(places.values, options),
    snapshot.readFile(places.marker, options),
  ]);
  return { values, marker };
}

/** `undefined` where a file is there and cannot be read. */
function stateOf(files: ValueFiles, id: InstanceId, tokens: readonly string[]): ValueState | undefined {
  const values = files.values === undefined ? null : readValues(files.values);
  const marker = readOwn(files.marker, id, parseMarker);
  if (values === undefined || marker === 'invalid') return undefined;
  const value = values === null ? undefined : valueAt(values, tokens);
  const userValue = marker === null ? undefined : valueAt(marker.userValues, tokens);
  const key = [value, userValue].map((each) => (each === undefined ? '' : canonicalJson(each))).join('\n');
  return { value, userValue, isAbsent: value === undefined && userValue === undefined, key };
}

function readValues(bytes: Uint8Array): Values | undefined {
  const read = readOwnYaml(bytes, MERGED_LIMITS.textBytes);
  // A text would be read as YAML once more.
  if (typeof read !== 'object') return undefined;
  try {
    return parseValues(read, { limits: MERGED_LIMITS });
  } catch (error) {
    if (isCaelusError(error)) return undefined;
    throw error;
  }
}

/** Three layers, each within the limits of values, stay far below this once they are merged. */
const MERGED_LIMITS = { textBytes: 4 * 1024 * 1024, bytes: 4 * 1024 * 1024, nodes: 100_000 } as const;

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : bytesEqual(a, b);
}

async function firstOf<T>(items: readonly T[], is: (item: T) => Promise<boolean>): Promise<T | undefined> {
  for (const item of items) if (await is(item)) return item;
  return undefined;
}

function unreadable(commit: CommitId): CaelusError<'STORE_CORRUPT'> {
  return new CaelusError({
    code: 'STORE_CORRUPT',
    message: `The values or the marker of the instance at commit ${commit} cannot be read. Start from an older commit, or restore them from the history.`,
    details: { what: commit },
  });
}
