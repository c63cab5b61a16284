import type { CallOptions } from '../call-options.ts';
import { isCaelusError } from '../errors.ts';
import { createLayout, type Layout, REPOSITORY_FILES } from '../layout/layout.ts';
import type { Snapshot } from '../ports/state-store.ts';
import { parseRepositoryLayout } from '../render/render-repository.ts';

/** The layout that the repository had at a commit; `layout` where the commit does not say. */
export async function layoutAt(snapshot: Snapshot, layout: Layout, options: CallOptions): Promise<Layout> {
  const file = await snapshot.readFile(REPOSITORY_FILES.layout, options);
  if (file === undefined) return layout;
  try {
    const { layout: name } = parseRepositoryLayout(file);
    return name === layout.name ? layout : createLayout(name);
  } catch (error) {
    if (isCaelusError(error, 'STORE_CORRUPT')) return layout;
    throw error;
  }
}
