import { type CommitId, createLayout, instanceLog, parseTier, type StatusSource } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createCaelus } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

const ada = { name: 'Ada', email: 'ada@acme.example' };
const tiers = [parseTier({ name: 'stable' }), parseTier({ name: 'still', selfHeal: false })];

async function requested(world: World) {
  const events = await world.events();
  return events.flatMap(({ type, actor, data }) =>
    type.endsWith('-requested') ? [{ type, by: actor?.name, data }] : [],
  );
}

describe('a command to Argo CD', () => {
  it('refreshes an instance, in somebody’s name', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    await world.converge();
    const seenAt = async () => (await world.argoCd.get(argoAppName))?.status?.reconciledAt;
    const before = await seenAt();
    const row = await world.caelus.instances.refresh(id, { hard: true }, { actor: ada });
    await world.argoCd.reconcile();
    expect(await seenAt()).not.toBe(before);
    expect(row).toEqual(await world.caelus.instances.get(id));
    const event = { type: 'instance-refresh-requested', by: 'Ada', data: { hard: true } };
    expect(await requested(world)).toEqual([event]);
  });

  it('syncs what Argo CD was told to leave, once for each key', async () => {
    await using world = await createWorld({ tiers });
    const { id, argoAppName } = await world.create({ tier: 'still' });
    await world.converge();
    const sync = () => world.caelus.instances.sync(id, {}, { actor: ada, idempotencyKey: 'once' });
    world.argoCd.changeInCluster(argoAppName);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Pending', syncStatus: 'OutOfSync' });
    await sync();
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', syncStatus: 'Synced' });
    const startedAt = async () => (await world.argoCd.get(argoAppName))?.status?.operationState?.startedAt;
    const first = await startedAt();
    await sync();
    await world.converge();
    expect(await startedAt()).toBe(first);
    expect(await requested(world)).toEqual([{ type: 'instance-sync-requested', by: 'Ada', data: { prune: true } }]);
  });

  it('ends a sync that runs, and is content where none does', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    world.argoCd.setFailure(argoAppName, { kind: 'endless-sync' });
    await world.converge();
    await expect(world.caelus.instances.sync(id)).rejects.toMatchObject({ code: 'OPERATION_RUNNING' });
    await world.caelus.instances.terminate(id, { actor: ada });
    expect((await world.argoCd.get(argoAppName))?.status?.operationState).toMatchObject({ phase: 'Failed' });
    await world.caelus.instances.terminate(id);
    const types = (await requested(world)).map(({ type }) => type);
    expect(types).toEqual(['instance-sync-requested', 'instance-terminate-requested', 'instance-terminate-requested']);
  });

  it('is refused where there is nothing to tell, and leaves no event of what nobody may ask', async () => {
    await using world = await createWorld();
    const { instances } = world.caelus;
    const { id } = await world.create();
    await expect(instances.refresh(id)).rejects.toMatchObject({ code: 'APPLICATION_UNKNOWN', retryable: true });
    await expect(instances.sync(id, {}, { expectedGeneration: 2 })).rejects.toMatchObject({ code: 'GENERATION_STALE' });
    await expect(instances.sync(id, { resources: [] })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const resources = (count: number) => Array.from({ length: count }, () => ({ kind: 'Secret', name: 'x' }));
    await expect(instances.sync(id, { resources: resources(101) })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await expect(instances.sync(id, { resources: resources(100) })).rejects.toMatchObject({
      code: 'APPLICATION_UNKNOWN',
    });
    const spaced = [{ kind: 'Secret', name: 'x y' }];
    await expect(instances.sync(id, { resources: spaced })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    await world.converge();
    await instances.delete(id);
    await expect(instances.sync(id)).rejects.toMatchObject({ code: 'INSTANCE_DELETED' });
    await instances.terminate(id);
    await world.converge();
    for (const command of [instances.refresh, instances.sync, instances.terminate]) {
      await expect(command(id)).rejects.toMatchObject({ code: 'INSTANCE_DELETED' });
    }
    const types = (await requested(world)).map(({ type }) => type);
    expect(types).toEqual([
      'instance-refresh-requested',
      'instance-sync-requested',
      'instance-delete-requested',
      'instance-terminate-requested',
    ]);
  });

  it('needs a status source that has control', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    const { control: _, ...status } = world.argoCd;
    const caelus = createCaelus({ ...world.options, status: status as StatusSource });
    await expect(caelus.instances.refresh(id)).rejects.toMatchObject({ code: 'CONTROL_UNSUPPORTED' });
    expect(await requested(world)).toEqual([]);
  });
});

describe('a rollback', () => {
  /** Generation 1 as created, 2 with another title, 3 with another version. */
  async function createChanged() {
    const world = await createWorld();
    const { instances } = world.caelus;
    const first = await world.create({ values: { title: 'First', replicas: 3 }, labels: { team: 'a' } });
    await world.converge();
    await instances.update(first.id, { values: { title: 'Second' }, labels: { team: 'b' } });
    await world.converge();
    await instances.upgrade(first.id, { templateVersionId: world.v2.id });
    await world.converge();
    return { world, first, instances };
  }

  it('makes an instance what it was, as a new generation', async () => {
    const { world, first, instances } = await createChanged();
    await using _ = world;
    const plan = await instances.planRollback(first.id, { generation: 1 });
    expect(JSON.stringify(plan)).toContain('First');
    const row = await instances.rollback(first.id, { generation: 1 }, { actor: ada, idempotencyKey: 'back' });
    const { userValues, labels, desiredTemplateVersionId } = first;
    expect(row).toMatchObject({ generation: 4, userValues, labels, desiredTemplateVersionId, changedBy: ada });
    await world.converge();
    expect(await instances.get(first.id)).toMatchObject({ status: 'Running', observedGeneration: 4 });
    expect(await world.readText(world.places(first.id).values)).toContain('title: First');
    const event = (await world.events()).find(({ type }) => type === 'instance-rolled-back');
    expect(event).toMatchObject({ generation: 4, actor: ada, data: { to: 1 } });
    // The same call again, and the same wish again: nothing more.
    expect(await instances.rollback(first.id, { generation: 1 }, { idempotencyKey: 'back' })).toMatchObject({
      generation: 4,
    });
    expect((await instances.rollback(first.id, { generation: 1 })).generation).toBe(4);
  });

  it('goes to a commit as well', async () => {
    const { world, first, instances } = await createChanged();
    await using _ = world;
    const { items } = await instanceLog(world.store, createLayout('flat'), first.id);
    const { commit } = items.find(({ generation }) => generation === 2) ?? {};
    const row = await instances.rollback(first.id, { commit: String(commit) });
    expect(row).toMatchObject({ userValues: { title: 'Second' }, desiredTemplateVersionId: world.v1.id });
  });

  it.each([
    { what: 'a generation of the future', to: { generation: 9 } },
    { what: 'a commit that is not there', to: { commit: 'f'.repeat(40) } },
  ])('says that Git does not have $what', async ({ to }) => {
    const { world, first, instances } = await createChanged();
    await using _ = world;
    await expect(instances.rollback(first.id, to)).rejects.toMatchObject({ code: 'INSTANCE_STATE_UNKNOWN' });
    await expect(instances.planRollback(first.id, to)).rejects.toMatchObject({ code: 'INSTANCE_STATE_UNKNOWN' });
    expect((await instances.get(first.id)).generation).toBe(3);
  });

  it('does not go to a generation that was overtaken, nor to what was edited by hand', async () => {
    await using world = await createWorld();
    const { instances } = world.caelus;
    const { id } = await world.create();
    await world.converge();
    await instances.update(id, { values: { title: 'Overtaken' } });
    await instances.update(id, { values: { title: 'Newest' } });
    await world.converge();
    await expect(instances.rollback(id, { generation: 2 })).rejects.toMatchObject({ code: 'INSTANCE_STATE_UNKNOWN' });
    await world.editByHand(world.places(id).values, 'title: by hand\n');
    const commit = (await world.store.snapshot()).commit as CommitId;
    await expect(instances.rollback(id, { commit })).rejects.toMatchObject({ code: 'INSTANCE_STATE_UNKNOWN' });
    await expect(instances.rollback(id, { generation: 1 })).resolves.toMatchObject({ generation: 4 });
  });

  it.each([{}, { generation: 1, commit: 'f'.repeat(40) }, { generation: 0 }, { generation: 1.5 }, { commit: 'main' }])(
    'refuses %o',
    async (to) => {
      await using world = await createWorld();
      const { id } = await world.create();
      const refused = expect.stringMatching(/^(?:INVALID_INPUT|ID_INVALID)$/);
      await expect(world.caelus.instances.rollback(id, to)).rejects.toMatchObject({ code: refused });
    },
  );

  it('goes to a deprecated version only where it is allowed to', async () => {
    const { world, first, instances } = await createChanged();
    await using _ = world;
    await world.caelus.templateVersions.deprecate(world.v1.id);
    const to = { generation: 1 };
    await expect(instances.rollback(first.id, to)).rejects.toMatchObject({ code: 'TEMPLATE_VERSION_DEPRECATED' });
    const row = await instances.rollback(first.id, { ...to, allowDeprecated: true });
    expect(row.desiredTemplateVersionId).toBe(world.v1.id);
  });

  it('is checked as every other change: what is locked by now stays so', async () => {
    const { world, first } = await createChanged();
    await using _ = world;
    const stricter = [parseTier({ name: 'stable', values: { replicas: 2 } })];
    const { instances } = createCaelus({ ...world.options, tiers: stricter });
    await expect(instances.rollback(first.id, { generation: 1 })).rejects.toMatchObject({ code: 'VALUES_LOCKED' });
    await expect(instances.rollback(first.id, { generation: 2 })).resolves.toMatchObject({ generation: 4 });
  });

  it('does not bring back what is being deleted', async () => {
    const { world, first, instances } = await createChanged();
    await using _ = world;
    await instances.delete(first.id);
    await expect(instances.rollback(first.id, { generation: 1 })).rejects.toMatchObject({ code: 'INSTANCE_DELETED' });
  });
});
