import type { CommitId } from '@caelus/core';
import type { FileAccess } from './file-access.ts';
import { type ParsedCommit, parseCommit } from './git-commit.ts';
import { corrupt } from './git-errors.ts';
import type { ObjectStore } from './object-store.ts';

/** Commits and what leads to them. */
export interface History {
  /** @throws {CaelusError} `STORE_CORRUPT` where the commit is not in the directory */
  commit(id: CommitId): Promise<ParsedCommit>;
  /** A commit and its ancestors, newest first; ends where a shallow history does. */
  walk(from: CommitId, signal?: AbortSignal): AsyncGenerator<ParsedCommit, undefined>;
  isAncestor(ancestor: CommitId, descendant: CommitId, signal?: AbortSignal): Promise<boolean>;
  /**
   * The newest commit, by date, that leads to both; `undefined` where none is known, as in a history that was left out when it
   * was fetched.
   */
  mergeBase(one: CommitId, other: CommitId, signal?: AbortSignal): Promise<CommitId | undefined>;
  /** Commits whose parents were left out when the history was fetched. */
  shallow(): Promise<ReadonlySet<string>>;
}

export function createHistory(files: FileAccess, gitdir: string, objects: ObjectStore): History {
  async function commit(id: CommitId): Promise<ParsedCommit> {
    return parseCommit(id, await objects.read(id, 'commit'));
  }

  async function shallow(): Promise<ReadonlySet<string>> {
    const text = (await files.read(`${gitdir}/shallow`))?.toString('latin1') ?? '';
    return new Set(text.split('\n').filter(Boolean));
  }

  async function* walk(from: CommitId, signal?: AbortSignal): AsyncGenerator<ParsedCommit, undefined> {
    const boundary = await shallow();
    const seen = new Set<CommitId>([from]);
    // Histories that Caelus writes are lines, so this holds one commit; merges by others make it a few.
    const waiting = [await commit(from)];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      signal?.throwIfAborted();
      yield next;
      if (boundary.has(next.commit)) continue;
      for (const parent of next.parents.filter((id) => !seen.has(id))) {
        seen.add(parent);
        waiting.push(await commit(parent));
      }
      if (waiting.length > 1) waiting.sort((a, b) => (a.committedAt < b.committedAt ? -1 : 1));
    }
  }

  return {
    commit,
    walk,
    shallow,

    async mergeBase(one, other, signal) {
      const [here, there] = [one, other].map((from) => {
        const commits = walk(from, signal);
        return { seen: new Set<CommitId>(), next: async () => (await commits.next()).value };
      }) as [Side, Side];
      let [mine, theirs] = [await here.next(), await there.next()];
      for (;;) {
        // The newer of the two is taken each time, so no more is read than what is newer than what is looked for.
        const isMine = theirs === undefined || (mine !== undefined && mine.committedAt >= theirs.committedAt);
        const [taken, side, opposite] = isMine ? [mine, here, there] : [theirs, there, here];
        if (taken === undefined || opposite.seen.has(taken.commit)) return taken?.commit;
        side.seen.add(taken.commit);
        if (isMine) mine = await side.next();
        else theirs = await side.next();
      }
    },

    async isAncestor(ancestor, descendant, signal) {
      signal?.throwIfAborted();
      for (const id of [ancestor, descendant]) {
        const object = await objects.find(id);
        if (object === undefined) return false;
        if (object.type !== 'commit') throw corrupt(id, `Object ${id} is not a commit.`);
      }
      for await (const { commit: id } of walk(descendant, signal)) if (id === ancestor) return true;
      return false;
    },
  };
}

/** One of two histories that are walked together. */
interface Side {
  readonly seen: Set<CommitId>;
  next(): Promise<ParsedCommit | undefined>;
}
