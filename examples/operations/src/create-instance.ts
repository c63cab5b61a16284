import assert from 'node:assert/strict';
import { startHost } from './host.ts';

/** A user clicks "create": a row, then files in Git, then a running instance. */
export async function createInstance(): Promise<string> {
  await using host = await startHost();
  const { caelus, v1 } = host;

  const input = { productId: v1.productId, templateVersionId: v1.id, tenant: 'acme', values: { title: 'Team wiki' } };
  const options = { actor: { name: 'Ada', email: 'ada@example.com' }, idempotencyKey: 'click-1' };
  const accepted = await caelus.instances.create(input, options);
  // The command has changed the row; Git and the cluster follow.
  assert.equal(accepted.status, 'Pending');
  assert.equal(accepted.generation, 1);
  // A second click with the same key makes no second instance.
  assert.equal((await caelus.instances.create(input, options)).id, accepted.id);

  const { outcome, instance } = await caelus.settled(accepted.id);
  assert.equal(outcome, 'running');
  assert.equal(instance.syncStatus, 'Synced');
  assert.equal(instance.healthStatus, 'Healthy');
  assert.equal(instance.appliedTemplateVersionId, v1.id);

  // The user's values over the template's, in the file that the Application names.
  const values = await host.readFile(`${instance.gitPath}/values.yaml`);
  assert.equal(values, 'image:\n  tag: "1.0.0"\nreplicas: 1\ntitle: Team wiki\n');
  assert.match((await host.readFile(`argo-cd/applications/${instance.id}.yaml`)) ?? '', /targetRevision: "1\.0\.0"/);
  return `create-instance: ${instance.status}, from ${instance.gitPath}`;
}
