import type { Instance, Product, RepoPath, TemplateCapabilities, TemplateVersion } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusKind } from './live-host.ts';
import { type ChartPlace, type LiveStack, openLiveStack } from './live-stack.ts';
import { configMap, storyChart } from './story-chart.ts';

/** One way to bring a chart into an instance. */
interface Way {
  readonly place: ChartPlace;
  readonly capabilities?: TemplateCapabilities;
}

const WAYS: Readonly<Record<string, Way>> = {
  'a Helm repository': { place: 'helm' },
  'an OCI registry': { place: 'oci' },
  'the GitOps repository': { place: 'git' },
  'a Helm repository, through the overlay': { place: 'helm', capabilities: { kustomize: true } },
  'the GitOps repository, through the overlay': { place: 'git', capabilities: { kustomize: true } },
};

interface Story {
  readonly way: string;
  readonly product: Product;
  readonly v1: TemplateVersion;
  readonly v2: TemplateVersion;
  instance: Instance;
}

const KINDS: readonly StatusKind[] = ['the Kubernetes API', 'Argo CD’s API'];

// In the order of an instance's life; each test goes on from the one before, with the instances of all ways side by side.
describe.each(KINDS)('instances, followed by %s', (status) => {
  let stack: LiveStack;
  let stories: readonly Story[];

  beforeAll(async () => {
    stack = await openLiveStack({ status });
    const first = storyChart('life', '1.0.0', { 'templates/former.yaml': configMap('former') });
    const second = storyChart('life', '2.0.0', { 'templates/latter.yaml': configMap('latter') });
    const prepared: Story[] = [];
    for (const [index, [way, { place, capabilities }]] of Object.entries(WAYS).entries()) {
      const product = await stack.caelus.products.create({ slug: `life-${index}`, name: way });
      const [chart1, chart2] = [await stack.publishChart(place, first), await stack.publishChart(place, second)];
      const v1 = await stack.publish(product, first, { chart: chart1, capabilities });
      const v2 = await stack.publish(product, second, { chart: chart2, capabilities });
      prepared.push({ way, product, v1, v2, instance: undefined as never });
    }
    stories = prepared;
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const each = (step: (story: Story) => Promise<void>) => Promise.all(stories.map(step));

  /** Waits until it runs, and says what the row then says. */
  async function runs(story: Story, generation: number, version: TemplateVersion): Promise<void> {
    const { outcome, instance, reason, message } = await stack.settled(story.instance);
    expect({ outcome, reason, message }, story.way).toEqual({ outcome: 'running', reason: 'Running', message: null });
    expect(instance, story.way).toMatchObject({
      status: 'Running',
      syncStatus: 'Synced',
      healthStatus: 'Healthy',
      generation,
      observedGeneration: generation,
      desiredTemplateVersionId: version.id,
      appliedTemplateVersionId: version.id,
      lastError: null,
    });
    // Argo CD knows seconds.
    const before = Math.floor(Date.parse(story.instance.updatedAt) / 1000) * 1000;
    expect(Date.parse(instance.lastSyncedAt ?? ''), story.way).toBeGreaterThanOrEqual(before);
    story.instance = instance;
  }

  const settings = async ({ instance }: Story) => (await stack.find('configmap', 'web', instance.namespace))?.data;
  const namesOf = async (kind: string, { instance }: Story) =>
    (await stack.list(kind, instance.namespace)).map(({ metadata }) => metadata.name);
  const workload = async ({ instance }: Story) => {
    const found = await stack.find('deployment', 'web', instance.namespace);
    return { image: found?.spec.template.spec.containers[0].image, ready: found?.status.readyReplicas };
  };

  it('come to run', async () => {
    await each(async (story) => {
      const { product, v1 } = story;
      story.instance = await stack.caelus.instances.create({
        productId: product.id,
        templateVersionId: v1.id,
        tenant: 'acme',
        values: { message: 'of the user' },
      });
      expect(story.instance.status).toBe('Pending');
      await runs(story, 1, v1);
      expect(await settings(story), story.way).toEqual({ message: 'of the user', version: '1.0.0' });
      expect(await workload(story), story.way).toEqual({ image: 'example.com/web:1.0.0', ready: 1 });
      expect(await namesOf('configmap', story), story.way).toContain('former');
      const namespace = await stack.find('namespace', story.instance.namespace);
      expect(namespace?.metadata.labels, story.way).toMatchObject({ 'caelus.dev/instance': story.instance.id });
    });
  });

  it('take new values', async () => {
    await each(async (story) => {
      story.instance = await stack.caelus.instances.update(story.instance.id, {
        values: { message: 'changed', replicas: 2 },
      });
      await runs(story, 2, story.v1);
      expect(await settings(story), story.way).toMatchObject({ message: 'changed' });
      expect(await workload(story), story.way).toEqual({ image: 'example.com/web:1.0.0', ready: 2 });
    });
  });

  it('are upgraded, and lose what the new version of the chart has not', async () => {
    await each(async (story) => {
      story.instance = await stack.caelus.instances.upgrade(story.instance.id, { templateVersionId: story.v2.id });
      await runs(story, 3, story.v2);
      expect(await settings(story), story.way).toEqual({ message: 'changed', version: '2.0.0' });
      expect(await workload(story), story.way).toEqual({ image: 'example.com/web:2.0.0', ready: 2 });
      const names = await namesOf('configmap', story);
      expect(names, story.way).toContain('latter');
      expect(names, story.way).not.toContain('former');
    });
  });

  it('go, with all that they had', async () => {
    await each(async (story) => {
      story.instance = await stack.caelus.instances.delete(story.instance.id);
      expect(story.instance.status).toBe('Deleting');
      const { outcome, instance } = await stack.settled(story.instance);
      expect(outcome, story.way).toBe('deleted');
      expect(instance, story.way).toMatchObject({ status: 'Deleted', syncStatus: null, healthStatus: null });
      // A moment later is too late: who hears that an instance is gone may make one of the same names.
      expect(await stack.find('namespace', instance.namespace), story.way).toBeUndefined();
      expect(await stack.find('application', instance.argoAppName, 'argocd'), story.way).toBeUndefined();
    });
    const snapshot = await stack.store.snapshot();
    const left = async (path: string) => (await snapshot.listDirectory(path as RepoPath)).map(({ name }) => name);
    expect(await left('instances')).toEqual([]);
    expect(await left('argo-cd/applications')).toEqual(['.gitkeep']);
  });
});
