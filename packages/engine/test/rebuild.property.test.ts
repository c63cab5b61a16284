import { type Instance, parseTemplateVersionId, type Repository } from '@caelus/core';
import { createMemoryBranch } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Caelus } from '../src/index.ts';
import {
  type ConsistencyWorld,
  createConsistencyWorld,
  createMemoryRepository,
  createMemoryStateStore,
  Died,
  filesOf,
  findingsOf,
  refusal,
  settleAll,
} from './consistency-world.ts';

// Git alone gives the rows, the rows alone give Git. A random history leaves instances in every state; then one side is lost.

type Step =
  | { readonly type: 'create'; readonly tenant: number; readonly values: object; readonly hostname: boolean }
  | { readonly type: 'update'; readonly which: number; readonly values: object; readonly labels: object }
  | { readonly type: 'upgrade' | 'delete'; readonly which: number }
  | { readonly type: 'settle' | 'pass' | 'deprecate' | 'publish' };

const values = fc.record({ title: fc.string({ minLength: 1 }), replicas: fc.integer({ min: 1, max: 5 }) });
const which = fc.nat(8);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('create'), tenant: fc.nat(3), values, hostname: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('update'),
      which,
      values,
      labels: fc.dictionary(fc.constantFrom('team', 'cost'), fc.constantFrom('a', 'B.1', '')),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('upgrade', 'delete'), which }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('settle', 'pass', 'deprecate', 'publish') }) },
) as fc.Arbitrary<Step>;
const histories = fc.array(step, { size: 'max', minLength: 3, maxLength: 14 });

async function run(world: ConsistencyWorld, steps: readonly Step[]): Promise<void> {
  const created: Instance[] = [];
  let serial = 0;
  const at = (index: number) => created[index % Math.max(1, created.length)];
  for (const each of steps) {
    const { instances, templateVersions } = world.caelus;
    switch (each.type) {
      case 'create': {
        const { id } = await world.create({ tenant: `tenant-${each.tenant}`, values: each.values });
        created.push(await instances.get(id));
        break;
      }
      case 'update': {
        const instance = at(each.which);
        if (instance)
          await ignoreDeleted(instances.update(instance.id, { values: each.values, labels: each.labels as never }));
        break;
      }
      case 'upgrade': {
        const instance = at(each.which);
        if (instance) await ignoreDeleted(instances.upgrade(instance.id, { templateVersionId: world.v2.id }));
        break;
      }
      case 'delete': {
        const instance = at(each.which);
        if (instance) await instances.delete(instance.id);
        break;
      }
      case 'publish': {
        const version = `9.${++serial}`;
        const chart = { ...world.v2.chart, version: `9.${serial}.0` } as never;
        await templateVersions.publish({ productId: world.product.id, version, chart });
        break;
      }
      case 'deprecate': {
        const { items } = await templateVersions.list();
        const newest = items.find(({ version }) => version.startsWith('9.'));
        if (newest) await templateVersions.deprecate(parseTemplateVersionId(newest.id));
        break;
      }
      case 'pass':
        await world.caelus.runOnce();
        break;
      case 'settle':
        await settleAll(world);
    }
  }
}

async function ignoreDeleted(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'INSTANCE_DELETED') throw error;
  });
}

/** What Git keeps of a row. */
function kept(instance: Instance): object {
  const { updatedAt: _, changedBy: __, status, statusReason: ___, lastError: ____, ...rest } = instance;
  const { syncStatus, healthStatus, lastSyncedAt, observedGeneration, appliedTemplateVersionId, ...desired } = rest;
  void [syncStatus, healthStatus, lastSyncedAt, observedGeneration, appliedTemplateVersionId];
  const isGone = status === 'Deleted';
  return isGone
    ? { ...desired, status, userValues: {}, platformValues: {}, hostname: null, labels: {} }
    : { ...desired, isWanted: status !== 'Deleting' };
}

async function rowsOf(repository: Repository, keep: (instance: Instance) => object = (instance) => instance) {
  const [products, versions, instances] = await Promise.all([
    repository.listProducts({ limit: 500 }),
    repository.listTemplateVersions({}, { limit: 500 }),
    repository.listInstances({}, { limit: 500 }),
  ]);
  return { products: products.items, versions: versions.items, instances: instances.items.map(keep) };
}

describe('the rows that are rebuilt from Git alone', () => {
  it.each([
    ['flat', 10],
    ['sharded', 1],
  ] as const)('are those that were lost, and the next sweep writes nothing: %s', async (layout, numRuns) => {
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        await using world = await createConsistencyWorld({ layout });
        await run(world, steps);
        await settleAll(world);
        const before = await rowsOf(world.repository, kept);
        const tip = world.tip();
        await using repository = createMemoryRepository();
        const caelus = world.over(repository);
        const report = await caelus.rebuildFromGit();
        expect(report).toMatchObject({ unresolved: [], foreign: 0, instances: before.instances.length });
        expect(await rowsOf(repository, kept)).toEqual(before);
        expect(await findingsOf(caelus)).toEqual([]);
        await settleAll(world, caelus);
        expect(world.tip()).toBe(tip);
        // Whoever runs is Running again by what is observed, and whatever was deleted is not revived.
        const statuses = async (from: Repository) =>
          (await from.listInstances({}, { limit: 500 })).items.map(({ id, status }) => [id, status]);
        expect(await statuses(repository)).toEqual(await statuses(world.repository));
      }),
      { numRuns },
    );
  });

  it('are the same when the rebuilding was killed between any two transactions', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.nat(6), async (steps, survived) => {
        await using world = await createConsistencyWorld();
        await run(world, steps);
        await settleAll(world);
        await using repository = createMemoryRepository();
        let left = survived;
        const dying: Repository = {
          ...repository,
          transaction: async (body, options) => {
            if (left-- === 0) throw new Died();
            return repository.transaction(body, options);
          },
        };
        await world
          .over(dying)
          .rebuildFromGit()
          .catch((error: unknown) => expect(error).toBeInstanceOf(Died));
        const caelus = world.over(repository);
        if (left < 0) await caelus.rebuildFromGit();
        expect(await rowsOf(repository, kept)).toEqual(await rowsOf(world.repository, kept));
        expect(await findingsOf(caelus)).toEqual([]);
        expect(await refusal(caelus.rebuildFromGit()), 'it is done').toBe('REBUILD_REFUSED');
      }),
      { numRuns: 10 },
    );
  });
});

describe('the branch that is rebuilt from the rows alone', () => {
  it('has the same bytes, also when the rebuilding was killed', async () => {
    await fc.assert(
      fc.asyncProperty(histories, fc.nat(3), async (steps, survived) => {
        await using world = await createConsistencyWorld();
        await run(world, steps);
        await settleAll(world);
        const before = world.files();
        const branch = createMemoryBranch();
        const store = createMemoryStateStore({ shared: branch });
        let left = survived;
        const dying = {
          ...store,
          write: async (...call: Parameters<typeof store.write>) => {
            if (left-- === 0) throw new Died();
            return store.write(...call);
          },
        };
        const rebuild = (caelus: Caelus) => caelus.rebuildGit();
        const timings = { batch: 2 };
        await rebuild(world.over(world.repository, { store: dying, timings })).catch((error: unknown) =>
          expect(error).toBeInstanceOf(Died),
        );
        world.clock.advance(400_000);
        const caelus = world.over(world.repository, { store, timings });
        expect(await rebuild(caelus)).toMatchObject({ failed: 0, flagged: 0 });
        const tree = branch.commits.get(branch.tip as never)?.tree;
        expect(filesOf(tree as never)).toEqual(before);
        await settleAll(world, caelus);
        expect((await findingsOf(caelus)).map(({ kind }) => kind)).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});

describe('a rebuild from Git', () => {
  it('refuses a database with rows, a branch of another database, and a branch with nothing', async () => {
    await using world = await createConsistencyWorld();
    await settleAll(world);
    const { caelus, over } = world;
    expect(await refusal(caelus.rebuildFromGit())).toBe('REBUILD_REFUSED');
    const store = createMemoryStateStore();
    expect(await refusal(over(createMemoryRepository(), { store }).rebuildFromGit())).toBe('REBUILD_REFUSED');
    const repository = createMemoryRepository();
    const ofHost = { ...repository, capabilities: { ...repository.capabilities, ownsRows: false } };
    expect(await refusal(over(ofHost).rebuildFromGit())).toBe('REBUILD_REFUSED');
  });

  it('rebuilds what it can, says what it cannot, and goes on once that is put right', async () => {
    await using world = await createConsistencyWorld();
    const [spoiled, edited, well] = [await world.create(), await world.create(), await world.create()];
    await settleAll(world);
    const { marker } = world.places(spoiled.id);
    const text = (await world.readText(marker)) as string;
    await world.editByHand(marker, 'spoiled: ]');
    await world.editByHand(world.places(edited.id).values, 'title: By hand\n');
    const repository = createMemoryRepository();
    const caelus = world.over(repository);
    const report = await caelus.rebuildFromGit({ actor: { name: 'Ada' } });
    expect(report).toMatchObject({
      instances: 2,
      unresolved: [{ subject: `instance ${spoiled.id}`, code: 'STORE_CORRUPT' }],
    });
    expect((await findingsOf(caelus)).map(({ kind, subject }) => [kind, subject])).toEqual([
      ['manual-edit', { type: 'instance', id: edited.id }],
      ['marker-invalid', { type: 'instance', id: spoiled.id }],
    ]);
    await world.editByHand(marker, text);
    expect(await caelus.rebuildFromGit()).toMatchObject({ instances: 1, unresolved: [] });
    expect((await findingsOf(caelus)).map(({ kind }) => kind)).toEqual(['manual-edit']);
    expect(await caelus.instances.get(well.id)).toMatchObject({ statusReason: 'Rebuilt', generation: 1 });
    const types = new Set((await repository.listEvents({ limit: 500 })).map(({ type }) => type));
    expect([...types]).toEqual(['rebuild-started', 'catalogue-adopted', 'instance-rebuilt', 'rebuild-finished']);
  });
});
