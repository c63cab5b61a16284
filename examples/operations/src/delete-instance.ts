import assert from 'node:assert/strict';
import { isCaelusError } from '@caelus/core';
import { startHost } from './host.ts';

/** An instance is deleted in two phases: its Application first; its files only once the cluster has let go of it. */
export async function deleteInstance(): Promise<string> {
  await using host = await startHost();
  const { caelus } = host;
  const { id, gitPath } = await host.createRunning('acme', 'Team wiki');

  const accepted = await caelus.instances.delete(id);
  assert.equal(accepted.status, 'Deleting');

  const { outcome, instance } = await caelus.settled(id);
  assert.equal(outcome, 'deleted');
  assert.equal(instance.status, 'Deleted');
  assert.equal(await host.readFile(`argo-cd/applications/${id}.yaml`), undefined);
  assert.equal(await host.readFile(`${gitPath}/values.yaml`), undefined);
  // A tombstone stays, so that a database restored from an old backup does not bring the instance back.
  assert.match((await host.readFile(`.caelus/tombstones/${id}.yaml`)) ?? '', /^kind: Tombstone$/m);

  await assert.rejects(caelus.instances.update(id, { values: {} }), (error) =>
    isCaelusError(error, 'INSTANCE_DELETED'),
  );
  return `delete-instance: ${instance.status}, only the tombstone is left`;
}
