import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootstrap } from '../src/bootstrap/bootstrap.ts';
import type { BootstrapInput } from '../src/bootstrap/bootstrap-input.ts';
import { planBootstrap } from '../src/bootstrap/plan-bootstrap.ts';
import { createKubernetesClient, type KubernetesClient } from '../src/client/kubernetes-client.ts';
import type { KubernetesObject } from '../src/client/resource.ts';
import type { FindingRule } from '../src/verify/finding.ts';
import type { Installation, RepositoryEntry, SettingsName } from '../src/verify/installation.ts';
import { readInstallation } from '../src/verify/read-installation.ts';
import { findingsOf, verify } from '../src/verify/verify.ts';
import { contextFor, FULL, OTHER_STORE, SECRETS, STORE } from './bootstrap-samples.ts';
import { type FakeApi, startFakeApi } from './fake-kubernetes-api.ts';
import type { FakeObject } from './fake-objects.ts';

/** Without a tier that may go everywhere. */
const INPUT: BootstrapInput = {
  ...FULL,
  context: contextFor('https://git.example.com/platform/gitops.git', { sourceRepos: ['https://charts.example.com/*'] }),
  tiers: FULL.tiers.filter(({ name }) => name === 'beta'),
};
const SETTINGS: Readonly<Record<SettingsName, Readonly<Record<string, string>>>> = {
  'argocd-cm': { 'admin.enabled': 'false', 'timeout.reconciliation': '20m' },
  'argocd-cmd-params-cm': {
    'controller.sync.timeout.seconds': '1800',
    'controller.sync.wave.delay.seconds': '0',
    'controller.cluster.cache.batch.events.processing': 'false',
  },
  'argocd-rbac-cm': {},
  'argocd-ssh-known-hosts-cm': { ssh_known_hosts: 'git.example.com ssh-ed25519 AAAA\n' },
};
/** What is found in an installation that is as good as it can be: instances still run with the rights of Argo CD. */
const REST: readonly FindingRule[] = ['impersonation-off'];

let api: FakeApi;
let client: KubernetesClient;
let good: Installation;

const inArgoCd = (plural: string, name: string, group = '/api/v1') => `${group}/namespaces/argocd/${plural}/${name}`;
const put = (path: string, kind: string, more: object = {}) => {
  const [name = '', , namespace] = path.split('/').reverse();
  const metadata = { name, ...(path.includes('/namespaces/argocd/') && { namespace: namespace && 'argocd' }) };
  api.objects.put(path, { apiVersion: 'v1', kind, metadata, ...more } as FakeObject, 'argocd');
};
const definition = (properties: object) => ({
  spec: { versions: [{ schema: { openAPIV3Schema: { properties: { spec: { properties } } } } }] },
});

beforeAll(async () => {
  api = await startFakeApi();
  client = createKubernetesClient({ server: api.url });
  put('/api/v1/namespaces/argocd', 'Namespace');
  put(inArgoCd('serviceaccounts', 'argocd-application-controller'), 'ServiceAccount');
  for (const [name, data] of Object.entries(SETTINGS)) put(inArgoCd('configmaps', name), 'ConfigMap', { data });
  put(inArgoCd('secrets', 'argocd-secret'), 'Secret', { data: { 'admin.password': 'SECRET-hash' } });
  const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const retry = { properties: { retry: { properties: { refresh: {} } } } };
  put(`${crd}/applications.argoproj.io`, 'CustomResourceDefinition', definition({ syncPolicy: retry }));
  const names = { items: { properties: { name: {} } } };
  put(`${crd}/appprojects.argoproj.io`, 'CustomResourceDefinition', definition({ clusterResourceWhitelist: names }));
  const projects = '/apis/argoproj.io/v1alpha1';
  put(inArgoCd('appprojects', 'default', projects), 'AppProject', { spec: { sourceRepos: [], destinations: [] } });
  await bootstrap(client, planBootstrap(INPUT));
  good = await readInstallation(client, INPUT, {});
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
});

const setting = (name: SettingsName, key: string, value: string | undefined): ((it: Installation) => Installation) => {
  return (it) => {
    const { [key]: _, ...rest } = it.settings[name] ?? {};
    return { ...it, settings: { ...it.settings, [name]: value === undefined ? rest : { ...rest, [key]: value } } };
  };
};
const project = (name: string, spec: object) => (it: Installation) => ({
  ...it,
  projects: [...(it.projects ?? []).filter(({ metadata }) => metadata.name !== name), projectNamed(name, spec)],
});
const projectNamed = (name: string, spec: object): KubernetesObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'AppProject',
  metadata: { name, namespace: 'argocd' },
  spec,
});
/** Changes what is there of a planned object. */
const live =
  (kind: string, name: string, change: (object: KubernetesObject) => object | undefined) => (it: Installation) => ({
    ...it,
    planned: it.planned.map((each) => {
      const { manifest } = each.planned;
      if (manifest.kind !== kind || (manifest.metadata as { name: string }).name !== name || !each.live) return each;
      const object = change(each.live.object);
      return { ...each, live: object && { ...each.live, object: object as KubernetesObject } };
    }),
  });
const metadata = (more: object) => (object: KubernetesObject) => ({
  ...object,
  metadata: { ...object.metadata, ...more },
});
const repository = (change: Partial<RepositoryEntry>) => (it: Installation) => ({
  ...it,
  repositories: it.repositories?.map((each) => ({ ...each, ...change })) ?? [],
});
const binding = (kind: string) => (it: Installation) => ({
  ...it,
  bindings: [
    ...(it.bindings ?? []),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: { name: 'more', ...(kind === 'RoleBinding' && { namespace: 'argocd' }) },
      subjects: [{ kind: 'ServiceAccount', name: 'caelus', namespace: 'caelus' }],
      roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    },
  ],
});
const version =
  (argoCd: '2.14' | '3.5', change: (it: Installation) => Installation = (it) => it) =>
  (it: Installation) =>
    change({ ...it, context: { ...it.context, argoCd: { ...it.context.argoCd, version: argoCd } } });
const ssh = (repoURL: string, knownHosts: string) => (it: Installation) => ({
  ...setting('argocd-ssh-known-hosts-cm', 'ssh_known_hosts', knownHosts)(repository({ url: repoURL })(it)),
  context: { ...it.context, gitOps: { ...it.context.gitOps, repoURL } },
});

const BETA = {
  sourceRepos: ['https://x'],
  destinations: [{ name: 'eu-1', namespace: '????????-????-????-????-????????????' }],
};

type Row = readonly [
  what: string,
  change: (it: Installation) => Installation,
  rule: FindingRule | undefined,
  severity?: 'error' | 'warning' | 'info',
];

const ROWS: readonly Row[] = [
  ['nothing wrong', (it) => it, undefined],
  [
    'instances that nobody keeps apart',
    (it) => ({ ...it, controllers: undefined }),
    'instance-isolation-off',
    'warning',
  ],
  [
    'a controller that is not there',
    (it) => ({ ...it, controllers: [{ user: 'system:serviceaccount:x:y', exists: false }] }),
    'controller-unknown',
    'error',
  ],
  [
    'a controller of which nothing can be said',
    (it) => ({ ...it, controllers: [{ user: 'somebody', exists: undefined }] }),
    undefined,
  ],
  [
    'a policy that somebody has weakened',
    live('ValidatingAdmissionPolicy', `caelus-instance-isolation-${STORE}`, (object) => ({
      ...object,
      spec: { ...(object.spec as object), failurePolicy: 'Ignore' },
    })),
    'object-differs',
    'warning',
  ],
  [
    'something unreadable',
    (it) => ({ ...it, unreadable: [{ what: 'secrets', reason: 'forbidden' }] }),
    'unreadable',
    'warning',
  ],
  ['a planned object missing', live('Role', 'caelus', () => undefined), 'object-missing', 'error'],
  ['a project of a tier missing', live('AppProject', 'caelus-beta', () => undefined), 'object-missing', 'error'],
  [
    'an object of another database',
    live('Role', 'caelus', metadata({ annotations: { 'caelus.dev/store': OTHER_STORE } })),
    'object-foreign',
    'error',
  ],
  [
    'an object that is being deleted',
    live('Application', 'caelus-root', metadata({ deletionTimestamp: 'now' })),
    'object-being-deleted',
    'error',
  ],
  [
    'a role with more rights',
    live('Role', 'caelus', (object) => ({ ...object, rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] })),
    'object-differs',
    'warning',
  ],
  [
    'a root without pruning',
    live('Application', 'caelus-root', (object) => ({
      ...object,
      spec: { ...(object.spec as object), syncPolicy: {} },
    })),
    'object-differs',
    'warning',
  ],
  [
    'a root with a field more',
    live('AppProject', 'caelus-root', (object) => ({
      ...object,
      spec: { ...(object.spec as object), clusterResourceWhitelist: [{ group: '*', kind: '*' }] },
    })),
    'object-differs',
    'warning',
  ],
  [
    'a tier that Git says otherwise',
    live('AppProject', 'caelus-beta', (object) => ({
      ...object,
      spec: { ...(object.spec as object), description: 'newer' },
    })),
    'object-differs',
    'info',
  ],
  [
    'a notice that nobody is subscribed to',
    live('ConfigMap', 'argocd-notifications-cm', (object) => ({ ...object, data: {} })),
    'object-differs',
    'warning',
  ],
  [
    'the default project open',
    project('default', { sourceRepos: ['*'], destinations: [{ server: '*', namespace: '*' }] }),
    'default-project-open',
    'error',
  ],
  [
    'the default project without sources',
    project('default', { sourceRepos: [], destinations: [{ server: '*', namespace: '*' }] }),
    'project-reaches-argo-cd',
    'error',
  ],
  [
    'a project for every namespace',
    project('team', { destinations: [{ server: '*', namespace: '*' }] }),
    'project-reaches-argo-cd',
    'error',
  ],
  [
    'a project for the namespace of Argo CD',
    project('team', { destinations: [{ name: 'in-cluster', namespace: 'argo*' }] }),
    'project-reaches-argo-cd',
    'error',
  ],
  [
    'a project for it that denies Applications',
    project('team', {
      destinations: [{ server: '*', namespace: '*' }],
      namespaceResourceBlacklist: [{ group: 'argoproj.io', kind: '*' }],
    }),
    undefined,
  ],
  [
    'a project for it that permits other kinds',
    project('team', {
      destinations: [{ server: '*', namespace: '*' }],
      namespaceResourceWhitelist: [{ group: 'apps', kind: '*' }],
    }),
    undefined,
  ],
  [
    'a project for it that denies the namespace',
    project('team', { destinations: [{ server: '*', namespace: '*' }, { namespace: '!argocd' }] }),
    undefined,
  ],
  [
    'a project of another cluster',
    project('team', { destinations: [{ server: 'https://other', namespace: '*' }] }),
    undefined,
  ],
  [
    'a tier for every cluster',
    project('caelus-beta', { ...BETA, destinations: [{ server: '*', namespace: 'x-*' }] }),
    'project-any-cluster',
    'warning',
  ],
  [
    'a tier for every cluster of its own',
    (it) => ({
      ...project('caelus-beta', {
        ...BETA,
        destinations: [{ server: '*', namespace: 'x-*' }],
        permitOnlyProjectScopedClusters: true,
      })(it),
      clusters: [{ server: 'https://x', name: 'x', project: 'caelus-beta' }],
    }),
    undefined,
  ],
  [
    'a tier for its own clusters without any',
    project('caelus-beta', { ...BETA, permitOnlyProjectScopedClusters: true }),
    'project-without-cluster',
    'error',
  ],
  [
    'a tier for charts from anywhere',
    project('caelus-beta', { ...BETA, sourceRepos: ['*'] }),
    'project-any-source',
    'info',
  ],
  ['anonymous users', setting('argocd-cm', 'users.anonymous.enabled', 'true'), 'anonymous-access', 'error'],
  ['terminals', setting('argocd-cm', 'exec.enabled', 'true'), 'exec-enabled', 'warning'],
  [
    'programs in kustomizations',
    setting('argocd-cm', 'kustomize.buildOptions', '--enable-helm --enable-exec'),
    'kustomize-unrestricted',
    'warning',
  ],
  [
    'files outside of kustomizations',
    setting('argocd-cm', 'kustomize.buildOptions', '--load-restrictor LoadRestrictionsNone'),
    'kustomize-unrestricted',
    'warning',
  ],
  ['charts in kustomizations', setting('argocd-cm', 'kustomize.buildOptions', '--enable-helm'), undefined],
  [
    'tracking by label',
    setting('argocd-cm', 'application.resourceTrackingMethod', 'label'),
    'tracking-by-label',
    'error',
  ],
  ['tracking by both', setting('argocd-cm', 'application.resourceTrackingMethod', 'annotation+label'), undefined],
  ['tracking as it is in 2.14', version('2.14'), 'tracking-by-label', 'error'],
  ['polling as it comes', setting('argocd-cm', 'timeout.reconciliation', undefined), 'polling-default', 'info'],
  ['no polling', setting('argocd-cm', 'timeout.reconciliation', '0s'), 'polling-off', 'warning'],
  ['polling each 59 s', setting('argocd-cm', 'timeout.reconciliation', '59s'), 'polling-frequent', 'warning'],
  ['polling each minute', setting('argocd-cm', 'timeout.reconciliation', '60s'), undefined],
  ['polling each hour', setting('argocd-cm', 'timeout.reconciliation', '1h'), undefined],
  ['polling less than each hour', setting('argocd-cm', 'timeout.reconciliation', '61m'), 'polling-rare', 'info'],
  [
    'everybody an administrator',
    setting('argocd-rbac-cm', 'policy.default', 'role:admin'),
    'default-role-wide',
    'error',
  ],
  ['everybody a reader', setting('argocd-rbac-cm', 'policy.default', 'role:readonly'), 'default-role-wide', 'warning'],
  ['no authentication', setting('argocd-cmd-params-cm', 'server.disable.auth', 'true'), 'authentication-off', 'error'],
  ['no TLS', setting('argocd-cmd-params-cm', 'server.insecure', 'true'), 'tls-off', 'warning'],
  [
    'Applications in every namespace',
    setting('argocd-cmd-params-cm', 'application.namespaces', 'team, *'),
    'applications-anywhere',
    'error',
  ],
  ['Applications in some namespaces', setting('argocd-cmd-params-cm', 'application.namespaces', 'team-*'), undefined],
  [
    'syncs without end',
    setting('argocd-cmd-params-cm', 'controller.sync.timeout.seconds', '0'),
    'sync-timeout-off',
    'info',
  ],
  [
    'events of the cluster in batches',
    setting('argocd-cmd-params-cm', 'controller.cluster.cache.batch.events.processing', undefined),
    'deletion-hooks-skipped',
    'info',
  ],
  [
    'a wait between waves as it comes',
    setting('argocd-cmd-params-cm', 'controller.sync.wave.delay.seconds', undefined),
    'sync-wave-delay-default',
    'info',
  ],
  ['a wait that was chosen', setting('argocd-cmd-params-cm', 'controller.sync.wave.delay.seconds', '5'), undefined],
  [
    'the first password',
    (it) => ({ ...setting('argocd-cm', 'admin.enabled', undefined)(it), hasInitialPassword: true }),
    'admin-password-initial',
    'warning',
  ],
  ['the first password of nobody', (it) => ({ ...it, hasInitialPassword: true }), undefined],
  ['webhooks of anybody', (it) => ({ ...it, secretKeys: ['admin.password'] }), 'webhook-unsigned', 'warning'],
  ['no credentials for the repository', (it) => ({ ...it, repositories: [] }), 'repository-unknown', 'info'],
  [
    'credentials for all repositories of the server',
    repository({ isPrefix: true, url: 'https://git.example.com/' }),
    undefined,
  ],
  [
    'credentials for another repository',
    repository({ url: 'https://git.example.com/platform/other' }),
    'repository-unknown',
    'info',
  ],
  ['a repository that is spelt otherwise', repository({ url: 'https://GIT.example.com/platform/gitops' }), undefined],
  ['a repository that is not checked', repository({ isUnverified: true }), 'repository-unverified', 'error'],
  ['a repository of one project', repository({ project: 'caelus-beta' }), 'repository-project-scoped', 'error'],
  [
    'a host by SSH that is known',
    ssh('ssh://git@git.example.com/gitops.git', 'git.example.com ssh-ed25519 AAAA'),
    undefined,
  ],
  [
    'a host by SSH that is not',
    ssh('git@other.example.com:gitops.git', 'git.example.com ssh-ed25519 AAAA'),
    'ssh-host-unknown',
    'error',
  ],
  [
    'a port by SSH that is not',
    ssh('ssh://git@git.example.com:2222/gitops.git', 'git.example.com ssh-ed25519 AAAA'),
    'ssh-host-unknown',
    'error',
  ],
  [
    'a port by SSH that is known',
    ssh('ssh://git@git.example.com:2222/gitops.git', '[git.example.com]:2222 ssh-ed25519 AAAA'),
    undefined,
  ],
  ['hosts by SSH that are hashed', ssh('git@other.example.com:gitops.git', '|1|abc=|def= ssh-ed25519 AAAA'), undefined],
  ['an account with rights in the whole cluster', binding('ClusterRoleBinding'), 'caelus-too-permissive', 'error'],
  ['an account with more rights', binding('RoleBinding'), 'caelus-too-permissive', 'warning'],
  [
    'an older Argo CD',
    (it) => ({ ...it, definitions: it.definitions?.map((each) => ({ ...each, spec: {} })) }),
    'argo-cd-older',
    'error',
  ],
  [
    'an older Argo CD that is rendered for',
    version('2.14', (it) =>
      setting('argocd-cm', 'application.resourceTrackingMethod', 'annotation')({ ...it, definitions: [] }),
    ),
    undefined,
  ],
  [
    'a root that fails',
    live('Application', 'caelus-root', (object) => ({
      ...object,
      status: { conditions: [{ type: 'ComparisonError', message: 'SECRET' }] },
    })),
    'root-fails',
    'error',
  ],
  [
    'a root that lags',
    live('Application', 'caelus-root', (object) => ({ ...object, status: { sync: { status: 'OutOfSync' } } })),
    'root-out-of-sync',
    'warning',
  ],
  [
    'a root that is well',
    live('Application', 'caelus-root', (object) => ({ ...object, status: { sync: { status: 'Synced' } } })),
    undefined,
  ],
  [
    'nothing readable',
    (it) => ({
      ...it,
      planned: [],
      projects: undefined,
      secretKeys: undefined,
      hasInitialPassword: undefined,
      repositories: undefined,
      clusters: undefined,
      bindings: undefined,
      definitions: undefined,
    }),
    undefined,
  ],
];

describe('verify', () => {
  const rows = ROWS.map(([what, change, rule, severity]) => ({ what, change, rule, severity }));
  it.each(rows)('says of $what what there is to say', ({ change, rule, severity }) => {
    const found = findingsOf(change(good)).filter((finding) => !REST.includes(finding.rule));
    // Each field that is missing of a definition is a finding of its own.
    expect([...new Set(found.map((finding) => finding.rule))]).toEqual(rule === undefined ? [] : [rule]);
    if (severity !== undefined) expect(found[0]?.severity).toBe(severity);
    for (const { where, what, remedy } of found)
      expect(Math.min(where.length, what.length, remedy.length)).toBeGreaterThan(5);
    expect(JSON.stringify(found)).not.toContain('SECRET');
  });

  it('says that syncs have all rights, and where impersonation has nobody to be', () => {
    expect(findingsOf(good).map(({ rule }) => rule)).toEqual(REST);
    const on = setting('argocd-cm', 'application.sync.impersonation.enabled', 'true')(good);
    expect(findingsOf(on)).toMatchObject([
      { rule: 'impersonation-without-account', severity: 'error', where: expect.stringContaining('caelus-beta') },
    ]);
    const accounts = [{ server: '*', namespace: '*', defaultServiceAccount: 'tenants:deployer' }];
    expect(findingsOf(project('caelus-beta', { ...BETA, destinationServiceAccounts: accounts })(on))).toEqual([]);
  });

  it('has the gravest first', () => {
    const bad = setting(
      'argocd-cmd-params-cm',
      'server.disable.auth',
      'true',
    )(setting('argocd-cm', 'timeout.reconciliation', undefined)(good));
    expect(findingsOf(bad).map(({ severity }) => severity)).toEqual(['error', 'warning', 'info']);
  });

  it('reads, and writes nothing', async () => {
    const before = api.requests.length;
    const { version: at } = api.objects;
    expect((await verify(client, INPUT)).map(({ rule }) => rule)).toEqual(REST);
    expect(api.requests.slice(before).every(({ method }) => method === 'GET')).toBe(true);
    expect(api.objects.version).toBe(at);
  });

  it('keeps no value of a secret', () => {
    const shown = inspect(good, { depth: 30, maxArrayLength: null, maxStringLength: null });
    for (const secret of [...Object.values(SECRETS), 'SECRET-hash']) {
      expect(shown).not.toContain(secret);
      expect(shown).not.toContain(Buffer.from(secret).toString('base64'));
    }
    expect(good.secretKeys).toContain('admin.password');
  });

  it('says what it may not read, and looks at the rest', async () => {
    for (const right of ['get secrets', 'list secrets', 'list clusterrolebindings']) api.forbidden.add(right);
    try {
      const found = await verify(client, INPUT);
      expect(new Set(found.map(({ rule }) => rule))).toEqual(new Set(['unreadable', ...REST]));
      expect(found.map(({ where }) => where)).toContain('clusterrolebindings');
    } finally {
      api.forbidden.clear();
    }
  });

  it('says of an empty cluster that Argo CD is missing', async () => {
    await using empty = await startFakeApi();
    empty.served.delete('appprojects');
    await using other = createKubernetesClient({ server: empty.url });
    await expect(verify(other, INPUT)).rejects.toMatchObject({ code: 'KUBERNETES_RESOURCE_UNKNOWN' });
  });

  it('says of a plain Argo CD what is missing', async () => {
    await using plain = await startFakeApi();
    await using other = createKubernetesClient({ server: plain.url });
    const missing = (await verify(other, INPUT)).filter(({ rule }) => rule === 'object-missing');
    expect(missing).toHaveLength(planBootstrap(INPUT).objects.length);
  });
});
