import type { ApplicationEvent, JsonObject } from '@caelus/core';
import { statusSourceContract } from '@caelus/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRepository, restartComponent } from '../../../../testbed/src/index.ts';
import { checkOut } from '../../../../testbed/test/repository-checkout.ts';
import { isExpired } from '../../src/client/api-status.ts';
import { RESOURCES } from '../../src/client/resource.ts';
import { createKubernetesStatusSource } from '../../src/status/kubernetes-status-source.ts';
import { MANAGED } from '../status-source-subject.ts';
import { eventually, type RealCluster, startRealCluster } from './real-cluster.ts';

let cluster: RealCluster;
let namespaces = 0;

beforeAll(async () => {
  cluster = await startRealCluster('status');
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

/** An Application in a namespace that Argo CD does not look into, so that only the test changes it. */
function application(namespace: string, name: string, revision: string, labels: object = MANAGED): object {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace, labels },
    spec: {
      project: 'caelus-stable',
      source: { repoURL: 'https://git.example.com/x', path: 'x' },
      destination: { server: 'https://kubernetes.default.svc', namespace: 'x' },
    },
    status: {
      sync: {
        status: 'Synced',
        revision,
        comparedTo: { source: { repoURL: 'https://git.example.com/x' }, destination: {} },
      },
    },
  };
}

async function createSubject(pageSize = 250) {
  const namespace = `status-${++namespaces}`;
  await cluster.kubectl(['create', 'namespace', namespace]);
  return {
    namespace,
    source: createKubernetesStatusSource({ client: cluster.client, namespace, pageSize }),
    async put(name: string, revision: string, labels?: object) {
      const manifest = application(namespace, name, revision, labels) as JsonObject;
      const answer = await cluster.client.apply(manifest, { fieldManager: 'test' });
      if (!answer.ok) throw cluster.client.failure('put an Application', answer.status);
    },
    async remove(name: string) {
      await cluster.kubectl(['delete', 'application', name, `--namespace=${namespace}`, '--wait=true']);
    },
    async [Symbol.asyncDispose]() {},
  };
}

statusSourceContract({ describe, it }, { name: 'a real Kubernetes API', create: () => createSubject() });
statusSourceContract(
  { describe, it },
  { name: 'a real Kubernetes API, one object a page', create: () => createSubject(1) },
);

async function until(events: AsyncIterator<ApplicationEvent>, found: (event: ApplicationEvent) => boolean) {
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('The watch ended by itself.');
    if (found(value)) return value as ApplicationEvent;
  }
}
const isPresent = (name: string) => (event: ApplicationEvent) =>
  event.type === 'present' && event.application.metadata.name === name;

describe('a real Kubernetes API', () => {
  it('refuses a version that it has forgotten, in a form that we know', async () => {
    const request = { namespace: 'argocd', resourceVersion: '1', timeoutSeconds: 5 };
    const answer = await cluster.client.watch(RESOURCES.Application, request);
    if (!answer.ok) return expect(isExpired(answer.status)).toBe(true);
    for await (const event of answer.value) {
      expect(event).toMatchObject({ type: 'ERROR' });
      if (event.type === 'ERROR') expect(isExpired(event.status)).toBe(true);
    }
  });

  // The reason why a watch that ends without a word is not taken up again before the server's version was looked at.
  it('waits without a word for a version of the future', async () => {
    const request = { namespace: 'argocd', resourceVersion: '999999999', timeoutSeconds: 2 };
    const answer = await cluster.client.watch(RESOURCES.Application, request);
    const events = [];
    if (answer.ok) for await (const event of answer.value) events.push(event);
    expect({ ok: answer.ok, events }).toEqual({ ok: true, events: [] });
  });

  it('refuses the page of a version that it has not come to, after a while', async () => {
    const start = Buffer.from('{"v":"meta.k8s.io/v1","rv":999999999,"start":"a\\u0000"}').toString('base64url');
    const answer = await cluster.client.list(RESOURCES.AppProject, { namespace: 'argocd', limit: 1, continue: start });
    expect(answer).toMatchObject({ ok: false, status: { code: 504, reason: 'Timeout' } });
  });

  it('says of an Application that lost its label that it is deleted, and we do not', async () => {
    await using subject = await createSubject();
    await subject.put('one', 'a');
    const stop = new AbortController();
    const events = subject.source.watch({ signal: stop.signal })[Symbol.asyncIterator]();
    await until(events, ({ type }) => type === 'synced');
    await subject.put('one', 'b', {});
    const next = await until(events, () => true);
    expect(next).toMatchObject({ type: 'present', application: { status: { sync: { revision: 'b' } } } });
    stop.abort(new Error('enough'));
  });
});

describe('a sync of a real Argo CD', () => {
  it('ends where it is asked to, and is told from one that is over', async () => {
    const { url } = await createRepository('hanging', cluster.name);
    await using checkout = await checkOut(cluster.testbed, url);
    const labels = { app: 'hanging', 'testbed.caelus.dev/health': 'progressing' };
    const pod = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.com/none:1' }] } };
    const wave = (number: number) => ({ annotations: { 'argocd.argoproj.io/sync-wave': String(number) } });
    await checkout.commit({
      'manifests/deployment.json': JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'hanging', ...wave(0) },
        spec: { selector: { matchLabels: { app: 'hanging' } }, template: pod },
      }),
      'manifests/after.json': JSON.stringify({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'after', ...wave(1) },
      }),
    });
    const { username, password } = cluster.testbed.git;
    const server = 'https://kubernetes.default.svc';
    const argoCd = (kind: string, name: string, more: object) => ({
      apiVersion: kind === 'Secret' ? 'v1' : 'argoproj.io/v1alpha1',
      kind,
      metadata: { name, namespace: 'argocd', labels: { ...MANAGED, 'argocd.argoproj.io/secret-type': 'repository' } },
      ...more,
    });
    await cluster.kubectl(['create', 'namespace', 'hanging']);
    const items = [
      argoCd('Secret', 'hanging', { stringData: { type: 'git', url, username, password } }),
      argoCd('AppProject', 'hanging', {
        spec: { sourceRepos: [url], destinations: [{ server, namespace: 'hanging' }] },
      }),
      argoCd('Application', 'hanging', {
        spec: {
          project: 'hanging',
          source: { repoURL: url, targetRevision: 'refs/heads/main', path: 'manifests' },
          destination: { server, namespace: 'hanging' },
          syncPolicy: { automated: {} },
        },
      }),
    ];
    await cluster.kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    const source = createKubernetesStatusSource({ client: cluster.client });
    const phase = async () => (await source.get('hanging'))?.status?.operationState?.phase;
    await eventually('the sync runs', async () => ((await phase()) === 'Running' ? true : undefined)).catch(
      async (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify((await source.get('hanging'))?.status)}`);
      },
    );
    await source.control.terminateOperation('hanging');
    const ended = await eventually('the sync has ended', async () => {
      const current = await source.get('hanging');
      const state = current?.status?.operationState;
      return state?.phase === 'Failed' || state?.phase === 'Error' ? state : undefined;
    });
    expect(ended.message).toMatch(/terminated/i);
    // Once more, on a sync that is over: nothing happens.
    await source.control.terminateOperation('hanging');
    expect(await phase()).toBe(ended.phase);
  });
});

// Last, because all of Argo CD has to find its way back.
describe('a restart of a real API server', () => {
  it('goes by in the middle of a watch', async () => {
    await using subject = await createSubject();
    await subject.put('one', 'a');
    await subject.put('two', 'a');
    const stop = new AbortController();
    const events = subject.source.watch({ signal: stop.signal })[Symbol.asyncIterator]();
    await until(events, ({ type }) => type === 'synced');
    const restarted = restartComponent('kube-apiserver', { name: cluster.name });
    const next = until(events, (event) => event.type === 'absent' && event.name === 'two');
    await restarted;
    await subject.remove('two');
    await next;
    await subject.put('three', 'a');
    await until(events, isPresent('three'));
    stop.abort(new Error('enough'));
  });
});
