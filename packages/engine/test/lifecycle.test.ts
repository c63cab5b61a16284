import {
  type InstanceId,
  parseMarker,
  parseStoreId,
  parseTombstone,
  REPOSITORY_FILES,
  type StateStore,
} from '@caelus/core';
import { createMemoryRepository } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { createCaelus } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

async function marker(world: World, id: InstanceId) {
  const bytes = await (await world.store.snapshot()).readFile(world.places(id).marker);
  return bytes && parseMarker(bytes);
}

async function countCommits(store: StateStore): Promise<number> {
  let count = 0;
  for await (const _ of store.log()) count += 1;
  return count;
}

describe('the life of an instance', () => {
  it('is created: row, Git, cluster, and back to the row', async () => {
    await using world = await createWorld();
    const created = await world.create({ values: 'title: Team wiki' });
    expect(created).toMatchObject({
      status: 'Pending',
      generation: 1,
      observedGeneration: 0,
      userValues: { title: 'Team wiki' },
    });
    await world.converge();
    const instance = await world.caelus.instances.get(created.id);
    expect(instance).toMatchObject({
      status: 'Running',
      statusReason: 'Running',
      syncStatus: 'Synced',
      healthStatus: 'Healthy',
      observedGeneration: 1,
      appliedTemplateVersionId: world.v1.id,
      gitPath: `instances/${created.id}`,
      argoAppName: created.id,
      releaseName: 'wiki',
    });
    expect(instance.lastSyncedAt).not.toBeNull();
    expect(await world.readText(world.places(created.id).values)).toBe('image:\n  tag: "1.0"\ntitle: Team wiki\n');
    expect(world.argoCd.namespaces).toEqual(new Set([created.namespace]));
    expect(await world.caelus.settled(created.id)).toMatchObject({ outcome: 'running' });
  });

  it('is updated: only what changed is written, and the generation moves on', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    const before = await countCommits(world.store);
    const updated = await world.caelus.instances.update(id, { values: { replicas: 3 } }, { expectedGeneration: 1 });
    expect(updated).toMatchObject({ generation: 2, status: 'Pending' });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', observedGeneration: 2 });
    expect(await world.readText(world.places(id).values)).toContain('replicas: 3');
    expect(await countCommits(world.store)).toBe(before + 1);
    const { edits, applications } = world.notifier.notifications.at(-1) ?? {};
    expect(edits?.map(({ path }) => path)).toEqual([world.places(id).marker, world.places(id).values]);
    expect(applications).toEqual([id]);
  });

  it('is upgraded to a new template version', async () => {
    await using world = await createWorld();
    const { id } = await world.create({ values: { title: 'Mine' } });
    await world.converge();
    await world.caelus.instances.upgrade(id, { templateVersionId: world.v2.id });
    expect(await world.caelus.instances.get(id)).toMatchObject({ appliedTemplateVersionId: world.v1.id });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({
      status: 'Running',
      desiredTemplateVersionId: world.v2.id,
      appliedTemplateVersionId: world.v2.id,
      userValues: { title: 'Mine' },
    });
    expect(await world.readText(world.places(id).application)).toContain('targetRevision: "2.0.0"');
    expect(await world.readText(world.places(id).values)).toContain('tag: "2.0"');
  });

  it('is deleted in two phases, the directory last', async () => {
    await using world = await createWorld();
    const { id, namespace } = await world.create();
    await world.converge();
    const deleting = await world.caelus.instances.delete(id);
    expect(deleting).toMatchObject({ status: 'Deleting', generation: 2 });
    await world.caelus.runOnce();
    const { application, directory, tombstone } = world.places(id);
    expect(await world.readText(application)).toBeUndefined();
    expect((await (await world.store.snapshot()).readTree(directory)).size).toBeGreaterThan(0);
    expect(world.argoCd.namespaces).toContain(namespace);
    await world.converge();
    expect((await (await world.store.snapshot()).readTree(directory)).size).toBe(0);
    expect(world.argoCd.namespaces).toEqual(new Set());
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted', generation: 2 });
    const stone = await (await world.store.snapshot()).readFile(tombstone);
    expect(parseTombstone(stone as Uint8Array)).toMatchObject({ id, generation: 2, changeId: deleting.changeId });
    expect(await world.caelus.settled(id)).toMatchObject({ outcome: 'deleted' });
    expect((await world.repository.workBacklog()).pending).toBe(0);
  });

  it('is deleted before it was ever written, and leaves only a tombstone', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.caelus.instances.delete(id);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted' });
    expect(await world.readText(world.places(id).tombstone)).toContain('kind: Tombstone');
  });

  it('keeps its namespace where its data is to be retained', async () => {
    await using world = await createWorld();
    const version = await world.caelus.templateVersions.publish({
      productId: world.product.id,
      version: '3.0',
      chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'wiki', version: '3.0.0' },
      capabilities: { volumes: 'claim-templates' },
    });
    const { id, namespace } = await world.create({ templateVersionId: version.id, deletionPolicy: 'retain' });
    await world.caelus.runOnce();
    await expect(world.caelus.instances.delete(id)).rejects.toMatchObject({
      code: 'INSTANCE_NOT_SYNCED',
      retryable: true,
    });
    await world.converge();
    await world.caelus.instances.delete(id);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted' });
    expect(world.argoCd.namespaces).toContain(namespace);
  });

  it('comes back after drift in the cluster, and says so meanwhile', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    await world.converge();
    world.argoCd.changeInCluster(argoAppName);
    await world.argoCd.reconcile();
    await world.caelus.runOnce();
    expect(await world.caelus.instances.get(id)).toMatchObject({ syncStatus: 'OutOfSync' });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', syncStatus: 'Synced' });
  });

  it('can be read from the log: one subject for each step, in the name of who asked', async () => {
    await using world = await createWorld({ driftPolicy: { manualEdit: 'repair' } });
    const ada = { actor: { name: 'Ada' } };
    const input = { productId: world.product.id, templateVersionId: world.v1.id, tenant: 'acme' };
    const { id } = await world.caelus.instances.create(input, ada);
    await world.converge();
    await world.caelus.instances.update(id, { values: { replicas: 2 } }, ada);
    await world.converge();
    await world.caelus.instances.upgrade(id, { templateVersionId: world.v2.id }, ada);
    await world.converge();
    await world.editByHand(world.places(id).values, 'title: hacked\n');
    await world.converge();
    await world.caelus.instances.delete(id, ada);
    await world.converge();
    const lines: string[] = [];
    for await (const { author, message } of world.store.log())
      lines.unshift(`${author.name}: ${message.split('\n')[0]}`);
    expect(lines.slice(1)).toEqual([
      'Caelus: record the catalogue',
      'Ada: create wiki of acme',
      'Ada: update wiki of acme',
      'Ada: upgrade wiki of acme to 2.0',
      'Somebody: edit by hand',
      'Caelus: repair wiki of acme',
      'Ada: delete wiki of acme',
      'Caelus: clean up wiki of acme',
    ]);
  });

  it('makes one commit for many changes, in the names of those who asked', async () => {
    await using world = await createWorld();
    await world.caelus.runOnce();
    const before = await countCommits(world.store);
    const ada = { name: 'Ada', email: 'ada@example.com' };
    for (const tenant of ['acme', 'beta', 'gamma']) {
      await world.caelus.instances.create(
        { productId: world.product.id, templateVersionId: world.v1.id, tenant },
        { actor: ada },
      );
    }
    await world.caelus.runOnce();
    expect(await countCommits(world.store)).toBe(before + 1);
    for await (const { author, trailers } of world.store.log({ limit: 1 })) {
      expect(author).toEqual(ada);
      expect(trailers.filter(({ key }) => key === 'Caelus-Change')).toHaveLength(3);
    }
  });

  it('writes nothing twice: a second pass changes neither rows nor Git', async () => {
    await using world = await createWorld();
    await world.create();
    await world.converge();
    const [commits, events] = [await countCommits(world.store), (await world.events()).length];
    expect(await world.caelus.runOnce()).toEqual({ written: 0, failed: 0, flagged: 0, observed: 0 });
    expect(await countCommits(world.store)).toBe(commits);
    expect(await world.events()).toHaveLength(events);
  });
});

describe('what happens in Git behind our back', () => {
  it('reports a manual edit, writes nothing, and goes on once it is undone', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    const { values } = world.places(id);
    const original = (await world.readText(values)) as string;
    await world.editByHand(values, 'title: hacked\n');
    const report = await world.caelus.runOnce();
    expect(report.flagged).toBe(1);
    expect(await world.readText(values)).toBe('title: hacked\n');
    expect((await world.repository.findDrift(id))?.kind).toBe('manual-edit');
    expect(await world.caelus.settled(id)).toMatchObject({ outcome: 'blocked', reason: 'manual-edit' });
    await world.editByHand(values, original);
    await world.converge();
    expect(await world.repository.findDrift(id)).toBeUndefined();
    const types = (await world.events()).map(({ type }) => type);
    expect(types.filter((type) => type.startsWith('drift'))).toEqual(['drift-detected', 'drift-resolved']);
  });

  it('runs again after an edit that is undone while Argo CD is syncing it', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    const { values } = world.places(id);
    const original = (await world.readText(values)) as string;
    await world.editByHand(values, 'title: hacked\n');
    const isSyncing = async () => (await world.caelus.instances.get(id)).statusReason === 'Syncing';
    while (!(await isSyncing()) && (await world.argoCd.reconcile())) await world.caelus.runOnce();
    expect(await isSyncing()).toBe(true);
    await world.editByHand(values, original);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', syncStatus: 'Synced' });
  });

  it('repairs a manual edit where the policy says so', async () => {
    await using world = await createWorld({ driftPolicy: { manualEdit: 'repair' } });
    const { id } = await world.create();
    await world.converge();
    const { values } = world.places(id);
    const original = await world.readText(values);
    await world.editByHand(values, 'title: hacked\n');
    await world.converge();
    expect(await world.readText(values)).toBe(original);
  });

  it('restores a directory that was removed by hand', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    const tree = await (await world.store.snapshot()).readTree(world.places(id).directory);
    for (const path of tree.keys()) await world.editByHand(path, null);
    await world.converge();
    expect(await (await world.store.snapshot()).readTree(world.places(id).directory)).toEqual(tree);
  });

  it('flags its own directory without a row, and leaves a foreign one alone', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    await using other = await createWorld({
      store: world.store,
      repository: createMemoryRepository({ storeId: parseStoreId('33333333-3333-4333-8333-333333333333') }),
    });
    await expect(other.caelus.runOnce()).rejects.toMatchObject({ code: 'STORE_FOREIGN' });

    const text = (await world.readText(world.places(id).marker)) as string;
    const orphan = '11111111-1111-4111-8111-111111111111' as InstanceId;
    await world.editByHand(world.places(orphan).marker, text.replaceAll(id, orphan));
    const foreign = '22222222-2222-4222-8222-222222222222' as InstanceId;
    const storeId = world.repository.storeId;
    await world.editByHand(world.places(foreign).marker, text.replaceAll(id, foreign).replaceAll(storeId, foreign));
    await world.converge();
    expect((await world.repository.findDrift(orphan))?.kind).toBe('orphan');
    expect(await world.repository.findDrift(foreign)).toBeUndefined();
    expect(await world.readText(world.places(foreign).marker)).toBeDefined();
  });

  it('never writes over what a lost database wrote', async () => {
    await using world = await createWorld();
    const { id } = await world.create();
    await world.converge();
    const text = (await world.readText(world.places(id).marker)) as string;
    const { changeId } = await world.caelus.instances.get(id);
    const lost = '99999999-9999-4999-8999-999999999999';
    await world.editByHand(
      world.places(id).marker,
      text.replace(changeId, lost).replace('generation: 1', 'generation: 7'),
    );
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    const report = await world.caelus.runOnce();
    expect(report).toMatchObject({ written: 0, flagged: 1 });
    expect((await marker(world, id))?.changeId).toBe(lost);
    expect((await world.repository.findDrift(id))?.kind).toBe('database-behind');
  });
});

describe('what goes wrong in the cluster', () => {
  it.each([
    [{ kind: 'comparison', message: 'values do not meet the schema of the chart' } as const, 'ComparisonError'],
    [{ kind: 'sync', message: 'Deployment.apps "wiki" is invalid' } as const, 'SyncFailed'],
    [{ kind: 'degraded', message: 'container crashes' } as const, 'Degraded'],
  ])('is told, and recovers: %o', async (failure, reason) => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    world.argoCd.setFailure(argoAppName, failure);
    await world.converge();
    const failed = await world.caelus.settled(id);
    expect(failed).toMatchObject({ outcome: 'failed', reason, message: failure.message });
    world.argoCd.setFailure(argoAppName, null);
    await world.caelus.instances.update(id, { values: { replicas: 2 } });
    await world.converge();
    expect(await world.caelus.settled(id)).toMatchObject({ outcome: 'running', message: null });
  });

  it('ends a sync that would block a deletion', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    world.argoCd.setFailure(argoAppName, { kind: 'endless-sync' });
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ statusReason: 'Syncing' });
    await world.caelus.instances.delete(id);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted' });
  });

  it('keeps the directory while a deletion is stuck', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.createStuck();
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleting' });
    expect(await marker(world, id)).toBeDefined();
    world.argoCd.setFailure(argoAppName, null);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted' });
  });
});

describe('two engines on one database and one branch', () => {
  it('lose and double nothing', async () => {
    await using world = await createWorld();
    const engines = [world.caelus, createCaelus(world.options), createCaelus(world.options)];
    const ids = await Promise.all(Array.from({ length: 30 }, () => world.create().then(({ id }) => id)));
    await Promise.all(engines.map((engine) => engine.runOnce()));
    await Promise.all(ids.map((id, index) => engines[index % 3]?.instances.update(id, { values: { replicas: 2 } })));
    await Promise.all(engines.map((engine) => engine.runOnce()));
    await world.converge();
    for (const id of ids) expect(await marker(world, id)).toMatchObject({ generation: 2, userValues: { replicas: 2 } });
    const changes: string[] = [];
    for await (const { trailers } of world.store.log()) {
      changes.push(...trailers.filter(({ key }) => key === 'Caelus-Change').map(({ value }) => value));
    }
    expect(new Set(changes).size).toBe(changes.length);
    expect(await world.readText(REPOSITORY_FILES.root)).toBeDefined();
  });
});
