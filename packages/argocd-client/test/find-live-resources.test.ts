import { LIVE_RESOURCES_LIMIT } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { createArgoCdClient, createArgoCdStatusSource } from '../src/index.ts';
import { createFakeArgoCd, type FakeArgoCd } from './fake-argo-cd.ts';

const node = (name: string, more: object = {}) => ({
  version: 'v1',
  kind: 'ConfigMap',
  namespace: 'wiki',
  name,
  ...more,
});
const held = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold'] } };

function find(fake: FakeArgoCd, name = 'one') {
  const client = createArgoCdClient({ baseUrl: fake.url, token: fake.token, retries: 0 });
  return createArgoCdStatusSource({ client, projects: ['caelus-stable'] }).findLiveResources(name);
}

describe('the live resources of an Application', () => {
  it('are read one by one: what is gone is left out, and what is denied says so', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    fake.tree.push(
      { node: node('data'), manifest: held },
      { node: node('gone') },
      { node: node('key', { kind: 'Secret' }), manifest: 'denied' },
      { node: { group: 'apps', version: 'v1', kind: 'Deployment', name: 'cluster-wide' }, manifest: { metadata: {} } },
    );
    expect(await find(fake)).toEqual([
      { group: '', kind: 'ConfigMap', namespace: 'wiki', name: 'data', object: held },
      { group: '', kind: 'Secret', namespace: 'wiki', name: 'key', object: null },
      { group: 'apps', kind: 'Deployment', namespace: null, name: 'cluster-wide', object: { metadata: {} } },
    ]);
    const asked = fake.requests.find(({ path }) => path.endsWith('/resource'));
    expect(Object.fromEntries(asked?.query ?? [])).toEqual({
      project: 'caelus-stable',
      group: '',
      version: 'v1',
      kind: 'ConfigMap',
      namespace: 'wiki',
      resourceName: 'data',
    });
  });

  it('are read up to the limit, those first that the Application made itself', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    fake.tree.push({ node: node('child', { parentRefs: [{ kind: 'ConfigMap' }] }), manifest: held });
    for (let index = 0; index < LIVE_RESOURCES_LIMIT - 1; index++) {
      fake.tree.push({ node: node(`own-${index}`), manifest: held });
    }
    expect((await find(fake)).at(-1)?.name).toBe('child');
    fake.tree.push({ node: node('one-more'), manifest: held });
    const found = await find(fake);
    expect(found).toHaveLength(LIVE_RESOURCES_LIMIT);
    expect(found.map(({ name }) => name)).not.toContain('child');
  });

  it('are none where there is no such Application, and an error where Argo CD is away', async () => {
    await using fake = await createFakeArgoCd();
    expect(await find(fake, 'none')).toEqual([]);
    fake.put({ name: 'one' });
    fake.tree.push({ node: node('data'), manifest: held });
    fake.intercept = ({ path }, response) => {
      if (!path.endsWith('/resource')) return false;
      response.writeHead(503).end();
      return true;
    };
    await expect(find(fake)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
