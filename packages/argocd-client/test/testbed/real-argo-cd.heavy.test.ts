import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { statusSourceContract } from '@caelus/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startTestbed, stopTestbed } from '../../../../testbed/src/index.ts';
import {
  type ArgoCdClient,
  createArgoCdClient,
  createArgoCdStatusSource,
  createArgoCdWebhookNotifier,
} from '../../src/index.ts';
import { createNodeFetch, type NodeFetch } from '../../src/node/index.ts';
import { argoCdBehaviour } from '../argo-cd-behaviour.ts';

/** One of its own, so that nothing is left of an earlier run. */
const NAME = `argocd-client-${process.pid}`;
const PROJECTS = ['behaviour-a', 'behaviour-b', 'caelus-stable'];

let client: ArgoCdClient;
let url = '';
let token = '';
let fetch: NodeFetch;
let kubernetes: { readonly server: string; readonly fetch: NodeFetch };

beforeAll(async () => {
  const testbed = await startTestbed({ name: NAME });
  fetch = createNodeFetch({ ca: readFileSync(testbed.caFile, 'utf8') });
  kubernetes = readKubeconfig(testbed.kubeconfig);
  const { username, password } = testbed.argocd;
  url = testbed.argocd.url;
  client = createArgoCdClient({ baseUrl: url, login: { username, password }, fetch });
  const body = JSON.stringify({ username, password });
  const headers = { 'content-type': 'application/json' };
  const session = await fetch(`${url}/api/v1/session`, { method: 'POST', headers, body });
  token = ((await session.json()) as { token: string }).token;
  for (const name of PROJECTS) {
    const spec = { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] };
    await client.projects.create({ metadata: { name }, spec }, { upsert: true });
  }
});
afterAll(async () => {
  fetch?.[Symbol.dispose]();
  kubernetes?.fetch[Symbol.dispose]();
  await stopTestbed(NAME, { purge: true });
});

/** The administrator's access to the Kubernetes API, by a client certificate. */
function readKubeconfig(path: string): typeof kubernetes {
  const config = parse(readFileSync(path, 'utf8')) as {
    clusters: [{ cluster: Record<'server' | 'certificate-authority-data', string> }];
    users: [{ user: Record<'client-certificate-data' | 'client-key-data', string> }];
  };
  const text = (base64: string) => Buffer.from(base64, 'base64').toString();
  const [{ cluster }] = config.clusters;
  const [{ user }] = config.users;
  const certificate = { cert: text(user['client-certificate-data']), key: text(user['client-key-data']) };
  const ca = text(cluster['certificate-authority-data']);
  return { server: cluster.server, fetch: createNodeFetch({ ca, ...certificate }) };
}

async function ask(method: string, name: string, object?: object): Promise<void> {
  const path = `/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/${name}`;
  const response = await kubernetes.fetch(
    `${kubernetes.server}${path}?${object ? 'fieldManager=test&force=true' : ''}`,
    {
      method,
      ...(object && { headers: { 'content-type': 'application/apply-patch+yaml' }, body: JSON.stringify(object) }),
    },
  );
  if (!response.ok && response.status !== 404) throw new Error(`${method} ${name}: ${await response.text()}`);
  await response.body?.cancel();
}

/** An Application that Argo CD's controller leaves alone, so that its status is what the test says. */
function application(name: string, project: string, labels: object, revision?: string): object {
  const destination = { server: 'https://kubernetes.default.svc', namespace: 'x' };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, labels, annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' } },
    spec: { project, source: { repoURL: 'https://git.example.com/x', path: 'x' }, destination },
    ...(revision && {
      status: {
        sync: {
          status: 'Synced',
          revision,
          comparedTo: { destination, source: { repoURL: 'https://git.example.com/x' } },
        },
      },
    }),
  };
}

function createHands() {
  const made = new Set<string>();
  return {
    async put(name: string, project: string, labels: object, revision?: string) {
      made.add(name);
      await ask('PATCH', name, application(name, project, labels, revision));
    },
    remove: (name: string) => ask('DELETE', name),
    async [Symbol.asyncDispose]() {
      for (const name of made) await ask('DELETE', name);
      // Those who come after see a listing, and that is from a cache.
      while ((await client.applications.list()).items.some(({ metadata }) => made.has(metadata.name))) await wait(50);
    },
  };
}

argoCdBehaviour({ describe, it }, 'a real one', async () => {
  const hands = createHands();
  return {
    ...hands,
    client,
    token,
    raw: (path, init) => fetch(`${url}${path}`, { redirect: 'manual', ...init }),
    put: (name, project, label) => hands.put(name, project, { behaviour: 'yes', ...(label && { label }) }),
  };
});

statusSourceContract(
  { describe, it },
  {
    name: 'a real Argo CD',
    async create() {
      const hands = createHands();
      const source = createArgoCdStatusSource({ client, projects: PROJECTS });
      const labels = (name: string) => ({ 'app.kubernetes.io/managed-by': 'caelus', 'caelus.dev/instance': name });
      return {
        source,
        // A listing is from a cache.
        async put(name, revision) {
          await hands.put(name, 'caelus-stable', labels(name), revision);
          while ((await client.applications.list({ name })).items.length === 0) await wait(50);
        },
        async remove(name) {
          await hands.remove(name);
          while ((await client.applications.list({ name })).items.length > 0) await wait(50);
        },
        async [Symbol.asyncDispose]() {
          await source[Symbol.asyncDispose]();
          await hands[Symbol.asyncDispose]();
        },
      };
    },
  },
);

describe('a real Argo CD', () => {
  it('answers every call that only reads', async () => {
    await using hands = createHands();
    await hands.put('read', 'behaviour-a', {});
    const one = { name: 'read', project: 'behaviour-a' };
    expect((await client.version()).Version).toMatch(/^v3\./);
    expect(await client.user()).toMatchObject({ loggedIn: true, username: 'admin' });
    expect((await client.settings()).controllerNamespace).toBe('argocd');
    expect((await client.projects.list()).map(({ metadata }) => metadata.name)).toEqual(
      expect.arrayContaining(PROJECTS),
    );
    expect((await client.projects.get('behaviour-a')).spec.sourceRepos).toEqual(['*']);
    expect((await client.clusters.list()).map(({ server }) => server)).toContain('https://kubernetes.default.svc');
    expect((await client.clusters.get({ server: 'https://kubernetes.default.svc' })).name).toBe('in-cluster');
    expect((await client.clusters.get({ name: 'in-cluster' })).server).toBe('https://kubernetes.default.svc');
    expect((await client.accounts.list()).map(({ name }) => name)).toContain('admin');
    expect(await client.repositories.list()).toEqual([]);
    expect(await client.repositoryCredentials.list()).toEqual([]);
    expect((await client.applications.events(one)).every(({ reason }) => reason !== undefined)).toBe(true);
    expect((await client.applications.syncWindows(one)).canSync).toBe(true);
    await expect(client.projects.get('none')).rejects.toMatchObject({ code: 'ARGOCD_NOT_FOUND' });
    await expect(client.applications.manifests(one)).rejects.toMatchObject({ name: 'CaelusError' });
  });

  it('creates, changes and removes, and knows what it may not', async () => {
    const { applications, projects, repositories } = client;
    const address = { name: 'written', project: 'behaviour-a' };
    const destination = { server: 'https://kubernetes.default.svc', namespace: 'x' };
    const source = { repoURL: 'https://git.example.com/x', path: 'x', targetRevision: 'main' };
    const spec = { project: 'behaviour-a', destination, source };
    const annotations = { 'argocd.argoproj.io/skip-reconcile': 'true' };
    await applications.create({ metadata: { name: 'written', annotations }, spec }, { upsert: true, validate: false });
    await applications.updateSpec(address, { ...spec, revisionHistoryLimit: 3 }, { validate: false });
    // It checks the whole spec, and there is no such repository.
    await expect(applications.patch(address, { metadata: { labels: { a: 'b' } } })).rejects.toMatchObject({
      code: 'ARGOCD_REQUEST_REFUSED',
    });
    const labelled = { metadata: { name: 'written', labels: { a: 'b' }, annotations }, spec };
    const updated = await applications.update(labelled, { project: 'behaviour-a', validate: false });
    expect(updated).toMatchObject({ metadata: { labels: { a: 'b' } } });
    // A commit needs no look at the repository.
    const request = { revision: 'a'.repeat(40) };
    await expect(applications.sync(address, request)).resolves.toHaveProperty('operation');
    await expect(applications.sync(address, request)).rejects.toMatchObject({ code: 'ARGOCD_OPERATION_RUNNING' });
    await expect(applications.rollback(address, { id: 7 })).rejects.toMatchObject({ name: 'CaelusError' });
    await applications.delete(address, { cascade: false });
    const role = { name: 'reader', policies: ['p, proj:behaviour-a:reader, applications, get, behaviour-a/*, allow'] };
    const project = await projects.get('behaviour-a');
    await projects.update({ ...project, spec: { ...project.spec, roles: [role] } });
    const limited = await projects.createToken({ project: 'behaviour-a', role: 'reader' }, { expiresIn: 600 });
    const reader = createArgoCdClient({ baseUrl: url, token: limited, fetch, retries: 0 });
    await expect(reader.applications.get({ name: 'x', project: 'behaviour-a' })).rejects.toMatchObject({
      code: 'ARGOCD_NOT_FOUND',
    });
    await expect(reader.applications.get({ name: 'x', project: 'behaviour-b' })).rejects.toMatchObject({
      code: 'ARGOCD_ACCESS_DENIED',
    });
    const repository = {
      repo: 'https://git.example.com/none.git',
      type: 'git',
      username: 'a',
      password: 'secret-password',
    };
    const failed = await repositories.create(repository).catch((error: Error) => error);
    expect(JSON.stringify(failed)).not.toContain('secret-password');
  });

  it('takes the call of the notifier, and refreshes the touched Application alone', async () => {
    await using hands = createHands();
    const repoURL = 'https://git.example.com/platform/gitops.git';
    const notified = (name: string) => ({
      ...application(name, 'behaviour-a', {}),
      metadata: {
        name,
        annotations: {
          'argocd.argoproj.io/skip-reconcile': 'true',
          'argocd.argoproj.io/manifest-generate-paths': `/instances/${name}`,
        },
      },
      spec: {
        project: 'behaviour-a',
        source: { repoURL, path: `instances/${name}`, targetRevision: 'refs/heads/main' },
        destination: { server: 'https://kubernetes.default.svc', namespace: 'x' },
      },
    });
    await hands.put('touched', 'behaviour-a', {});
    await hands.put('other', 'behaviour-a', {});
    for (const name of ['touched', 'other']) await ask('PATCH', name, notified(name));
    // The webhook looks at a cache, too.
    const pathOf = async (name: string) => (await client.applications.list({ name })).items[0]?.spec.source?.path;
    while ((await pathOf('touched')) === 'x' || (await pathOf('other')) === 'x') await wait(50);
    const notifier = createArgoCdWebhookNotifier({ baseUrl: url, repository: { url: repoURL }, fetch });
    await notifier.notify({
      commit: 'a'.repeat(40) as never,
      edits: [{ path: 'instances/touched/values.yaml' as never, bytes: new Uint8Array(1) }],
      applications: ['touched'],
    });
    const isRefreshed = async (name: string) => {
      const { metadata } = await client.applications.get({ name, project: 'behaviour-a' });
      return metadata.annotations?.['argocd.argoproj.io/refresh'];
    };
    // The controller leaves these Applications alone, so the mark stays.
    while ((await isRefreshed('touched')) === undefined) await wait(50);
    expect(await isRefreshed('other')).toBeUndefined();
  });
});
