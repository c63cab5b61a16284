import type { LayoutName } from '../layout/layout.ts';
import type { RepoTree } from '../layout/repo-tree.ts';
import type { StoreId } from '../model/identifier.ts';
import type { Tier } from '../model/tier.ts';
import type { RenderContext } from './render-context.ts';

/** What `.caelus/layout.yaml` says of a GitOps repository. */
export interface RepositoryLayout {
  readonly storeId: StoreId;
  readonly layout: LayoutName;
  /** Version of the layout. */
  readonly version: 1;
}

export function renderRepository(_input: {
  readonly context: RenderContext;
  readonly tiers: readonly Tier[];
}): RepoTree {
  throw new Error('Not written yet.');
}

export function parseRepositoryLayout(_bytes: Uint8Array): RepositoryLayout {
  throw new Error('Not written yet.');
}

export function assertRepositoryOwned(_found: RepositoryLayout, _context: RenderContext): void {
  throw new Error('Not written yet.');
}
