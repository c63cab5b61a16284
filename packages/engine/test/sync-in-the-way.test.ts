import type { Application, StatusSource } from '@caelus/core';
import { expect, it } from 'vitest';
import { createCaelus } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

/** A sync that has failed, as Argo CD shows it between two tries. */
const WAITING: Application['status'] = {
  operationState: { phase: 'Running', message: 'Retrying attempt #3', finishedAt: '2026-01-01T00:00:00Z' },
};
/** One that is being carried out. */
const SYNCING: Application['status'] = { operationState: { phase: 'Running' } };

/** An instance whose sync the cluster has refused, and Caelus with a status source that tells what it was asked to end. */
async function openRefused(world: World, status: Application['status']) {
  const ended: string[] = [];
  const source: StatusSource = {
    ...world.argoCd,
    get: async (name) => {
      const application = await world.argoCd.get(name);
      return application && { ...application, status };
    },
    control: {
      ...world.argoCd.control,
      async terminateOperation(name) {
        ended.push(name);
      },
    },
  };
  const instance = await world.create();
  world.argoCd.setFailure(instance.argoAppName, { kind: 'sync', message: 'refused' });
  await world.converge();
  return { instance, ended, caelus: createCaelus({ ...world.options, status: source }) };
}

it('ends a sync that waits for its next try, so that the fix of it is taken up at once', async () => {
  await using world = await createWorld();
  const { instance, ended, caelus } = await openRefused(world, WAITING);
  await caelus.runOnce();
  expect(ended).toEqual([]);
  await caelus.instances.update(instance.id, { values: { title: 'mended' } });
  await caelus.runOnce();
  expect(ended).toEqual([instance.argoAppName]);
});

it('lets a sync that runs come to its end, and asks for none where nothing was wrong', async () => {
  await using world = await createWorld();
  const { instance, ended, caelus } = await openRefused(world, SYNCING);
  const { id } = await world.create();
  await world.converge();
  await caelus.instances.update(instance.id, { values: { title: 'mended' } });
  await caelus.instances.update(id, { values: { title: 'other' } });
  await caelus.runOnce();
  expect(ended).toEqual([]);
});
