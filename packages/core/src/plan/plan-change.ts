import type { RepoPath } from '../layout/repo-path.ts';
import type { RepoTree } from '../layout/repo-tree.ts';

/** One file that a change adds, modifies or removes. */
export interface PlannedFile {
  readonly path: RepoPath;
  readonly action: 'add' | 'modify' | 'remove';
  /** Unified diff without file headers; `null` where it is not shown. */
  readonly diff: string | null;
  /** Why there is no diff. */
  readonly omitted: 'binary' | 'too-large' | null;
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** What a change would do to the GitOps repository. */
export interface Plan {
  /** Ordered by path; empty where nothing would change. */
  readonly files: readonly PlannedFile[];
}

export function planChange(_before: RepoTree, _after: RepoTree): Plan {
  throw new Error('Not written yet.');
}
