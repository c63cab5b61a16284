import { LIVE_RESOURCES_LIMIT } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { APPLICATIONS, fail } from './fake-kubernetes-api.ts';
import { application, createSubject, type Subject } from './status-source-subject.ts';

const HERE = { server: 'https://kubernetes.default.svc', namespace: 'wiki' };
const configMap = (name: string) => ({ version: 'v1', kind: 'ConfigMap', namespace: 'wiki', name });

function putApplication({ api }: Subject, resources: readonly object[], destination: object = HERE): void {
  const spec = { project: 'caelus-stable', destination };
  api.objects.put(`${APPLICATIONS}/one`, application('one', 'a', { spec, status: { resources } }));
}
function putConfigMap({ api }: Subject, name: string): void {
  const metadata = { name, namespace: 'wiki', finalizers: ['example.com/hold'] };
  api.objects.put(`/api/v1/namespaces/wiki/configmaps/${name}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
}

describe('the live resources of an Application', () => {
  it('are those of its status that are still there, and what may not be read says so', async () => {
    await using subject = await createSubject();
    putConfigMap(subject, 'data');
    subject.api.forbidden.add('get secrets');
    putApplication(subject, [
      configMap('data'),
      configMap('gone'),
      { version: 'v1', kind: 'Secret', namespace: 'wiki', name: 'key' },
      // Its definition went first.
      { group: 'example.com', version: 'v1', kind: 'Widget', namespace: 'wiki', name: 'w' },
    ]);
    const found = await subject.source.findLiveResources('one');
    expect(found).toMatchObject([
      { group: '', kind: 'ConfigMap', namespace: 'wiki', name: 'data' },
      { group: '', kind: 'Secret', namespace: 'wiki', name: 'key', object: null },
    ]);
    expect(found[0]?.object?.metadata.finalizers).toEqual(['example.com/hold']);
    expect(subject.api.requests.filter(({ url }) => url.pathname === '/api/v1')).toHaveLength(1);
  });

  it('lie in no namespace where their kind does not', async () => {
    await using subject = await createSubject();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wiki' } };
    subject.api.objects.put('/api/v1/namespaces/wiki', namespace);
    putApplication(subject, [{ version: 'v1', kind: 'Namespace', name: 'wiki' }]);
    const [found] = await subject.source.findLiveResources('one');
    expect(found).toMatchObject({ kind: 'Namespace', namespace: null, object: namespace });
  });

  it('are not known in another cluster', async () => {
    await using subject = await createSubject();
    putConfigMap(subject, 'data');
    putApplication(subject, [configMap('data')], { name: 'far', namespace: 'wiki' });
    expect((await subject.source.findLiveResources('one')).map(({ object }) => object)).toEqual([null]);
    putApplication(subject, [configMap('data')], { name: 'in-cluster', namespace: 'wiki' });
    expect((await subject.source.findLiveResources('one')).map(({ object }) => object)).not.toContain(null);
  });

  it('are read up to the limit', async () => {
    await using subject = await createSubject();
    const names = Array.from({ length: LIVE_RESOURCES_LIMIT + 1 }, (_, index) => `data-${index}`);
    for (const name of names) putConfigMap(subject, name);
    putApplication(subject, names.map(configMap));
    expect((await subject.source.findLiveResources('one')).map(({ name }) => name)).toEqual(names.slice(0, -1));
  });

  it('are none where there is no such Application, and an error where the server is away', async () => {
    await using subject = await createSubject();
    expect(await subject.source.findLiveResources('one')).toEqual([]);
    putApplication(subject, [configMap('data')]);
    subject.api.interceptors.push(
      ({ url }, response) => url.pathname === '/api/v1' && fail(response, 503, 'ServiceUnavailable') !== undefined,
    );
    await expect(subject.source.findLiveResources('one')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
