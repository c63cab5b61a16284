import assert from 'node:assert/strict';
import type { InstanceId } from '@caelus/core';
import type { Caelus } from '@caelus/engine';
import { startHost } from './host.ts';

/** Somebody edits an instance's file in Git by hand. The policy says whether that is reported or repaired. */
export async function correctDrift(): Promise<string> {
  return `correct-drift: ${await report()}, ${await repair()}`;
}

/** The default: nobody's edit is overwritten. The instance is blocked until a person has decided. */
async function report(): Promise<string> {
  await using host = await startHost({ driftPolicy: { manualEdit: 'report' } });
  const { caelus } = host;
  const { id, gitPath } = await host.createRunning('acme', 'Team wiki');
  const written = (await host.readFile(`${gitPath}/values.yaml`)) ?? '';

  await host.editByHand(`${gitPath}/values.yaml`, 'title: Hacked\n');
  await eventOf(caelus, id, 'drift-detected');
  const { outcome, reason } = await caelus.settled(id);
  assert.deepEqual({ outcome, reason }, { outcome: 'blocked', reason: 'manual-edit' });
  assert.equal(await host.readFile(`${gitPath}/values.yaml`), 'title: Hacked\n');

  // The person undoes the edit, and the flag goes by itself.
  await host.editByHand(`${gitPath}/values.yaml`, written);
  await eventOf(caelus, id, 'drift-resolved');
  assert.equal((await caelus.settled(id)).outcome, 'running');
  return 'reported';
}

/** Git is Caelus's alone: the desired state is written again, in a new commit. */
async function repair(): Promise<string> {
  await using host = await startHost({ driftPolicy: { manualEdit: 'repair' } });
  const { caelus } = host;
  const { id, gitPath } = await host.createRunning('acme', 'Team wiki');
  const written = await host.readFile(`${gitPath}/values.yaml`);
  const { cursor } = await eventOf(caelus, id, 'instance-committed');

  await host.editByHand(`${gitPath}/values.yaml`, 'title: Hacked\n');
  await eventOf(caelus, id, 'instance-committed', cursor);
  assert.equal(await host.readFile(`${gitPath}/values.yaml`), written);
  return 'repaired';
}

/** Waits for the first event of a type after a cursor. */
async function eventOf(
  caelus: Caelus,
  instanceId: InstanceId,
  type: 'drift-detected' | 'drift-resolved' | 'instance-committed',
  after?: string,
): Promise<{ readonly cursor: string }> {
  for await (const event of caelus.events({ instanceId, types: [type], after })) return event;
  throw new Error(`There is no event ${type}.`);
}
