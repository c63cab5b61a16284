import { parseTier, type StatusSource } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createCaelus } from '../src/index.ts';
import { createWorld } from './world.ts';

const HELD = /^Namespace \S+ waits for its finalizer example\.com\/hold\.$/;

async function createStuck() {
  const world = await createWorld();
  const { id, argoAppName } = await world.createStuck();
  return { world, id, argoAppName };
}

describe('a deletion that is held up', () => {
  it('is reported once it lasts, with what holds it, and goes on once that is gone', async () => {
    const { world, id, argoAppName } = await createStuck();
    await using _ = world;
    await world.caelus.runOnce();
    await world.argoCd.reconcile();
    await world.caelus.runOnce();
    expect(await world.caelus.instances.get(id)).toMatchObject({ statusReason: 'Deleting', lastError: null });
    await world.converge();
    const row = await world.caelus.instances.get(id);
    expect(row).toMatchObject({ status: 'Deleting', statusReason: 'DeletionBlocked' });
    expect(row.lastError).toMatch(HELD);
    const settlement = await world.caelus.settled(id, { signal: AbortSignal.timeout(10_000) });
    expect(settlement).toMatchObject({ outcome: 'blocked', reason: 'DeletionBlocked', message: row.lastError });
    const changes = (await world.events()).flatMap(({ type, data }) =>
      type === 'instance-status-changed' && data.reason === 'DeletionBlocked' ? [data.to] : [],
    );
    expect(changes).toEqual(['Deleting']);

    world.argoCd.setFailure(argoAppName, null);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Deleted', lastError: null });
    expect((await world.caelus.settled(id)).outcome).toBe('deleted');
  });

  it('does not keep a pass from its end, however soon it is looked at again', async () => {
    const { world, id } = await createStuck();
    await using _ = world;
    // As a machine that takes longer for each step than a deletion waits.
    const clock = {
      ...world.clock,
      now() {
        world.clock.advance(2);
        return world.clock.now();
      },
    };
    let looks = 0;
    const telemetry = { onOperationStart: ({ name }: { name: string }) => void (name === 'batch-project' && looks++) };
    const caelus = createCaelus({ ...world.options, clock, telemetry, timings: { deletion: 1 } });
    await caelus.runOnce({ signal: AbortSignal.timeout(20_000) });
    expect(looks).toBe(2);
    expect((await caelus.instances.get(id)).status).toBe('Deleting');
  });

  it('is reported by a worker that nothing tells anything', async () => {
    const { world, id } = await createStuck();
    await using _ = world;
    await using _worker = world.caelus.start();
    const timer = setInterval(() => {
      void world.argoCd.reconcile();
      world.clock.advance(5_000);
    }, 5);
    try {
      const { outcome, message } = await world.caelus.settled(id, { signal: AbortSignal.timeout(20_000) });
      expect(outcome).toBe('blocked');
      expect(message).toMatch(HELD);
    } finally {
      clearInterval(timer);
    }
  });

  it('is no more reported once nothing is known to be in the way', async () => {
    const { world, id, argoAppName } = await createStuck();
    await using _ = world;
    await world.converge();
    // To a source that cannot look into the cluster, nothing is in the way.
    const { findLiveResources: _none, ...status } = world.argoCd;
    const caelus = createCaelus({ ...world.options, status: status as StatusSource });
    await caelus.runOnce();
    expect(await caelus.instances.get(id)).toMatchObject({ statusReason: 'Deleting', lastError: null });
    expect(await world.argoCd.get(argoAppName)).toBeDefined();
  });

  it('is not looked into before it lasts, nor where nothing is being deleted', async () => {
    await using world = await createWorld();
    const asked: string[] = [];
    const status: StatusSource = {
      ...world.argoCd,
      findLiveResources: async (name) => {
        asked.push(name);
        throw new Error('The cluster is away.');
      },
    };
    const caelus = createCaelus({ ...world.options, status });
    const { id, argoAppName } = await world.create();
    await world.converge();
    await caelus.runOnce();
    world.argoCd.setFailure(argoAppName, { kind: 'stuck-deletion' });
    await caelus.instances.delete(id);
    await caelus.runOnce();
    await world.argoCd.reconcile();
    world.clock.advance(29_999);
    await caelus.runOnce();
    expect(asked).toEqual([]);
    world.clock.advance(1);
    // What cannot be read is no reason for the pass to fail.
    await caelus.runOnce();
    expect(asked).toEqual([argoAppName]);
    expect(await caelus.instances.get(id)).toMatchObject({ status: 'Deleting', statusReason: 'Deleting' });
  });
});

describe('a change in the cluster', () => {
  it('is named where nobody undoes it, and listed for those who ask', async () => {
    await using world = await createWorld({ tiers: [parseTier({ name: 'still', selfHeal: false })] });
    const { id, argoAppName, namespace } = await world.create();
    expect(await world.caelus.instances.resources(id)).toEqual([]);
    await world.converge();
    expect((await world.caelus.instances.resources(id)).map(({ syncStatus }) => syncStatus)).toContain('Synced');
    world.argoCd.changeInCluster(argoAppName, 'Namespace');
    await world.converge();
    const message = `Namespace ${namespace} differs.`;
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Pending', statusReason: 'NeedsSync' });
    const settlement = await world.caelus.settled(id, { signal: AbortSignal.timeout(10_000) });
    expect(settlement).toMatchObject({ outcome: 'blocked', reason: 'NeedsSync', message });
    const differing = (await world.caelus.instances.resources(id)).filter(({ syncStatus }) => syncStatus !== 'Synced');
    expect(differing).toMatchObject([{ kind: 'Namespace', name: namespace, syncStatus: 'OutOfSync' }]);
    await world.caelus.instances.sync(id);
    await world.converge();
    expect((await world.caelus.settled(id)).outcome).toBe('running');
  });

  it('goes by where Argo CD undoes it', async () => {
    await using world = await createWorld();
    const { id, argoAppName } = await world.create();
    await world.converge();
    world.argoCd.changeInCluster(argoAppName);
    await world.converge();
    expect(await world.caelus.instances.get(id)).toMatchObject({ status: 'Running', lastError: null });
  });
});
