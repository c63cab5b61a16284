import type { CallOptions } from '../call-options.ts';
import type { RepoPath } from '../layout/repo-path.ts';
import type { Change, RepoTree } from '../layout/repo-tree.ts';
import type { Actor } from '../model/actor.ts';
import type { CommitId, Timestamp } from '../model/identifier.ts';

/**
 * The GitOps repository's branch: the desired state. Reads go through a {@link Snapshot} of one commit; writes are
 * compare-and-swap on the tip, and on a lost race every change is asked again against the new tip.
 */
export interface StateStore extends AsyncDisposable {
  /** For logs and errors, without credentials. */
  readonly name: string;
  readonly capabilities: StateStoreCapabilities;
  /**
   * The directory of the repository that all paths are relative to; `null`: its root. Whoever reads the repository by
   * another way, such as Argo CD, needs it.
   */
  readonly pathPrefix: RepoPath | null;
  /** A view of the branch as it is now, the remote's where there is one. @throws {CaelusError} `UNAVAILABLE`, `STORE_CORRUPT` */
  snapshot(options?: CallOptions): Promise<Snapshot>;
  /** A view of one commit. @throws {CaelusError} `STORE_CORRUPT` where the commit is not in the store */
  snapshotAt(commit: CommitId, options?: CallOptions): Promise<Snapshot>;
  /**
   * Asks each change what it wants of the newest tip, and writes all of it as one commit, durably (and pushed, where
   * there is a remote) before it returns. One change that fails does not fail the others. Receipts are in the order of
   * `changes`; what a batch may hold, and which of two changes of one path fails, is said at `gatherBatch`.
   * @throws {CaelusError} `STORE_CONFLICT` once the branch has moved too often, `UNAVAILABLE`
   */
  write(changes: readonly ProposedChange[], options?: CallOptions): Promise<readonly Receipt[]>;
  /** Tells whether `ancestor` is `descendant` or one of its ancestors; `false` where either is unknown. */
  isAncestor(ancestor: CommitId, descendant: CommitId, options?: CallOptions): Promise<boolean>;
  /**
   * Commits of the branch, newest first. A store that began with a remote's newest commit alone may know none before it.
   */
  log(options?: LogOptions): AsyncIterable<CommitRecord>;
}

/** What an adapter can do; contract kits test exactly this. */
export interface StateStoreCapabilities {
  /** Whether a write has reached another machine when it returns. */
  readonly remote: boolean;
  /** Whether what was written outlives the process. */
  readonly durable: boolean;
  /**
   * Whether each tip descends from those before it for as long as nobody forces the branch back; `false` where people merge
   * what was written, because they may squash it. Default `true`.
   */
  readonly descends?: boolean | undefined;
}

/** The files of one commit. Empty where the branch has no commit yet. */
export interface Snapshot {
  readonly commit: CommitId | null;
  readFile(path: RepoPath, options?: CallOptions): Promise<Uint8Array | undefined>;
  /** All files below a directory, with their full paths; empty where there is none. */
  readTree(prefix: RepoPath, options?: CallOptions): Promise<RepoTree>;
  /** The entries of one directory by name, ordered; empty where there is none. `null` is the root. */
  listDirectory(path: RepoPath | null, options?: CallOptions): Promise<readonly DirectoryEntry[]>;
  /**
   * Whether at `path` lies the file with exactly these bytes, or the directory with exactly these files (by their full paths).
   * For a store that can tell without reading them, as Git can by their ids: `true` is certain, `false` may also mean that they
   * have to be read. Default: they are read.
   */
  holds?(path: RepoPath, content: Uint8Array | RepoTree, options?: CallOptions): Promise<boolean>;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly type: 'file' | 'directory';
}

/** One caller's part of a commit. */
export interface ProposedChange {
  /** What the change is about, for receipts and errors: an instance's id. */
  readonly subject: string;
  /**
   * Which state of the subject it leads to, higher is newer. Of the changes of one subject that come into one commit, only the
   * newest is asked: the others are superseded, unless it fails. Default: the change is always asked.
   */
  readonly generation?: number | undefined;
  /** Says what to write, seen from `snapshot`; called again from each new tip. Must not write anywhere itself. */
  propose(snapshot: Snapshot): Promise<Proposal | null>;
}

export interface Proposal {
  /** Empty: nothing to write. */
  readonly edits: Change;
  /** One line for the commit message: `create nextcloud for acme`. */
  readonly summary: string;
  /** `Key: value` lines at the end of the message, such as `Caelus-Change`. */
  readonly trailers: readonly Trailer[];
  /** Who asked; the commit's author where all changes of a batch have the same one. */
  readonly actor: Actor | null;
}

export interface Trailer {
  readonly key: string;
  readonly value: string;
}

/** What became of one proposed change: its subject and its generation, where it has one, and the outcome. */
export type Receipt = Pick<ProposedChange, 'subject' | 'generation'> &
  (
    | { readonly outcome: 'written'; readonly commit: CommitId; readonly edits: Change }
    /** The tip already had it; `commit` is that tip, `null` where there is no commit yet. */
    | { readonly outcome: 'unchanged'; readonly commit: CommitId | null }
    /** `commit` has the generation `by` of the same subject instead, which is newer. */
    | { readonly outcome: 'superseded'; readonly commit: CommitId | null; readonly by: number }
    | { readonly outcome: 'failed'; readonly error: unknown }
  );

export interface LogOptions extends CallOptions {
  /** Start here instead of at the tip. */
  readonly from?: CommitId | undefined;
  /** At most this many. Default: all. */
  readonly limit?: number | undefined;
}

export interface CommitRecord {
  readonly commit: CommitId;
  readonly parents: readonly CommitId[];
  readonly author: Actor;
  readonly committedAt: Timestamp;
  /** The whole message, trailers included. */
  readonly message: string;
  readonly trailers: readonly Trailer[];
}
