import { type Instance, type Product, parseTier, type TemplateVersion } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

let stack: LiveStack;
let product: Product;
let version: TemplateVersion;

beforeAll(async () => {
  const tiers = [parseTier({ name: 'stable' }), parseTier({ name: 'still', selfHeal: false })];
  stack = await openLiveStack({ tiers });
  product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  version = await stack.publish(product, storyChart('wiki', '1.0.0'));
});
afterAll(() => stack?.[Symbol.asyncDispose]());

async function createRunning(tier: string): Promise<Instance> {
  const input = { productId: product.id, templateVersionId: version.id, tenant: 'acme', tier };
  const instance = await stack.caelus.instances.create(input);
  expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
  return instance;
}

const edit = ({ namespace }: Instance, message: string) => {
  const patch = `--patch=${JSON.stringify({ data: { message } })}`;
  return stack.kubectl(['patch', 'configmap', 'web', `--namespace=${namespace}`, '--type=merge', patch]);
};

describe('what somebody changes in the cluster', () => {
  it('is as Git says again where the tier heals itself', async () => {
    const instance = await createRunning('stable');
    const { id, namespace } = instance;
    const before = await stack.find('deployment', 'web', namespace);
    await edit(instance, 'edited');
    await stack.kubectl(['delete', 'deployment', 'web', `--namespace=${namespace}`]);
    await stack.until('the edit is undone', async () => {
      const found = await stack.find('configmap', 'web', namespace);
      return found?.data.message === 'hello';
    });
    await stack.until('what was deleted is back', async () => {
      const found = await stack.find('deployment', 'web', namespace);
      return found !== undefined && found.metadata.uid !== before?.metadata.uid;
    });
    await stack.until('it runs', async () => {
      const { status, syncStatus } = await stack.caelus.instances.get(id);
      return status === 'Running' && syncStatus === 'Synced';
    });
  });

  it('is reported with its name where the tier does not, and stays until somebody syncs', async () => {
    const { instances } = stack.caelus;
    const instance = await createRunning('still');
    const { id, namespace } = instance;
    await edit(instance, 'edited');
    const blocked = await stack.until('it is reported', async () => {
      // A sync that Argo CD was still about to make undoes the edit once.
      const found = await stack.find('configmap', 'web', namespace);
      if (found?.data.message !== 'edited') await edit(instance, 'edited');
      await instances.refresh(id);
      const row = await instances.get(id);
      return row.statusReason === 'NeedsSync' ? row : undefined;
    });
    const message = `ConfigMap ${namespace}/web differs.`;
    expect(blocked).toMatchObject({ status: 'Pending', syncStatus: 'OutOfSync', lastError: message });
    expect(await stack.settled(blocked)).toMatchObject({ outcome: 'blocked', reason: 'NeedsSync', message });
    const differing = (await instances.resources(id)).filter(({ syncStatus }) => syncStatus !== 'Synced');
    expect(differing).toMatchObject([{ kind: 'ConfigMap', namespace, name: 'web', syncStatus: 'OutOfSync' }]);
    expect((await stack.find('configmap', 'web', namespace))?.data.message).toBe('edited');
    await instances.sync(id);
    await stack.until('it is undone', async () => {
      const found = await stack.find('configmap', 'web', namespace);
      return found?.data.message === 'hello';
    });
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
  });
});
