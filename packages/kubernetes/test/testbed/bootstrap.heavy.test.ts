import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderRepository, type StatusSource, type Tier } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createRepository } from '../../../../testbed/src/index.ts';
import { type Checkout, checkOut } from '../../../../testbed/test/repository-checkout.ts';
import { bootstrap } from '../../src/bootstrap/bootstrap.ts';
import type { BootstrapInput } from '../../src/bootstrap/bootstrap-input.ts';
import { planBootstrap } from '../../src/bootstrap/plan-bootstrap.ts';
import { RESOURCES } from '../../src/client/resource.ts';
import { createKubernetesStatusSource } from '../../src/status/kubernetes-status-source.ts';
import { verify } from '../../src/verify/verify.ts';
import { contextFor, FULL, OTHER_STORE, PLANS, SECRETS } from '../bootstrap-samples.ts';
import { eventually, type RealCluster, startRealCluster } from './real-cluster.ts';

let cluster: RealCluster;

beforeAll(async () => {
  cluster = await startRealCluster('boot');
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

const run = (input: BootstrapInput, options = {}) => bootstrap(cluster.client, planBootstrap(input), options);
const outcomes = ({ objects }: Awaited<ReturnType<typeof run>>) => [...new Set(objects.map(({ outcome }) => outcome))];
const rulesOf = async (severity: string) =>
  (await verify(cluster.client, FULL)).flatMap((finding) => (finding.severity === severity ? [finding.rule] : []));

async function applicationsOf(source: StatusSource): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { metadata } of source.list()) names.push(metadata.name);
  return names;
}

// In the order of a new installation; each goes on from the one before.
describe('bootstrap of a real cluster with a plain Argo CD', () => {
  it('finds missing all that is planned', async () => {
    const rules = await rulesOf('error');
    expect(rules.filter((rule) => rule === 'object-missing')).toHaveLength(11);
    expect(rules).toContain('default-project-open');
    expect(await rulesOf('warning')).toEqual(
      expect.arrayContaining(['object-differs', 'impersonation-off', 'webhook-unsigned', 'admin-password-initial']),
    );
  });

  it('tries all of it without effect', async () => {
    const before = await cluster.kubectl(['get', 'secret,configmap,appproject,application', '-n=argocd', '-o=name']);
    expect(outcomes(await run(FULL, { dryRun: true }))).toEqual(['created', 'changed']);
    expect(await cluster.kubectl(['get', 'secret,configmap,appproject,application', '-n=argocd', '-o=name'])).toBe(
      before,
    );
  });

  it('brings it about, and then changes nothing more', async () => {
    expect(outcomes(await run(FULL))).toEqual(['created', 'changed']);
    const version = () =>
      cluster.kubectl([
        'get',
        'secret',
        'argocd-secret',
        'caelus-gitops',
        '-n=argocd',
        '-o=jsonpath={.items[*].metadata.resourceVersion}',
      ]);
    const before = await version();
    expect(outcomes(await run(FULL))).toEqual(['unchanged']);
    expect(await version()).toBe(before);
  });

  it('leaves nothing missing', async () => {
    const rules = await rulesOf('error');
    expect(rules.filter((rule) => rule.startsWith('object-'))).toEqual([]);
  });

  it('gives the service account what the status source needs, and nothing else', async () => {
    await using client = await cluster.clientOf({ namespace: 'caelus', name: 'caelus' });
    const source = createKubernetesStatusSource({ client });
    // The API server takes up new rights a moment after it has accepted them.
    await expect.poll(() => applicationsOf(source), { timeout: 30_000, interval: 250 }).toEqual([]);
    const stop = new AbortController();
    const events = source.watch({ signal: stop.signal })[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual({ type: 'synced' });
    stop.abort(new Error('enough'));
    expect(await source.get('none')).toBeUndefined();
    expect((await source.get('caelus-root'))?.metadata.name).toBe('caelus-root');
    const denied = { code: 'KUBERNETES_ACCESS_DENIED' };
    await expect(client.get(RESOURCES.Secret, { namespace: 'argocd', name: 'argocd-secret' })).rejects.toMatchObject(
      denied,
    );
    await expect(client.get(RESOURCES.AppProject, { namespace: 'argocd', name: 'default' })).rejects.toMatchObject(
      denied,
    );
    await expect(client.get(RESOURCES.Application, { namespace: 'default', name: 'x' })).rejects.toMatchObject(denied);
    const found = await verify(client, FULL);
    // The repository of the sample does not exist, which Argo CD says sooner or later.
    const expected = ['unreadable', 'root-fails'];
    expect(found.filter(({ rule }) => !expected.includes(rule))).toEqual([]);
  });

  it('reports the fields that somebody has edited, and takes them over where it is told to', async () => {
    const data = { subscriptions: '- recipients: [mine]\n' };
    const patch = ['patch', 'configmap', 'argocd-notifications-cm', '-n=argocd', '--type=merge'];
    await cluster.kubectl([...patch, `--patch=${JSON.stringify({ data })}`, '--field-manager=kubectl-edit']);
    await expect(run(FULL)).rejects.toMatchObject({
      code: 'BOOTSTRAP_CONFLICT',
      details: {
        conflicts: [
          {
            object: 'ConfigMap argocd/argocd-notifications-cm',
            field: '.data.subscriptions',
            manager: 'kubectl-edit',
          },
        ],
      },
    });
    const { objects } = await run(FULL, { force: true });
    expect(objects.filter(({ outcome }) => outcome === 'changed').map(({ object }) => object)).toEqual([
      'ConfigMap argocd/argocd-notifications-cm',
    ]);
  });

  it('is refused to another database, by us and by the API server', async () => {
    const other = { ...FULL, context: contextFor('https://git.example.com/other.git', { storeId: OTHER_STORE }) };
    await expect(run(other, { force: true })).rejects.toMatchObject({ code: 'STORE_FOREIGN' });
    const root = planBootstrap(other).objects.at(-1);
    const answer = await cluster.client.apply(root?.manifest ?? {}, {
      fieldManager: `caelus/${OTHER_STORE}`,
      isDryRun: true,
    });
    expect(answer).toMatchObject({ ok: false, status: { code: 409, reason: 'Conflict' } });
  });

  it('takes every plan, and refuses a field that Argo CD does not know', async () => {
    const observe = PLANS['ssh-sharded-observe'] as BootstrapInput;
    await cluster.kubectl(['create', 'namespace', 'gitops']);
    await cluster.kubectl(['create', 'secret', 'generic', 'argocd-secret', '-n=gitops']);
    // The binding of the policy lies in no namespace, so the first installation's is taken.
    expect(outcomes(await run(observe, { dryRun: true }))).toEqual(['created', 'changed', 'unchanged']);
    const [project] = planBootstrap(FULL).objects.filter(({ manifest }) => manifest.kind === 'AppProject');
    const manifest = { ...project?.manifest, spec: { ...(project?.manifest.spec as object), unknown: true } };
    const answer = await cluster.client.apply(manifest as never, { fieldManager: 'test', isDryRun: true });
    expect(answer).toMatchObject({ ok: false, status: { reason: 'UnknownField', fields: ['spec.unknown'] } });
  });
});

describe('what bootstrap has brought about', () => {
  let hints: readonly { readonly authorization: string | undefined; readonly body: string }[] = [];
  const listener = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    hints = [...hints, { authorization: request.headers.authorization, body }];
    response.end();
  });
  let input: BootstrapInput;
  let checkout: Checkout;

  beforeAll(async () => {
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { url } = await createRepository('gitops', cluster.name);
    checkout = await checkOut(cluster.testbed, url);
    const { username, password } = cluster.testbed.git;
    const { port } = listener.address() as AddressInfo;
    input = {
      ...FULL,
      context: contextFor(url),
      repository: { username, token: password },
      notifications: { url: `http://127.0.0.1:${port}/`, token: SECRETS.notifications },
    };
  });
  afterAll(async () => {
    listener.close();
    await checkout?.[Symbol.asyncDispose]();
  });

  const commit = ({ context, tiers }: BootstrapInput) => {
    const tree = renderRepository({ context, tiers });
    return checkout.commit(
      Object.fromEntries([...tree].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])),
    );
  };
  const root = async () => {
    const found = await cluster.client.get(RESOURCES.Application, { namespace: 'argocd', name: 'caelus-root' });
    return found?.status as { sync?: { status?: string; revisions?: string[] }; conditions?: object[] } | undefined;
  };
  const synced = (revision: string) =>
    eventually('the root is synced', async () => {
      await cluster.kubectl([
        ...['annotate', 'application', 'caelus-root', '-n=argocd', '--overwrite', 'argocd.argoproj.io/refresh=normal'],
      ]);
      const sync = (await root())?.sync;
      return sync?.status === 'Synced' && sync.revisions?.[0] === revision ? sync : undefined;
    }).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await root())}`);
    });

  it('lets Argo CD read the repository, and take the AppProjects over from the seeds', async () => {
    const revision = await commit(input);
    await run(input);
    await synced(revision);
    const found = await verify(cluster.client, input);
    expect(found.filter(({ rule }) => /^(?:object|root|repository)-/.test(rule))).toEqual([]);
    expect(outcomes(await run(input))).toEqual(['unchanged']);
  });

  it('leaves the AppProjects to Git from then on', async () => {
    const [tier] = input.tiers;
    const narrower = { ...input, tiers: [{ ...tier, destinations: [{ name: 'eu-2' }] } as Tier] };
    await synced(await commit({ ...narrower, tiers: [...narrower.tiers, ...input.tiers.slice(1)] }));
    const { objects } = await run(input);
    expect(objects.filter(({ outcome }) => outcome !== 'unchanged')).toMatchObject([
      { object: `AppProject argocd/caelus-${tier?.name}`, outcome: 'kept' },
    ]);
  });

  it('lets Argo CD tell Caelus of what happened, with the token', async () => {
    await eventually('a hint', async () => (hints.length > 0 ? true : undefined));
    expect(hints[0]).toEqual({
      authorization: `Bearer ${SECRETS.notifications}`,
      body: '{"app":"caelus-root","ns":"argocd"}',
    });
  });

  it('lets Argo CD take webhooks that are signed, and no others', async () => {
    const body = JSON.stringify({
      ref: 'refs/heads/main',
      repository: { html_url: 'https://git.example.com/x', default_branch: 'main' },
      commits: [],
    });
    const sign = (secret: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    const ca = readFileSync(cluster.testbed.caFile, 'utf8');
    const post = (signature: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const headers = {
          'content-type': 'application/json',
          'x-github-event': 'push',
          'x-hub-signature-256': signature,
        };
        const outgoing = httpsRequest(`${cluster.testbed.argocd.url}/api/webhook`, { method: 'POST', ca, headers });
        outgoing.on('response', (incoming) => {
          incoming.resume();
          resolve(incoming.statusCode);
        });
        outgoing.on('error', reject);
        outgoing.end(body);
      });
    expect(await post(sign('not the secret'))).toBe(400);
    expect(await post(sign(SECRETS.webhook))).toBe(200);
  });
});

describe('the golden files of the core', () => {
  const golden = fileURLToPath(new URL('../../../core/test/golden/', import.meta.url));
  const manifestsOf = (sample: string) =>
    readdirSync(join(golden, sample), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.yaml'))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /\/argo-cd\/|\/manifests\//.test(path))
      .flatMap((path) =>
        (parseAllDocuments(readFileSync(path, 'utf8')) as { toJS(): Manifest }[]).map((each) => each.toJS()),
      );

  it.each(readdirSync(golden))('of %s are taken by the API server', async (sample) => {
    const manifests = manifestsOf(sample);
    expect(manifests.length).toBeGreaterThan(3);
    const namespaces = manifests.filter(({ kind }) => kind === 'Namespace');
    // What lies in a namespace can only be tried where it is there.
    for (const namespace of namespaces) await cluster.kubectl(['apply', '--server-side', '-f', '-'], namespace);
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    const options = [
      '--server-side',
      '--dry-run=server',
      '--validate=strict',
      '--field-manager=golden',
      '--force-conflicts',
    ];
    const tried = await cluster.kubectl(['apply', ...options, '-f', '-'], list);
    expect(tried.trim().split('\n')).toHaveLength(manifests.length);
  });
});

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}
