import {
  assertRepositoryOwned,
  type CallOptions,
  diffTrees,
  type Edit,
  type ProposedChange,
  parseRepositoryLayout,
  REPOSITORY_FILES,
  renderRepository,
  type Snapshot,
} from '@caelus/core';
import type { EngineContext } from './engine-context.ts';

/**
 * Brings the files that the repository has beside its instances to what the options say: the layout, the root
 * Applications, a project for each tier. Returns whether a commit was made.
 * @throws {CaelusError} `STORE_FOREIGN` where the repository belongs to another database or has another layout
 */
export async function ensureRepository(context: EngineContext, options: CallOptions = {}): Promise<boolean> {
  const change: ProposedChange = {
    subject: 'repository',
    async propose(snapshot) {
      const edits = await repositoryEdits(context, snapshot);
      return edits.length === 0 ? null : { edits, summary: 'set up the repository', trailers: [], actor: null };
    },
  };
  const [receipt] = await context.store.write([change], options);
  if (receipt?.outcome === 'failed') throw receipt.error;
  return receipt?.outcome === 'written';
}

/** What the repository lacks beside its instances. @throws {CaelusError} `STORE_FOREIGN` */
export async function repositoryEdits({ render, tiers }: EngineContext, snapshot: Snapshot): Promise<readonly Edit[]> {
  const layout = await snapshot.readFile(REPOSITORY_FILES.layout);
  if (layout) assertRepositoryOwned(parseRepositoryLayout(layout), render);
  const wanted = renderRepository({ context: render, tiers: [...tiers.values()] });
  const found = await Promise.all(
    [...wanted.keys()].map(async (path) => [path, await snapshot.readFile(path)] as const),
  );
  const before = new Map(found.flatMap(([path, bytes]) => (bytes ? [[path, bytes] as const] : [])));
  // What else lies there stays: the project of a tier that is no longer given may still have instances.
  return diffTrees(before, wanted);
}
