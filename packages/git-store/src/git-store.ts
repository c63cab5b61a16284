import type { StateStore } from '@caelus/core';
import type { GitTags } from './tags.ts';

/** A branch of a Git repository as a `StateStore`, and the repository's tags. */
export interface GitStore extends StateStore, GitTags {}
