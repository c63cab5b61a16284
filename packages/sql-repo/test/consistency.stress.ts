import { parseTier, readStoreId } from '@caelus/core';
import { createMemoryBranch, createMemoryStateStore, createSimulatedArgoCd } from '@caelus/core/testing';
import { expect, it } from 'vitest';
import { type Caelus, createCaelus } from '../../engine/src/index.ts';
import type { SqlRepository } from '../src/index.ts';
import { createDatabase, describeWithServer } from './postgres-database.ts';

/** The engine over PostgreSQL and a branch in memory. */
function caelusOver(repository: SqlRepository, branch = createMemoryBranch()) {
  const store = createMemoryStateStore({ shared: branch });
  const argoCd = createSimulatedArgoCd({ store });
  const caelus = createCaelus({
    repository,
    store,
    status: argoCd,
    gitOps: { repoURL: 'https://git.example.com/gitops.git' },
    tiers: [parseTier({ name: 'stable' })],
    timings: { deletion: 1, grace: 1, retry: 1 },
  });
  const settle = async () => {
    for (;;) {
      const { written, observed } = await caelus.runOnce();
      const moved = await argoCd.reconcile();
      const { pending } = await repository.workBacklog();
      if (!moved && written === 0 && observed === 0 && pending === 0) return;
    }
  };
  return { caelus, store, branch, settle };
}

async function kindsOf(caelus: Caelus): Promise<readonly string[]> {
  const kinds: string[] = [];
  for await (const { kind } of caelus.inspect()) kinds.push(kind);
  return kinds.toSorted();
}

describeWithServer('the rows and Git, over PostgreSQL', () => {
  it('are found to disagree, settled, and rebuilt from each other', async () => {
    await using database = await createDatabase();
    await using repository = await database.open();
    const { caelus, store, branch, settle } = caelusOver(repository);
    const product = await caelus.products.create({ slug: 'wiki', name: 'Wiki' });
    const version = await caelus.templateVersions.publish({
      productId: product.id,
      version: '1.0.0',
      chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: '1.0.0' },
      defaultValues: { title: 'Wiki' },
    });
    const create = () =>
      caelus.instances.create({ productId: product.id, templateVersionId: version.id, tenant: 'acme' });
    const [first, second] = [await create(), await create()];
    await settle();
    const early = branch.tip;
    await caelus.instances.update(first.id, { values: { replicas: 2 } });
    await caelus.instances.delete(second.id);
    await settle();
    const tip = branch.tip;
    branch.tip = early;
    expect(await kindsOf(caelus)).toEqual(['git-behind', 'git-behind', 'git-rewound']);
    await settle();
    expect(await kindsOf(caelus)).toEqual([]);
    expect(await repository.listEvents({ types: ['git-rewound'] })).toHaveLength(1);
    expect(branch.tip).not.toBe(tip);

    const edits = [
      { path: `instances/${first.id}/values.yaml` as never, bytes: new TextEncoder().encode('title: x\n') },
    ];
    const proposal = { edits, summary: 'edit by hand', trailers: [], actor: null };
    await store.write([{ subject: 'hand', propose: async () => proposal }]);
    await caelus.resolve(first.id, 'git-wins', { idempotencyKey: 'once' });
    await settle();
    expect((await caelus.instances.get(first.id)).userValues).toEqual({ title: 'x' });

    await using lost = await createDatabase();
    await using empty = await lost.open({ storeId: await readStoreId(store) });
    const rebuilt = caelusOver(empty, branch);
    expect(await rebuilt.caelus.rebuildFromGit()).toMatchObject({ instances: 2, unresolved: [] });
    expect(await kindsOf(rebuilt.caelus)).toEqual([]);
    const before = branch.tip;
    await rebuilt.settle();
    expect(branch.tip).toBe(before);
    const rowsOf = async (from: SqlRepository) =>
      (await from.listInstances()).items.map(({ id, generation, changeId, status }) => [
        id,
        generation,
        changeId,
        status,
      ]);
    expect(await rowsOf(empty)).toEqual(await rowsOf(repository));

    const again = caelusOver(repository);
    await again.caelus.rebuildGit();
    const treeOf = (from: typeof branch) => new Map(from.commits.get(from.tip as never)?.tree);
    expect(treeOf(again.branch)).toEqual(treeOf(branch));
  });
});
