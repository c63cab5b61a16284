import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type ArgoCdClient, createArgoCdClient } from '../src/index.ts';

const one = { name: 'one', project: 'p', namespace: 'apps' };
const application = { metadata: { name: 'one' }, spec: { project: 'p' } };
const project = { metadata: { name: 'p' }, spec: {} };
const repository = { repo: 'https://git.example.com/a.git' };
const credentials = { url: 'https://git.example.com/' };
const cluster = { server: 'https://kubernetes.default.svc' };
const inQuery = 'project=p&appNamespace=apps';
const inBody = { name: 'one', project: 'p', appNamespace: 'apps' };
const REPOSITORY = 'https%3A%2F%2Fgit.example.com%2Fa.git';

/** What each call sends: method, path with query, and body. */
const calls: readonly [string, (client: ArgoCdClient) => unknown, string, unknown?][] = [
  ['applications.list', ({ applications }) => applications.list(), 'GET /api/v1/applications'],
  [
    'applications.list with a filter',
    ({ applications }) =>
      applications.list({ projects: ['p', 'q'], selector: 'a=b', repo: 'r', name: 'n', namespace: 's' }),
    'GET /api/v1/applications?projects=p&projects=q&selector=a%3Db&repo=r&name=n&appNamespace=s',
  ],
  [
    'applications.get',
    ({ applications }) => applications.get(one),
    'GET /api/v1/applications/one?projects=p&appNamespace=apps',
  ],
  [
    'applications.refresh',
    ({ applications }) => applications.refresh(one, 'hard'),
    'GET /api/v1/applications/one?projects=p&appNamespace=apps&refresh=hard',
  ],
  [
    'applications.watch',
    ({ applications }) => drain(applications.watch({ projects: ['p'], selector: 'a=b' })),
    'GET /api/v1/stream/applications?projects=p&selector=a%3Db',
  ],
  [
    'applications.create',
    ({ applications }) => applications.create(application, { upsert: true, validate: false }),
    'POST /api/v1/applications?upsert=true&validate=false',
    application,
  ],
  [
    'applications.update',
    ({ applications }) => applications.update(application, { project: 'p', validate: false }),
    'PUT /api/v1/applications/one?project=p&validate=false',
    application,
  ],
  [
    'applications.updateSpec',
    ({ applications }) => applications.updateSpec(one, { project: 'p' }),
    `PUT /api/v1/applications/one/spec?${inQuery}`,
    { project: 'p' },
  ],
  [
    'applications.patch with a merge patch',
    ({ applications }) => applications.patch(one, { spec: null }),
    'PATCH /api/v1/applications/one',
    { ...inBody, patch: '{"spec":null}', patchType: 'merge' },
  ],
  [
    'applications.patch with a JSON patch',
    ({ applications }) => applications.patch(one, [{ op: 'remove', path: '/operation' }]),
    'PATCH /api/v1/applications/one',
    { ...inBody, patch: '[{"op":"remove","path":"/operation"}]', patchType: 'json' },
  ],
  [
    'applications.delete',
    ({ applications }) => applications.delete(one, { cascade: true, propagationPolicy: 'background' }),
    `DELETE /api/v1/applications/one?${inQuery}&cascade=true&propagationPolicy=background`,
  ],
  [
    'applications.sync',
    ({ applications }) =>
      applications.sync(one, { revisions: ['a'], sourcePositions: [1], prune: true, syncOptions: ['Replace=true'] }),
    'POST /api/v1/applications/one/sync',
    { ...inBody, revisions: ['a'], sourcePositions: [1], prune: true, syncOptions: { items: ['Replace=true'] } },
  ],
  [
    'applications.terminateOperation',
    ({ applications }) => applications.terminateOperation(one),
    `DELETE /api/v1/applications/one/operation?${inQuery}`,
  ],
  [
    'applications.rollback',
    ({ applications }) => applications.rollback(one, { id: 3, prune: true }),
    'POST /api/v1/applications/one/rollback',
    { ...inBody, id: 3, prune: true },
  ],
  [
    'applications.resourceTree',
    ({ applications }) => applications.resourceTree(one, { kind: 'Pod' }),
    `GET /api/v1/applications/one/resource-tree?${inQuery}&kind=Pod`,
  ],
  [
    'applications.resource',
    ({ applications }) => applications.resource(one, { version: 'v1', kind: 'Pod', namespace: 's', name: 'x' }),
    `GET /api/v1/applications/one/resource?${inQuery}&version=v1&kind=Pod&namespace=s&resourceName=x`,
  ],
  [
    'applications.watchResourceTree',
    ({ applications }) => drain(applications.watchResourceTree(one)),
    `GET /api/v1/stream/applications/one/resource-tree?${inQuery}`,
  ],
  [
    'applications.managedResources',
    ({ applications }) => applications.managedResources(one),
    `GET /api/v1/applications/one/managed-resources?${inQuery}`,
  ],
  [
    'applications.manifests',
    ({ applications }) => applications.manifests(one, { revisions: ['a', 'b'], sourcePositions: [1, 2] }),
    `GET /api/v1/applications/one/manifests?${inQuery}&revisions=a&revisions=b&sourcePositions=1&sourcePositions=2`,
  ],
  [
    'applications.events',
    ({ applications }) => applications.events(one, { namespace: 's', name: 'r', uid: 'u' }),
    `GET /api/v1/applications/one/events?${inQuery}&resourceNamespace=s&resourceName=r&resourceUID=u`,
  ],
  [
    'applications.logs',
    ({ applications }) => drain(applications.logs(one, { podName: 'x', tailLines: 5, follow: true })),
    `GET /api/v1/applications/one/logs?${inQuery}&podName=x&tailLines=5&follow=true`,
  ],
  [
    'applications.syncWindows',
    ({ applications }) => applications.syncWindows(one),
    `GET /api/v1/applications/one/syncwindows?${inQuery}`,
  ],
  ['projects.list', ({ projects }) => projects.list(), 'GET /api/v1/projects'],
  ['projects.get', ({ projects }) => projects.get('p'), 'GET /api/v1/projects/p'],
  [
    'projects.create',
    ({ projects }) => projects.create(project, { upsert: true }),
    'POST /api/v1/projects',
    { project, upsert: true },
  ],
  ['projects.update', ({ projects }) => projects.update(project), 'PUT /api/v1/projects/p', { project }],
  ['projects.delete', ({ projects }) => projects.delete('p'), 'DELETE /api/v1/projects/p'],
  [
    'projects.createToken',
    ({ projects }) => projects.createToken({ project: 'p', role: 'r' }, { expiresIn: 60 }),
    'POST /api/v1/projects/p/roles/r/token',
    { project: 'p', role: 'r', expiresIn: 60 },
  ],
  [
    'projects.deleteToken',
    ({ projects }) => projects.deleteToken({ project: 'p', role: 'r' }, { issuedAt: 12, id: 'i' }),
    'DELETE /api/v1/projects/p/roles/r/token/12?id=i',
  ],
  [
    'repositories.list',
    ({ repositories }) => repositories.list({ project: 'p' }),
    'GET /api/v1/repositories?appProject=p',
  ],
  [
    'repositories.get',
    ({ repositories }) => repositories.get(repository.repo, { forceRefresh: true }),
    `GET /api/v1/repositories/${REPOSITORY}?forceRefresh=true`,
  ],
  [
    'repositories.create',
    ({ repositories }) => repositories.create(repository, { upsert: true }),
    'POST /api/v1/repositories?upsert=true',
    repository,
  ],
  [
    'repositories.update',
    ({ repositories }) => repositories.update(repository),
    `PUT /api/v1/repositories/${REPOSITORY}`,
    repository,
  ],
  [
    'repositories.delete',
    ({ repositories }) => repositories.delete(repository.repo, { project: 'p' }),
    `DELETE /api/v1/repositories/${REPOSITORY}?appProject=p`,
  ],
  ['repositoryCredentials.list', (client) => client.repositoryCredentials.list(), 'GET /api/v1/repocreds'],
  [
    'repositoryCredentials.create',
    (client) => client.repositoryCredentials.create(credentials, { upsert: true }),
    'POST /api/v1/repocreds?upsert=true',
    credentials,
  ],
  [
    'repositoryCredentials.update',
    (client) => client.repositoryCredentials.update(credentials),
    'PUT /api/v1/repocreds/https%3A%2F%2Fgit.example.com%2F',
    credentials,
  ],
  [
    'repositoryCredentials.delete',
    (client) => client.repositoryCredentials.delete(credentials.url),
    'DELETE /api/v1/repocreds/https%3A%2F%2Fgit.example.com%2F',
  ],
  ['clusters.list', ({ clusters }) => clusters.list(), 'GET /api/v1/clusters'],
  [
    'clusters.get by its server',
    ({ clusters }) => clusters.get(cluster),
    'GET /api/v1/clusters/https%3A%2F%2Fkubernetes.default.svc',
  ],
  ['clusters.get by its name', ({ clusters }) => clusters.get({ name: 'c' }), 'GET /api/v1/clusters/c?id.type=name'],
  ['clusters.create', ({ clusters }) => clusters.create(cluster), 'POST /api/v1/clusters', cluster],
  [
    'clusters.update',
    ({ clusters }) => clusters.update(cluster, { updatedFields: ['name', 'config'] }),
    'PUT /api/v1/clusters/https%3A%2F%2Fkubernetes.default.svc?updatedFields=name&updatedFields=config',
    cluster,
  ],
  ['clusters.delete', ({ clusters }) => clusters.delete({ name: 'c' }), 'DELETE /api/v1/clusters/c?id.type=name'],
  ['accounts.list', ({ accounts }) => accounts.list(), 'GET /api/v1/account'],
  ['accounts.get', ({ accounts }) => accounts.get('a'), 'GET /api/v1/account/a'],
  [
    'accounts.createToken',
    ({ accounts }) => accounts.createToken('a', { id: 'i', expiresIn: 60 }),
    'POST /api/v1/account/a/token',
    { name: 'a', id: 'i', expiresIn: 60 },
  ],
  ['accounts.deleteToken', ({ accounts }) => accounts.deleteToken('a', 'i'), 'DELETE /api/v1/account/a/token/i'],
  ['user', (client) => client.user(), 'GET /api/v1/session/userinfo'],
  ['version', (client) => client.version(), 'GET /api/version'],
  ['settings', (client) => client.settings(), 'GET /api/v1/settings'],
];

const sent: { readonly call: string; readonly body: unknown }[] = [];
const baseUrl = 'https://argocd.example.com';
const client = createArgoCdClient({
  baseUrl,
  token: 'token',
  async fetch(url, init) {
    const body = init?.body === undefined ? undefined : JSON.parse(String(init.body));
    sent.push({ call: `${init?.method} ${String(url).slice(baseUrl.length)}`, body });
    const isStream = new Headers(init?.headers).get('accept') === 'text/event-stream';
    return new Response(isStream ? '' : '{"token":"made"}');
  },
});

describe('the client', () => {
  it.each(calls)('%s', async (_name, call, expected, body) => {
    sent.length = 0;
    await call(client);
    expect(sent).toEqual([{ call: expected, body }]);
  });

  it('has a call for every operation of the document', () => {
    const document = parse(readFileSync(new URL('../openapi/argo-cd.yaml', import.meta.url), 'utf8')) as {
      paths: Record<string, object>;
    };
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).flatMap((method) => (method === 'parameters' ? [] : [`${method.toUpperCase()} ${path}`])),
    );
    const isMade = (operation: string) => {
      const pattern = new RegExp(`^${operation.replaceAll(/\{[^}]*\}/g, '[^/?]+')}(?:\\?|$)`);
      return calls.some(([, , call]) => pattern.test(call));
    };
    // The login is the token source's, and tested with it.
    expect(operations.filter((operation) => !isMade(operation))).toEqual(['POST /api/v1/session']);
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
