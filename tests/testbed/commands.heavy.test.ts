import { type Product, parseTier } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HANGING_HOOK } from './hook-jobs.ts';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

const ada = { name: 'Ada', email: 'ada@acme.example' };

describe.each(['the Kubernetes API', 'Argo CD’s API'] as const)('commands on an instance, by %s', (status) => {
  let stack: LiveStack;
  let product: Product;

  beforeAll(async () => {
    stack = await openLiveStack({ status, tiers: [parseTier({ name: 'still', selfHeal: false })] });
    product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const create = (templateVersionId: string, values = {}) =>
    stack.caelus.instances.create({ productId: product.id, templateVersionId, tenant: 'acme', values });
  const settings = async (namespace: string) => (await stack.find('configmap', 'web', namespace))?.data;

  it('has it compared, and synced by hand where nothing heals itself', async () => {
    const { instances } = stack.caelus;
    const version = await stack.publish(product, storyChart('wiki', '1.0.0'));
    const instance = await create(version.id);
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
    const { id, namespace } = instance;
    const patch = '--patch={"data":{"message":"edited"}}';
    await stack.kubectl(['patch', 'configmap', 'web', `--namespace=${namespace}`, '--type=merge', patch]);
    await stack.until('the change is reported', async () => {
      await instances.refresh(id, {}, { actor: ada });
      return (await instances.get(id)).statusReason === 'NeedsSync';
    });
    expect((await settings(namespace))?.message).toBe('edited');
    await instances.sync(id, {}, { actor: ada, idempotencyKey: `sync-${id}` });
    await stack.until('the change is undone', async () => (await settings(namespace))?.message === 'hello');
    expect(await stack.settled(await instances.get(id))).toMatchObject({ outcome: 'running' });
  });

  it('ends a sync that hangs', async () => {
    const { instances } = stack.caelus;
    const version = await stack.publish(product, storyChart('hanging', '1.1.0', HANGING_HOOK));
    const { id, argoAppName } = await create(version.id, { hang: true });
    await stack.until('the sync runs', async () => (await instances.get(id)).statusReason === 'Syncing');
    await instances.terminate(id, { actor: ada });
    const ended = await stack.settled(await instances.get(id));
    expect(ended).toMatchObject({ outcome: 'failed', reason: 'SyncFailed' });
    expect(ended.message).toMatch(/terminated/i);
    expect((await stack.status.get(argoAppName))?.operation ?? undefined).toBeUndefined();
    const fixed = await instances.update(id, { values: { hang: false } });
    expect(await stack.settled(fixed)).toMatchObject({ outcome: 'running' });
  });

  it('rolls it back to an earlier generation', async () => {
    const { instances } = stack.caelus;
    const chart = (version: string) => stack.publish(product, storyChart('rolled', version), { version });
    const [older, newer] = [await chart('2.0.0'), await chart('2.1.0')];
    const first = await create(older.id, { message: 'first' });
    expect(await stack.settled(first)).toMatchObject({ outcome: 'running' });
    const { id, namespace } = first;
    const second = await instances.upgrade(id, { templateVersionId: newer.id, values: { message: 'second' } });
    expect(await stack.settled(second)).toMatchObject({ outcome: 'running' });
    expect(await settings(namespace)).toMatchObject({ message: 'second', version: '2.1.0' });
    const back = await instances.rollback(id, { generation: first.generation }, { actor: ada });
    expect(back).toMatchObject({ generation: 3, desiredTemplateVersionId: older.id, userValues: { message: 'first' } });
    expect(await stack.settled(back)).toMatchObject({ outcome: 'running' });
    expect(await settings(namespace)).toMatchObject({ message: 'first', version: '2.0.0' });
  });
});
