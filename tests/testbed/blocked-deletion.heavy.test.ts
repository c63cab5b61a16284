import type { Product } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HANGING_HOOK } from './hanging-hook.ts';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

const HOLD = 'example.com/hold';

describe.each([
  { status: 'Argo CD’s API', says: `waits for its finalizer ${HOLD}` },
  // Bootstrap gives no right to read what users run.
  { status: 'the Kubernetes API', says: 'is still there, and Caelus may not read why' },
] as const)('a deletion that is held up, by $status', ({ status, says }) => {
  let stack: LiveStack;
  let product: Product;

  beforeAll(async () => {
    stack = await openLiveStack({ status, timings: { grace: 5_000, deletion: 1_000 } });
    product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('says what holds it, and goes on once that lets go', async () => {
    const { instances } = stack.caelus;
    const version = await stack.publish(product, storyChart('wiki', '1.0.0'));
    const instance = await instances.create({ productId: product.id, templateVersionId: version.id, tenant: 'acme' });
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
    const { id, namespace } = instance;
    const patchFinalizers = (finalizers: readonly string[]) => {
      const patch = `--patch=${JSON.stringify({ metadata: { finalizers } })}`;
      return stack.kubectl(['patch', 'configmap', 'web', `--namespace=${namespace}`, '--type=merge', patch]);
    };
    await patchFinalizers([HOLD]);
    const deleting = await instances.delete(id);
    const blocked = await stack.settled(deleting);
    expect(blocked).toMatchObject({ outcome: 'blocked', reason: 'DeletionBlocked' });
    expect(blocked.message).toContain(`ConfigMap ${namespace}/web ${says}`);
    expect(blocked.instance.status).toBe('Deleting');
    await patchFinalizers([]);
    await stack.until('it is gone', async () => (await instances.get(id)).status === 'Deleted');
    expect(await stack.settled(deleting)).toMatchObject({ outcome: 'deleted', message: null });
    expect(await stack.find('namespace', namespace)).toBeUndefined();
  });

  it('is not held by a sync that hangs', async () => {
    const { instances } = stack.caelus;
    const { id: templateVersionId } = await stack.publish(product, storyChart('hanging', '1.1.0', HANGING_HOOK));
    const values = { hang: true };
    const { id } = await instances.create({ productId: product.id, templateVersionId, tenant: 'acme', values });
    await stack.until('the sync runs', async () => (await instances.get(id)).statusReason === 'Syncing');
    await instances.delete(id);
    await stack.until('it is gone', async () => (await instances.get(id)).status === 'Deleted');
  });
});
