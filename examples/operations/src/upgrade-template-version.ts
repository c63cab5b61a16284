import assert from 'node:assert/strict';
import { startHost } from './host.ts';

/** An instance moves to the product's next version, and keeps what its user has set. */
export async function upgradeTemplateVersion(): Promise<string> {
  await using host = await startHost();
  const { caelus, v1, v2 } = host;
  const { id, gitPath } = await host.createRunning('acme', 'Team wiki');

  const accepted = await caelus.instances.upgrade(id, { templateVersionId: v2.id });
  // What is asked for and what runs are two things, until the cluster has caught up.
  assert.equal(accepted.desiredTemplateVersionId, v2.id);
  assert.equal(accepted.appliedTemplateVersionId, v1.id);

  const { outcome, instance } = await caelus.settled(id, { generation: accepted.generation });
  assert.equal(outcome, 'running');
  assert.equal(instance.appliedTemplateVersionId, v2.id);
  assert.match((await host.readFile(`argo-cd/applications/${id}.yaml`)) ?? '', /targetRevision: "2\.0\.0"/);
  const values = await host.readFile(`${gitPath}/values.yaml`);
  assert.equal(values, 'image:\n  tag: "2.0.0"\nreplicas: 1\ntitle: Team wiki\n');
  return `upgrade-template-version: ${v1.version} to ${v2.version}, ${instance.status}`;
}
