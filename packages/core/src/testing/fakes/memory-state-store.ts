import { sha1 } from '@noble/hashes/legacy.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { CAELUS_ACTOR, commitAuthor, parseTrailers, renderCommitMessage } from '../../commit/commit-message.ts';
import { type Batch, gatherBatch, type Tip, type TipEntry } from '../../commit/gather-batch.ts';
import { CaelusError } from '../../errors.ts';
import { isBelow, type RepoPath } from '../../layout/repo-path.ts';
import { applyChange, bytesEqual, diffTrees, type RepoTree } from '../../layout/repo-tree.ts';
import { type CommitId, toTimestamp } from '../../model/identifier.ts';
import type { CommitRecord, DirectoryEntry, Snapshot, StateStore } from '../../ports/state-store.ts';

/** A branch in memory that several stores can share, as several processes share a repository. */
export interface MemoryBranch {
  tip: CommitId | null;
  readonly commits: Map<CommitId, MemoryCommit>;
}

export interface MemoryCommit extends CommitRecord {
  readonly tree: RepoTree;
}

export interface MemoryStateStoreOptions {
  /** The branch to open. Default: a new one. */
  readonly shared?: MemoryBranch | undefined;
  /** Time of the commits. Default: one second later for each commit, from 2026-01-01 on. */
  readonly now?: (() => Date) | undefined;
  /** How often a change is asked again after a lost race. Default 100. */
  readonly retries?: number | undefined;
}

/** Makes an empty branch for {@link createMemoryStateStore}. */
export function createMemoryBranch(): MemoryBranch {
  return { tip: null, commits: new Map() };
}

/**
 * An honest `StateStore` in memory, for tests: asynchronous, compare-and-swap on the tip, and bytes that nobody can change
 * afterwards. It holds to the same contract kit as the stores that write Git.
 */
export function createMemoryStateStore(options: MemoryStateStoreOptions = {}): StateStore {
  const { shared: branch = createMemoryBranch(), retries = 100 } = options;
  const now = options.now ?? (() => new Date(Date.UTC(2026, 0, 1) + branch.commits.size * 1000));

  function snapshotOf(commit: CommitId | null): Snapshot {
    if (commit === null) return treeSnapshot(null, new Map());
    const found = branch.commits.get(commit);
    if (found === undefined) {
      throw new CaelusError({
        code: 'STORE_CORRUPT',
        message: `Commit ${commit} is not in the store. Take one from its log.`,
        details: { what: commit },
      });
    }
    return treeSnapshot(commit, found.tree);
  }

  function commitBatch(batch: Batch, base: CommitId | null): CommitId {
    const before = base === null ? undefined : branch.commits.get(base);
    const edits = batch.edits.map(({ path, bytes }) => ({ path, bytes: bytes === null ? null : bytes.slice() }));
    const tree = applyChange(before?.tree ?? new Map(), edits);
    const message = renderCommitMessage(batch.proposals);
    const content = {
      parents: base === null ? [] : [base],
      author: commitAuthor(batch.proposals) ?? CAELUS_ACTOR,
      committedAt: toTimestamp(now()),
      message,
      trailers: parseTrailers(message),
    };
    const files = [...tree].map(([path, bytes]) => [path, bytesToHex(sha1(bytes))]);
    // A hash of 40 hexadecimal digits, as a commit id is.
    const commit = bytesToHex(sha1(utf8ToBytes(JSON.stringify([content, files.sort()])))) as CommitId;
    branch.commits.set(commit, { commit, ...content, tree });
    branch.tip = commit;
    return commit;
  }

  return {
    name: 'memory',
    capabilities: { remote: false, durable: false },
    pathPrefix: null,

    async snapshot(callOptions) {
      callOptions?.signal?.throwIfAborted();
      return snapshotOf(branch.tip);
    },

    async snapshotAt(commit, callOptions) {
      callOptions?.signal?.throwIfAborted();
      return snapshotOf(commit);
    },

    async write(changes, callOptions) {
      for (let attempt = 0; attempt <= retries; attempt += 1) {
        callOptions?.signal?.throwIfAborted();
        const base = branch.tip;
        const batch = await gatherBatch(changes, tipOf(snapshotOf(base)), {
          signal: callOptions?.signal,
          maxBytes: 64 * 1024 * 1024,
        });
        if (branch.tip !== base) continue;
        if (batch.edits.length === 0) return batch.receipts(base);
        return batch.receipts(commitBatch(batch, base));
      }
      throw new CaelusError({
        code: 'STORE_CONFLICT',
        message: 'The branch moved each time the changes were asked again. Try later.',
        details: { attempts: retries + 1 },
        retryable: true,
      });
    },

    async isAncestor(ancestor, descendant, callOptions) {
      callOptions?.signal?.throwIfAborted();
      if (!branch.commits.has(ancestor)) return false;
      let at: CommitId | undefined = descendant;
      while (at !== undefined && at !== ancestor) at = branch.commits.get(at)?.parents[0];
      return at === ancestor;
    },

    async *log({ from, limit = Number.POSITIVE_INFINITY, signal } = {}) {
      let at: CommitId | null | undefined = from ?? branch.tip;
      if (from !== undefined) snapshotOf(from);
      for (let count = 0; at != null && count < limit; count += 1) {
        signal?.throwIfAborted();
        const found: MemoryCommit | undefined = branch.commits.get(at);
        if (found === undefined) return;
        const { tree: _, ...record } = found;
        yield record;
        at = found.parents[0];
      }
    },

    async [Symbol.asyncDispose]() {},
  };
}

function treeSnapshot(commit: CommitId | null, tree: RepoTree): Snapshot {
  return {
    commit,
    async readFile(path, options) {
      options?.signal?.throwIfAborted();
      return tree.get(path)?.slice();
    },
    async holds(path, content, options) {
      options?.signal?.throwIfAborted();
      if (content instanceof Uint8Array) {
        const bytes = tree.get(path);
        return bytes !== undefined && bytesEqual(bytes, content);
      }
      const files = new Map([...tree].filter(([each]) => isBelow(each, path)));
      return files.size > 0 && diffTrees(files, content).length === 0;
    },
    async readTree(prefix, options) {
      options?.signal?.throwIfAborted();
      const files = [...tree].filter(([path]) => isBelow(path, prefix));
      return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, bytes.slice()]));
    },
    async listDirectory(directory, options) {
      options?.signal?.throwIfAborted();
      const entries = new Map<string, DirectoryEntry>();
      for (const path of tree.keys()) {
        if (directory !== null && !isBelow(path, directory)) continue;
        const [name = '', ...rest] = path.slice(directory === null ? 0 : directory.length + 1).split('/');
        entries.set(name, { name, type: rest.length === 0 ? 'file' : 'directory' });
      }
      return [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    },
  };
}

function tipOf(snapshot: Snapshot): Tip {
  return {
    snapshot,
    async entryAt(path: RepoPath): Promise<TipEntry | undefined> {
      const file = await snapshot.readFile(path);
      if (file !== undefined) return { type: 'file', holds: (bytes) => bytesEqual(file, bytes) };
      return (await snapshot.listDirectory(path)).length > 0 ? { type: 'directory' } : undefined;
    },
  };
}
