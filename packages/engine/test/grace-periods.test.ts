import type { StatusSource } from '@caelus/core';
import { expect, it } from 'vitest';
import { createCaelus, systemClock } from '../src/index.ts';
import { createWorld } from './world.ts';

const HOUR = 3_600_000;

it('tells of what has lasted longer than its grace, though Argo CD says nothing more', async () => {
  await using world = await createWorld({ timings: { relist: 2 ** 30, grace: HOUR } });
  const { argoCd, clock } = world;
  let hasSeenAll = false;
  const status: StatusSource = {
    ...argoCd,
    async *watch(options) {
      for await (const event of argoCd.watch(options)) {
        yield event;
        hasSeenAll ||= event.type === 'synced';
      }
    },
  };
  const caelus = createCaelus({ ...world.options, status });
  const { id, argoAppName } = await world.create();
  argoCd.setFailure(argoAppName, { kind: 'degraded', message: 'crash loop' });
  await world.converge();
  await using _ = caelus.start({ projector: false, sweeper: false });
  const signal = AbortSignal.timeout(20_000);
  while (!hasSeenAll) await systemClock.sleep(5, { signal });
  expect(await caelus.instances.get(id)).toMatchObject({ status: 'Pending', statusReason: 'Degraded' });
  clock.advance(HOUR);
  while ((await caelus.instances.get(id)).status !== 'Failed') await systemClock.sleep(5, { signal });
});
