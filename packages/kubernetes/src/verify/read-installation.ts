import { type CallOptions, isCaelusError } from '@caelus/core';
import type { BootstrapInput } from '../bootstrap/bootstrap-input.ts';
import { controllersOf } from '../bootstrap/instance-isolation.ts';
import { planBootstrap } from '../bootstrap/plan-bootstrap.ts';
import { type KubernetesClient, nameOf } from '../client/kubernetes-client.ts';
import { describeObject, type KubernetesObject, RESOURCES, type ResourceType, resourceOf } from '../client/resource.ts';
import type { ClusterEntry, Installation, LiveObject, RepositoryEntry, SettingsName } from './installation.ts';

const SETTINGS: readonly SettingsName[] = [
  'argocd-cm',
  'argocd-cmd-params-cm',
  'argocd-rbac-cm',
  'argocd-ssh-known-hosts-cm',
];
const PAGE = 250;
const SECRET_TYPE = 'argocd.argoproj.io/secret-type';

/**
 * Reads what the rules look at. Values of secrets are dropped as soon as they are read; what the caller may not read is noted
 * and left out.
 * @throws {CaelusError} `KUBERNETES_RESOURCE_UNKNOWN` without Argo CD, `KUBERNETES_AUTH_FAILED`, `UNAVAILABLE`
 */
export async function readInstallation(
  client: KubernetesClient,
  input: BootstrapInput,
  options: CallOptions,
): Promise<Installation> {
  const plan = planBootstrap(input);
  const { namespace } = input.context.argoCd;
  const unreadable: { what: string; reason: string }[] = [];

  async function ifReadable<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!isCaelusError(error, 'KUBERNETES_ACCESS_DENIED')) throw error;
      unreadable.push({ what, reason: 'forbidden' });
      return undefined;
    }
  }

  const get = (resource: ResourceType, name: string, inNamespace: string | undefined = namespace) =>
    ifReadable(describeObject(resource, { namespace: inNamespace, name }), async () => ({
      found: await client.get(resource, { namespace: inNamespace, name }, options),
    }));
  const list = (resource: ResourceType, inNamespace: string | undefined, labelSelector?: string) =>
    ifReadable(`${resource.plural}${inNamespace === undefined ? '' : ` in ${inNamespace}`}`, () =>
      listAll(client, resource, { namespace: inNamespace, labelSelector }, options),
    );

  const exists = async (user: string) => {
    const [, inNamespace, name] = /^system:serviceaccount:([^:/%]+):([^:/%]+)$/.exec(user) ?? [];
    if (inNamespace === undefined || name === undefined) return undefined;
    const answer = await get(RESOURCES.ServiceAccount, name, inNamespace);
    return answer && answer.found !== undefined;
  };

  // First, because without it nothing else matters.
  const projects = await list(RESOURCES.AppProject, namespace);
  const planned = [];
  for (const each of plan.objects) {
    const { name, namespace: inNamespace } = nameOf(each.manifest);
    const answer = await get(resourceOf(each.manifest), name, inNamespace);
    if (answer !== undefined) planned.push({ planned: each, live: answer.found && withoutSecrets(answer.found) });
  }
  const settings = {} as Record<SettingsName, Readonly<Record<string, string>> | undefined>;
  for (const name of SETTINGS) {
    const answer = await get(RESOURCES.ConfigMap, name);
    settings[name] = answer && textsOf(answer.found?.data);
  }
  const secret = await get(RESOURCES.Secret, 'argocd-secret');
  const initial = await get(RESOURCES.Secret, 'argocd-initial-admin-secret');
  const known = await list(RESOURCES.Secret, namespace, SECRET_TYPE);
  const ofType = (type: string) => known?.filter(({ metadata }) => metadata.labels?.[SECRET_TYPE] === type);
  const [bindings, clusterBindings] = [
    await list(RESOURCES.RoleBinding, namespace),
    await list(RESOURCES.ClusterRoleBinding, undefined),
  ];
  const { instanceIsolation = {} } = input;
  const users = instanceIsolation === false ? undefined : controllersOf(instanceIsolation, namespace);
  const controllers = users && (await Promise.all(users.map(async (user) => ({ user, exists: await exists(user) }))));
  const definitions = await ifReadable('the custom resource definitions of Argo CD', async () => {
    const names = ['applications.argoproj.io', 'appprojects.argoproj.io'];
    const found = await Promise.all(
      names.map((name) => client.get(RESOURCES.CustomResourceDefinition, { name }, options)),
    );
    return found.filter((each) => each !== undefined);
  });
  return {
    context: input.context,
    plan,
    planned,
    projects,
    settings,
    secretKeys: secret && Object.keys(secret.found?.data ?? {}),
    hasInitialPassword: initial && initial.found !== undefined,
    repositories: known && [
      ...(ofType('repository') ?? []).map((each) => repositoryEntry(each, false)),
      ...(ofType('repo-creds') ?? []).map((each) => repositoryEntry(each, true)),
    ],
    clusters: ofType('cluster')?.map(clusterEntry),
    controllers,
    bindings: bindings && clusterBindings && [...bindings, ...clusterBindings],
    definitions,
    unreadable,
  };
}

async function listAll(
  client: KubernetesClient,
  resource: ResourceType,
  place: { readonly namespace: string | undefined; readonly labelSelector: string | undefined },
  options: CallOptions,
): Promise<readonly KubernetesObject[]> {
  const items: KubernetesObject[] = [];
  let next: string | undefined;
  do {
    const page = await client.list(resource, { ...place, limit: PAGE, continue: next }, options);
    if (!page.ok) throw client.failure(`list ${resource.plural}`, page.status);
    items.push(...page.value.items);
    next = page.value.continue;
  } while (next !== undefined);
  return items;
}

function withoutSecrets(object: KubernetesObject): LiveObject {
  if (object.kind !== 'Secret') return { object };
  const { data, stringData: _, ...rest } = object;
  return { object: rest as KubernetesObject, secretKeys: Object.keys(data ?? {}) };
}

function repositoryEntry(secret: KubernetesObject, isPrefix: boolean): RepositoryEntry {
  const field = fieldsOf(secret);
  const isUnverified = field('insecure') === 'true' || field('insecureIgnoreHostKey') === 'true';
  return { name: secret.metadata.name, isPrefix, url: field('url'), project: field('project'), isUnverified };
}

function clusterEntry(secret: KubernetesObject): ClusterEntry {
  const field = fieldsOf(secret);
  return { server: field('server'), name: field('name'), project: field('project') };
}

/** Fields that are no secrets. */
function fieldsOf({ data }: KubernetesObject) {
  const encoded = textsOf(data);
  return (name: 'url' | 'project' | 'insecure' | 'insecureIgnoreHostKey' | 'server' | 'name') =>
    Buffer.from(encoded[name] ?? '', 'base64').toString('utf8');
}

function textsOf(data: unknown): Readonly<Record<string, string>> {
  if (typeof data !== 'object' || data === null) return {};
  return Object.fromEntries(Object.entries(data).filter(([, value]) => typeof value === 'string'));
}
