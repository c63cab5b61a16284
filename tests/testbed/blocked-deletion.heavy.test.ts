import type { Product } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HANGING_HOOK, hookJob } from './hook-jobs.ts';
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

  it('says which hook fails, and is over once an administrator lets go', async () => {
    const { instances } = stack.caelus;
    const hook = { 'templates/backup.yaml': hookJob('backup', 'pre-delete', 'degraded') };
    const options = { capabilities: { deleteHooks: ['pre-delete' as const] } };
    const { id: templateVersionId } = await stack.publish(product, storyChart('hooked', '1.2.0', hook), options);
    const create = () => instances.create({ productId: product.id, templateVersionId, tenant: 'acme' });
    // Argo CD now and then takes a hook that it has made anew for one that is done, and goes on with that deletion.
    const all = await Promise.all(Array.from({ length: 5 }, create));
    for (const instance of all) expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
    for (const { id } of all) await instances.delete(id);
    await stack.until('a hook is named', async () => {
      const found = await Promise.all(all.map(({ id }) => instances.get(id)));
      return found.some(
        ({ statusReason, lastError, namespace }) =>
          statusReason === 'DeletionBlocked' && lastError?.includes(`hook(s) failed: ${namespace}/backup`),
      );
    });
    const patch = ['--type=merge', '--patch={"metadata":{"finalizers":null}}'];
    for (const { metadata } of await stack.list('application', 'argocd')) {
      if (all.every(({ argoAppName }) => argoAppName !== metadata.name)) continue;
      await stack.kubectl(['patch', 'application', metadata.name, '--namespace=argocd', ...patch]).catch(() => {});
    }
    await stack.until('all are gone', async () => {
      const found = await Promise.all(all.map(({ id }) => instances.get(id)));
      return found.every(({ status }) => status === 'Deleted');
    });
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
