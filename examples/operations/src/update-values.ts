import assert from 'node:assert/strict';
import { isCaelusError } from '@caelus/core';
import { startHost } from './host.ts';

/** A user changes a setting. What would happen can be shown first, and who saw an old state is refused. */
export async function updateValues(): Promise<string> {
  await using host = await startHost();
  const { caelus } = host;
  const { id, generation, gitPath } = await host.createRunning('acme', 'Team wiki');
  const changes = { values: { title: 'Team wiki', replicas: 3 } };

  const plan = await caelus.instances.planUpdate(id, changes);
  assert.deepEqual(
    plan.files.map(({ path, action }) => `${action} ${path}`),
    [`modify ${gitPath}/instance.yaml`, `modify ${gitPath}/values.yaml`],
  );

  const updated = await caelus.instances.update(id, changes, { expectedGeneration: generation });
  assert.equal(updated.generation, generation + 1);
  const { outcome, instance } = await caelus.settled(id, { generation: updated.generation });
  assert.equal(outcome, 'running');
  assert.equal(instance.observedGeneration, updated.generation);
  assert.match((await host.readFile(`${gitPath}/values.yaml`)) ?? '', /^replicas: 3$/m);

  // Somebody else still looks at the old state.
  await assert.rejects(caelus.instances.update(id, { values: {} }, { expectedGeneration: generation }), (error) =>
    isCaelusError(error, 'GENERATION_STALE'),
  );
  return `update-values: ${plan.files.length} files modified, generation ${instance.generation} is ${instance.status}`;
}
