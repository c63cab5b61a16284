import { describe, expect, it } from 'vitest';
import type { Application, ApplicationResourceStatus } from './application.ts';
import { applicationResources, describeDifferences, differingResources } from './application-resources.ts';

const withResources = (resources: readonly ApplicationResourceStatus[]): Application => ({
  metadata: { name: 'one' },
  spec: {},
  status: { resources },
});
const deployment = { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'wiki', name: 'web' };

describe('the resources of an Application', () => {
  it('are what its status lists', () => {
    const health = { status: 'Degraded', message: 'crashes' };
    const found = applicationResources(withResources([{ ...deployment, status: 'OutOfSync', health }]));
    expect(found).toEqual([
      {
        ...deployment,
        syncStatus: 'OutOfSync',
        healthStatus: 'Degraded',
        healthMessage: 'crashes',
        requiresPruning: false,
        isHook: false,
      },
    ]);
  });

  it('may say little, and none is no error', () => {
    expect(applicationResources({ metadata: { name: 'one' }, spec: {} })).toEqual([]);
    const [found] = applicationResources(withResources([{ version: 'v1', kind: 'Namespace', name: 'wiki' }]));
    expect(found).toMatchObject({ group: '', namespace: null, syncStatus: null, healthStatus: null });
  });
});

describe('what differs', () => {
  const differences = (resources: readonly ApplicationResourceStatus[]) =>
    describeDifferences(differingResources(withResources(resources)));

  it('is named with what is the matter, without what agrees and without hooks', () => {
    const text = differences([
      { ...deployment, status: 'OutOfSync' },
      { ...deployment, name: 'api', status: 'Synced' },
      { kind: 'Job', namespace: 'wiki', name: 'migrate', status: 'OutOfSync', hook: true },
      { kind: 'Namespace', name: 'wiki', status: 'OutOfSync', requiresPruning: true },
      { kind: 'Secret', namespace: 'wiki', name: 'key', status: 'OutOfSync', health: { status: 'Missing' } },
    ]);
    expect(text).toBe('Deployment wiki/web differs; Namespace wiki is to be pruned; Secret wiki/key is missing.');
    expect(differences([])).toBe('');
  });

  it('is named ten times at most', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ ...deployment, name: `web-${index}`, status: 'OutOfSync' }));
    expect(differences(many(9)).match(/differs/g)).toHaveLength(9);
    expect(differences(many(10))).toMatch(/web-9 differs\.$/);
    expect(differences(many(11))).toMatch(/web-9 differs; and 1 more\.$/);
  });
});
