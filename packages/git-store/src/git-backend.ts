import type { Change, CommitId, Logger } from '@caelus/core';
import type { GitSigner } from './commit-signature.ts';
import type { Durability } from './file-access.ts';
import type { NewCommit } from './git-commit.ts';
import type { GitRemoteSettings } from './git-store-options.ts';
import type { History } from './history.ts';
import type { ObjectStore } from './object-store.ts';
import type { Upstream } from './remote/upstream.ts';
import type { TagRefs } from './tag-refs.ts';

/** What a store does with its repository, by code of our own or by the git binary. */
export interface GitBackend {
  /** Whether what was committed outlives a power cut. */
  readonly durable: boolean;
  readonly objects: ObjectStore;
  readonly history: History;
  readonly tagRefs: TagRefs;
  /** By the short name: `main`. */
  openBranch(name: string): GitBranch;
  /** Looks for what other processes have written; before each call of the store. */
  scan(): Promise<void>;
  /** Keeps what lies in the directory few and small. */
  consolidate(): Promise<void>;
  /** Ends what runs in the background. */
  close(): Promise<void>;
}

/** A branch, in the directory or on the remote that the directory is a cache of. */
export interface GitBranch extends Pick<Upstream, 'known' | 'refresh' | 'complete'> {
  /**
   * Makes a commit and, if the branch still is at `expected`, durably the tip; `undefined` where the race was lost.
   * @throws {CaelusError} `GIT_SIGNING_FAILED`, and what a remote answers
   */
  commit(request: CommitRequest, signal: AbortSignal | undefined): Promise<CommitId | undefined>;
}

export interface CommitRequest {
  /** The tip that it takes the place of. Default: `base`. */
  readonly expected?: CommitId | null | undefined;
  /** The parent. */
  readonly base: CommitId | null;
  /** The tree of `base`. */
  readonly tree: string | null;
  readonly edits: Change;
  readonly fields: CommitFields;
}

/** What a commit says beside what it holds and where it stands. */
export type CommitFields = Omit<NewCommit, 'tree' | 'parent'>;

export interface GitBackendOptions {
  readonly gitdir: string;
  readonly branch: string;
  readonly remote: GitRemoteSettings | undefined;
  readonly sign: GitSigner | undefined;
  readonly logger: Logger;
  readonly lockWaitMilliseconds: number;
  /** Of a commit. */
  readonly durability: Durability;
}

/** Another way to the repository and its remote than code of our own: {@link nativeGit}. Not made to be implemented elsewhere. */
export interface GitTransport {
  /** Whether it can talk to an `ssh` remote. */
  readonly hasSsh: boolean;
  /** @throws {CaelusError} `GIT_UNAVAILABLE`, and what opening a repository throws */
  open(options: GitBackendOptions): Promise<GitBackend>;
}
