import type { CallOptions, CommitId, StateStore } from '@caelus/core';

/** Remembers which commits descend from which: once true, it stays true, and every Application of a relist asks. */
export interface Ancestry {
  isAncestor(store: StateStore, ancestor: CommitId, descendant: CommitId, options: CallOptions): Promise<boolean>;
}

const REMEMBERED = 50_000;

export function createAncestry(): Ancestry {
  const known = new Set<string>();
  return {
    async isAncestor(store, ancestor, descendant, options) {
      const pair = `${ancestor}..${descendant}`;
      if (known.has(pair)) return true;
      const found = await store.isAncestor(ancestor, descendant, options);
      if (found) {
        if (known.size >= REMEMBERED) known.clear();
        known.add(pair);
      }
      return found;
    },
  };
}
