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
  walk(from: CommitId, signal?: AbortSignal): AsyncIterable<ParsedCommit>;
  isAncestor(ancestor: CommitId, descendant: CommitId, signal?: AbortSignal): Promise<boolean>;
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

  async function* walk(from: CommitId, signal?: AbortSignal): AsyncGenerator<ParsedCommit> {
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
