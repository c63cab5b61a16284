import type { CallOptions, StateStore } from '@caelus/core';
import type { GitTags } from './tags.ts';

/** A {@link StateStore} with what only a Git repository needs. */
export interface GitStore extends StateStore, GitTags {
  /**
   * Folds small packs into larger ones, as the store does by itself after 32 commits: for a time that suits you better. Safe
   * beside writers, readers and `git gc` of other processes; does nothing while another process does the same. Packs
   * larger than 32 MiB are left to `git gc`.
   * @throws {CaelusError} `STORE_CORRUPT` where a pack is damaged; all packs then stay, `UNAVAILABLE`
   */
  consolidate(options?: CallOptions): Promise<void>;
}
