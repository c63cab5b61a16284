import { inspect } from 'node:util';
import type { CaelusError } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { type BootstrapOptions, bootstrap } from '../src/bootstrap/bootstrap.ts';
import { planBootstrap } from '../src/bootstrap/plan-bootstrap.ts';
import { createKubernetesClient } from '../src/client/kubernetes-client.ts';
import { contextFor, FULL, OTHER_STORE, SECRETS, STORE } from './bootstrap-samples.ts';
import { fail, reply, startFakeApi } from './fake-kubernetes-api.ts';
import type { FakeObject } from './fake-objects.ts';

const NOTIFICATIONS = '/api/v1/namespaces/argocd/configmaps/argocd-notifications-cm';
const ARGO_CD_SECRET = '/api/v1/namespaces/argocd/secrets/argocd-secret';
const PROJECT = '/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/caelus-stable';
const ROOT = '/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/caelus-root';

/** A cluster that Argo CD is installed in. */
async function start() {
  const api = await startFakeApi();
  const client = createKubernetesClient({ server: api.url });
  const put = (path: string, kind: string, more: object = {}) => {
    const [, , , , , namespace] = path.split('/');
    const metadata = { name: path.split('/').at(-1) ?? '', namespace };
    return api.objects.put(path, { apiVersion: 'v1', kind, metadata, ...more } as FakeObject, 'argocd');
  };
  put('/api/v1/namespaces/argocd', 'Namespace');
  put(ARGO_CD_SECRET, 'Secret', { data: { 'admin.password': 'aGFzaA==', 'server.secretkey': 'a2V5' } });
  put('/api/v1/namespaces/argocd/secrets/argocd-notifications-secret', 'Secret');
  put(NOTIFICATIONS, 'ConfigMap');
  return {
    api,
    put,
    run: (options?: BootstrapOptions, input = FULL) => bootstrap(client, planBootstrap(input), options),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

const outcomes = ({ objects }: Awaited<ReturnType<typeof bootstrap>>) =>
  Object.fromEntries(objects.map(({ object, outcome }) => [object, outcome]));

const EVERYTHING = {
  'Namespace caelus': 'created',
  'ServiceAccount caelus/caelus': 'created',
  'Role argocd/caelus': 'created',
  'RoleBinding argocd/caelus': 'created',
  'AppProject argocd/caelus-root': 'created',
  'AppProject argocd/caelus-stable': 'created',
  'AppProject argocd/caelus-beta': 'created',
  [`ValidatingAdmissionPolicy caelus-instance-isolation-${STORE}`]: 'created',
  [`ValidatingAdmissionPolicyBinding caelus-instance-isolation-${STORE}`]: 'created',
  'Secret argocd/caelus-gitops': 'created',
  'Secret argocd/argocd-secret': 'changed',
  'Secret argocd/argocd-notifications-secret': 'changed',
  'ConfigMap argocd/argocd-notifications-cm': 'changed',
  'Application argocd/caelus-root': 'created',
};

describe('bootstrap', () => {
  it('brings about what is planned, and again nothing', async () => {
    await using cluster = await start();
    expect(outcomes(await cluster.run())).toEqual(EVERYTHING);
    const { version } = cluster.api.objects;
    const again = outcomes(await cluster.run());
    expect(new Set(Object.values(again))).toEqual(new Set(['unchanged']));
    expect(cluster.api.objects.version).toBe(version);
  });

  it('does not take for its own change what Argo CD writes between its look and its write', async () => {
    await using cluster = await start();
    await cluster.run();
    cluster.api.interceptors.push(({ method, url }) => {
      const isWrite = method === 'PATCH' && url.pathname === ROOT && !url.searchParams.has('dryRun');
      const root = cluster.api.objects.read(ROOT);
      if (isWrite && root) cluster.api.objects.put(ROOT, { ...root, status: { sync: { status: 'Synced' } } }, 'argocd');
      return false;
    });
    expect(new Set(Object.values(outcomes(await cluster.run())))).toEqual(new Set(['unchanged']));
    expect(cluster.api.objects.read(ROOT)?.status).toEqual({ sync: { status: 'Synced' } });
  });

  it('leaves all else in the objects of Argo CD as it was', async () => {
    await using cluster = await start();
    await cluster.run();
    expect(cluster.api.objects.read(ARGO_CD_SECRET)?.data).toEqual({
      'admin.password': 'aGFzaA==',
      'server.secretkey': 'a2V5',
      'webhook.github.secret': Buffer.from(SECRETS.webhook).toString('base64'),
    });
  });

  it('tries everything without effect first, and does nothing more where that is asked', async () => {
    await using cluster = await start();
    const { version } = cluster.api.objects;
    expect(outcomes(await cluster.run({ dryRun: true }))).toEqual(EVERYTHING);
    expect(cluster.api.objects.version).toBe(version);
    const writes = cluster.api.requests.filter(({ method }) => method !== 'GET');
    expect(writes.every(({ url }) => url.searchParams.get('dryRun') === 'All')).toBe(true);
    // Nothing can be tried in a namespace that is not there: its service account is not.
    expect(writes.map(({ url }) => url.pathname)).not.toContain('/api/v1/namespaces/caelus/serviceaccounts/caelus');
  });

  it('goes on after it was stopped anywhere', async () => {
    await using cluster = await start();
    const written = (seen: { readonly method: string; readonly url: URL }) =>
      seen.method !== 'GET' && !seen.url.searchParams.has('dryRun');
    for (let count = 0; count < Object.keys(EVERYTHING).length; count++) {
      let left = count;
      const stop = (seen: { readonly method: string; readonly url: URL }, response: Parameters<typeof fail>[0]) =>
        written(seen) && left-- === 0 && fail(response, 503, 'ServiceUnavailable') !== undefined;
      cluster.api.interceptors.push(stop);
      await cluster.run().catch(() => {});
      const index = cluster.api.interceptors.indexOf(stop);
      if (index !== -1) cluster.api.interceptors.splice(index, 1);
    }
    const last = outcomes(await cluster.run());
    expect(Object.keys(last)).toEqual(Object.keys(EVERYTHING));
    expect(cluster.api.objects.read(ROOT)).toBeDefined();
  });

  it('reports what others have set otherwise, all of it at once, and writes nothing', async () => {
    await using cluster = await start();
    cluster.put(NOTIFICATIONS, 'ConfigMap', { data: { subscriptions: 'mine', other: 'x' } });
    cluster.put(ARGO_CD_SECRET, 'Secret', { data: { 'webhook.github.secret': 'c2VjcmV0LW9mLW90aGVycw==' } });
    const { version } = cluster.api.objects;
    const error = await cluster.run().catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'BOOTSTRAP_CONFLICT',
      details: {
        conflicts: [
          { object: 'Secret argocd/argocd-secret', field: '.data.webhook.github.secret', manager: 'argocd' },
          { object: 'ConfigMap argocd/argocd-notifications-cm', field: '.data.subscriptions', manager: 'argocd' },
        ],
      },
    });
    expect(cluster.api.objects.version).toBe(version);
    const shown = inspect(error, { depth: 20 });
    for (const secret of [...Object.values(SECRETS), 'c2VjcmV0LW9mLW90aGVycw==', 'mine'])
      expect(shown).not.toContain(secret);
  });

  it('takes over what others have set, where it is told to', async () => {
    await using cluster = await start();
    cluster.put(NOTIFICATIONS, 'ConfigMap', { data: { subscriptions: 'mine', other: 'x' } });
    await cluster.run({ force: true });
    expect(cluster.api.objects.read(NOTIFICATIONS)?.data).toMatchObject({
      other: 'x',
      subscriptions: expect.stringContaining('app.kubernetes.io/managed-by=caelus'),
    });
  });

  it.each([false, true])('never takes over what belongs to another database, with force: %s', async (force) => {
    await using cluster = await start();
    const other = { ...FULL, context: contextFor('https://git.example.com/other.git', { storeId: OTHER_STORE }) };
    await cluster.run({}, other);
    const { version } = cluster.api.objects;
    await expect(cluster.run({ force })).rejects.toMatchObject({
      code: 'STORE_FOREIGN',
      details: { expected: STORE, actual: OTHER_STORE },
    });
    expect(cluster.api.objects.version).toBe(version);
  });

  it('loses a race against another database to the API server, which sees both', async () => {
    await using cluster = await start();
    const other = { ...FULL, context: contextFor('https://git.example.com/other.git', { storeId: OTHER_STORE }) };
    // The other one begins and ends after everything was looked at here, and before anything is tried.
    let isOver: Promise<unknown> | undefined;
    cluster.api.interceptors.push((seen, response) => {
      if (seen.method === 'GET' || isOver !== undefined) return false;
      isOver = cluster.run({}, other).then(() => response.destroy());
      return true;
    });
    const error = await cluster.run().catch((reason: unknown) => reason);
    await isOver;
    expect(error).toMatchObject({ code: 'BOOTSTRAP_CONFLICT' });
    const { conflicts } = (error as CaelusError<'BOOTSTRAP_CONFLICT'>).details;
    expect(conflicts).toContainEqual({
      object: 'Application argocd/caelus-root',
      field: '.metadata.annotations.caelus.dev/store',
      manager: `caelus/${OTHER_STORE}`,
    });
    expect(cluster.api.objects.read(ROOT)?.metadata.annotations).toMatchObject({ 'caelus.dev/store': OTHER_STORE });
  });

  it('leaves a namespace as it is where it is there', async () => {
    await using cluster = await start();
    cluster.put('/api/v1/namespaces/caelus', 'Namespace');
    expect(outcomes(await cluster.run())).toMatchObject({ 'Namespace caelus': 'unchanged' });
    expect(cluster.api.objects.read('/api/v1/namespaces/caelus')?.metadata.labels).toBeUndefined();
  });

  it('leaves an AppProject of a tier to Git once it is there', async () => {
    await using cluster = await start();
    await cluster.run();
    const project = cluster.api.objects.read(PROJECT) as FakeObject;
    // Argo CD brings what Git says now.
    cluster.api.objects.put(PROJECT, { ...project, spec: { description: 'newer' } }, 'argocd-controller');
    expect(outcomes(await cluster.run())).toMatchObject({ 'AppProject argocd/caelus-stable': 'kept' });
    expect(cluster.api.objects.read(PROJECT)?.spec).toEqual({ description: 'newer' });
  });

  it('keeps an AppProject that Argo CD made a moment before', async () => {
    await using cluster = await start();
    cluster.api.interceptors.push(({ method, url }) => {
      if (method === 'POST' && !url.searchParams.has('dryRun') && cluster.api.objects.read(PROJECT) === undefined) {
        const made = {
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'AppProject',
          metadata: { name: 'caelus-stable', namespace: 'argocd' },
        };
        cluster.api.objects.put(PROJECT, { ...made, spec: {} }, 'argocd-controller');
      }
      return false;
    });
    expect(outcomes(await cluster.run())).toMatchObject({ 'AppProject argocd/caelus-stable': 'kept' });
  });

  it('says that Argo CD is not installed', async () => {
    await using cluster = await start();
    cluster.api.served.delete('appprojects');
    await expect(cluster.run()).rejects.toMatchObject({ code: 'KUBERNETES_RESOURCE_UNKNOWN' });
    expect(cluster.api.requests.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('says that Kubernetes has no admission policies, before it has done anything, and does without where it is told to', async () => {
    await using cluster = await start();
    cluster.api.served.delete('validatingadmissionpolicies');
    await expect(cluster.run()).rejects.toMatchObject({
      code: 'KUBERNETES_RESOURCE_UNKNOWN',
      message: expect.stringContaining('need Kubernetes 1.30'),
    });
    expect(cluster.api.requests.every(({ method }) => method === 'GET')).toBe(true);
    const { objects } = await cluster.run({}, { ...FULL, instanceIsolation: false });
    expect(objects.length).toBeGreaterThan(0);
  });

  it('says what it may not do, before it has done anything', async () => {
    await using cluster = await start();
    cluster.api.forbidden.add('patch rolebindings');
    const { version } = cluster.api.objects;
    await expect(cluster.run()).rejects.toMatchObject({
      code: 'KUBERNETES_ACCESS_DENIED',
      details: { request: 'apply RoleBinding argocd/caelus' },
    });
    expect(cluster.api.objects.version).toBe(version);
  });

  it('shows no secret where the API server refuses one and quotes it', async () => {
    await using cluster = await start();
    cluster.api.interceptors.push((seen, response) => {
      if (!seen.url.pathname.endsWith('/secrets/caelus-gitops') || seen.method !== 'PATCH') return false;
      const causes = [{ reason: 'FieldValueInvalid', field: 'data[password]', message: `Invalid value: ${seen.body}` }];
      return fail(response, 422, 'Invalid', { name: seen.body, causes }) !== undefined;
    });
    const error = await cluster.run().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'KUBERNETES_REQUEST_REFUSED', details: { fields: ['data[password]'] } });
    const shown = inspect(error, { depth: 20 });
    for (const secret of Object.values(SECRETS)) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from(secret).toString('base64'));
    }
  });

  // As kube-apiserver 1.36 answers server-side apply and create.
  it.each([
    {
      code: 500,
      message:
        'failed to create typed patch object (argocd/x; v1, Kind=X): .spec.some[0].new: field not declared in schema',
    },
    {
      code: 400,
      reason: 'BadRequest',
      message: 'X cannot be handled as a X: strict decoding error: unknown field "spec.some[0].new"',
    },
  ])('names a field that an older Argo CD does not know, told by a $code', async (status) => {
    await using cluster = await start();
    cluster.api.interceptors.push(
      ({ method }, response) =>
        method !== 'GET' && reply(response, status.code, { kind: 'Status', ...status }) !== undefined,
    );
    await expect(cluster.run()).rejects.toMatchObject({
      code: 'KUBERNETES_REQUEST_REFUSED',
      retryable: false,
      details: { fields: ['spec.some[0].new'] },
    });
  });

  it('stops with the reason of the signal', async () => {
    await using cluster = await start();
    const reason = new Error('enough');
    await expect(cluster.run({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(cluster.api.requests).toEqual([]);
  });
});
