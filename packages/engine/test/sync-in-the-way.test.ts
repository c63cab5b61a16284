import type { Application, StatusSource } from '@caelus/core';
import { expect, it } from 'vitest';
import { createCaelus } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

type OperationState = NonNullable<Application['status']>['operationState'];

/** A sync that has failed, as Argo CD shows it between two tries. */
const WAITING: OperationState = { phase: 'Running', message: 'refused', finishedAt: '2026-01-01T00:00:00Z' };
/** One that is being carried out. */
const SYNCING: OperationState = { phase: 'Running', message: 'one or more tasks are running', finishedAt: undefined };

const withOperation = (operation: OperationState) => (application: Application) => ({
  ...application,
  status: { ...application.status, operationState: { ...application.status?.operationState, ...operation } },
});

/** Caelus with a status source that shows Applications as `show` says, and tells what was asked of them. */
function watched(world: World, show: (application: Application) => Application) {
  const asked: string[] = [];
  const { argoCd } = world;
  const ask = (what: string) => async (name: string) => void asked.push(`${what} ${name}`);
  const source: StatusSource = {
    ...argoCd,
    get: async (name) => {
      const application = await argoCd.get(name);
      return application && show(application);
    },
    async *list(options) {
      for await (const application of argoCd.list(options)) yield show(application);
    },
    control: { refresh: ask('refresh'), sync: ask('sync'), terminateOperation: ask('terminate') },
  };
  return { asked, caelus: createCaelus({ ...world.options, status: source }) };
}

/** An instance whose sync the cluster has refused. */
async function createRefused(world: World) {
  const instance = await world.create();
  world.argoCd.setFailure(instance.argoAppName, { kind: 'sync', message: 'refused' });
  await world.converge();
  return instance;
}

it('ends a sync that waits for its next try, so that the fix of it is taken up at once', async () => {
  await using world = await createWorld();
  const { id, argoAppName } = await createRefused(world);
  const { asked, caelus } = watched(world, withOperation(WAITING));
  await caelus.runOnce();
  expect(asked).toEqual([]);
  await world.caelus.instances.update(id, { values: { title: 'mended' } });
  await caelus.runOnce();
  expect(asked).toEqual([`terminate ${argoAppName}`]);
});

it('lets a sync that runs come to its end, and asks for none where nothing was wrong', async () => {
  await using world = await createWorld();
  const refused = await createRefused(world);
  const { id } = await world.create();
  await world.converge();
  const { asked, caelus } = watched(world, withOperation(SYNCING));
  await caelus.instances.update(refused.id, { values: { title: 'mended' } });
  await caelus.instances.update(id, { values: { title: 'other' } });
  await caelus.runOnce();
  expect(asked).toEqual([]);
});

it('starts the sync that Argo CD skips, because one of an older commit has failed', async () => {
  await using world = await createWorld();
  const { id, argoAppName } = await createRefused(world);
  const before = (await world.argoCd.get(argoAppName))?.status?.operationState;
  await world.caelus.instances.update(id, { values: { title: 'mended' } });
  await world.converge();
  const message = 'Failed last sync attempt to [x]: refused';
  const { asked, caelus } = watched(world, (application) => ({
    ...application,
    status: { ...application.status, conditions: [{ type: 'SyncError', message }], operationState: before },
  }));
  expect(await caelus.observe(argoAppName)).toBe(true);
  expect(asked).toEqual([`sync ${argoAppName}`]);
  expect(await caelus.instances.get(id)).toMatchObject({ status: 'Pending', statusReason: 'OutOfSync' });
});

it.each([
  { message: 'namespaces "x" not found', isTriedAgain: true },
  { message: 'error executing pre-delete hooks: PreDelete hook(s) failed: x/backup', isTriedAgain: false },
])(
  'has a deletion that has failed tried again, unless Argo CD does so by itself: $message',
  async ({ message, isTriedAgain }) => {
    await using world = await createWorld();
    const { argoAppName } = await world.createStuck();
    await world.converge();
    const conditions = [{ type: 'DeletionError', message }];
    const { asked, caelus } = watched(world, ({ status, ...application }) => ({
      ...application,
      status: { ...status, conditions },
    }));
    await caelus.runOnce();
    expect(asked).toEqual(isTriedAgain ? [`refresh ${argoAppName}`] : []);
  },
);
