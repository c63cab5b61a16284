import type { JsonObject } from '@caelus/core';
import { argoCdFeatures } from '@caelus/core';
import { describeObject, type KubernetesObject } from '../client/resource.ts';
import type { Finding } from './finding.ts';
import type { Installation, RepositoryEntry } from './installation.ts';

/**
 * Who may do what, and by which credentials: repositories, webhooks, the account of Caelus, what keeps instances apart, and the version
 * of Argo CD.
 */
export function accessFindings(installation: Installation): readonly Finding[] {
  return [
    ...repositoryFindings(installation),
    ...webhookFindings(installation),
    ...accountFindings(installation),
    ...isolationFindings(installation),
    ...versionFindings(installation),
    ...rootFindings(installation),
  ];
}

function repositoryFindings({ context, repositories, settings }: Installation): readonly Finding[] {
  const { gitOps, argoCd } = context;
  const found: Finding[] = [];
  const matching = repositories?.filter((entry) => isFor(entry, gitOps.repoURL));
  if (matching?.length === 0) {
    found.push({
      rule: 'repository-unknown',
      severity: 'info',
      where: `Secrets in ${argoCd.namespace}`,
      what: 'Argo CD has no credentials for the GitOps repository.',
      remedy: 'Give bootstrap the repository, unless anybody may read it.',
    });
  }
  for (const { name, project, isUnverified } of matching ?? []) {
    const where = `Secret ${argoCd.namespace}/${name}`;
    if (isUnverified) {
      found.push({
        rule: 'repository-unverified',
        severity: 'error',
        where,
        what: 'Argo CD does not check who the Git server is, so whoever is in between writes what runs in the cluster.',
        remedy: 'Leave out insecure and insecureIgnoreHostKey; give Argo CD the certificate or the host key.',
      });
    }
    if (project !== '') {
      found.push({
        rule: 'repository-project-scoped',
        severity: 'error',
        where,
        what: 'Only one project may use it, and the GitOps repository is read by the projects of all tiers and by the root.',
        remedy: 'Leave out its project.',
      });
    }
  }
  const host = sshHost(gitOps.repoURL);
  const knownHosts = settings['argocd-ssh-known-hosts-cm']?.ssh_known_hosts;
  if (host !== undefined && settings['argocd-ssh-known-hosts-cm'] !== undefined && !knowsHost(knownHosts ?? '', host)) {
    found.push({
      rule: 'ssh-host-unknown',
      severity: 'error',
      where: `ConfigMap ${argoCd.namespace}/argocd-ssh-known-hosts-cm`,
      what: `The host key of ${host} is not in it, so Argo CD does not speak to it.`,
      remedy: 'Add the key, after you compared it with what the operator of the server publishes.',
    });
  }
  return found;
}

function isFor({ isPrefix, url }: RepositoryEntry, repoURL: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/(?:\.git)?\/*$/, '');
  if (url === '') return false;
  return isPrefix ? repoURL.toLowerCase().startsWith(url.toLowerCase()) : plain(url) === plain(repoURL);
}

function sshHost(repoURL: string): string | undefined {
  if (repoURL.startsWith('ssh://')) {
    const { hostname, port } = new URL(repoURL);
    return port === '' || port === '22' ? hostname : `[${hostname}]:${port}`;
  }
  return repoURL.includes('://') ? undefined : /^[^@]+@([^:]+):/.exec(repoURL)?.[1];
}

/** Names may be hashed, and then nobody can tell. */
function knowsHost(knownHosts: string, host: string): boolean {
  const lines = knownHosts.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
  return lines.some((names) => names.startsWith('|1|') || names.split(',').includes(host));
}

function webhookFindings({ secretKeys, context }: Installation): readonly Finding[] {
  if (secretKeys === undefined || secretKeys.some((key) => /^webhook\./.test(key))) return [];
  return [
    {
      rule: 'webhook-unsigned',
      severity: 'warning',
      where: `Secret ${context.argoCd.namespace}/argocd-secret`,
      what: 'Argo CD takes webhooks from anybody who reaches it, and each can make it compare every Application.',
      remedy: 'Give bootstrap the secret of the webhook.',
    },
  ];
}

interface Binding {
  readonly subjects?: readonly { readonly kind?: string; readonly name?: string; readonly namespace?: string }[];
  readonly roleRef?: { readonly kind?: string; readonly name?: string };
}

/** Bindings of the account of Caelus beside the one that is planned. */
function accountFindings({ plan, bindings }: Installation): readonly Finding[] {
  const account = plan.objects.find(({ manifest }) => manifest.kind === 'ServiceAccount')?.manifest;
  if (account === undefined) return [];
  const { name, namespace } = account.metadata as JsonObject;
  const planned = plan.objects.flatMap(({ manifest }) =>
    manifest.kind === 'RoleBinding' ? [(manifest.metadata as JsonObject).name] : [],
  );
  const isOurs = ({ subjects }: Binding) =>
    subjects?.some((each) => each.kind === 'ServiceAccount' && each.name === name && each.namespace === namespace);
  return (bindings ?? [])
    .filter((binding) => isOurs(binding as Binding))
    .filter(({ kind, metadata }) => kind === 'ClusterRoleBinding' || !planned.includes(metadata.name))
    .map((binding: KubernetesObject): Finding => {
      const { roleRef } = binding as Binding;
      return {
        rule: 'caelus-too-permissive',
        severity: binding.kind === 'ClusterRoleBinding' ? 'error' : 'warning',
        where: describeObject({ kind: binding.kind }, binding.metadata),
        what: `It gives the service account of Caelus the ${roleRef?.kind} ${roleRef?.name}, which Caelus does not need.`,
        remedy: 'Remove the binding, or run what needs it under another account.',
      };
    });
}

function isolationFindings({ controllers }: Installation): readonly Finding[] {
  if (controllers === undefined) {
    return [
      {
        rule: 'instance-isolation-off',
        severity: 'warning',
        where: 'ValidatingAdmissionPolicy',
        what: 'A chart that lets its user name a namespace can put objects into that of another instance of the tier.',
        remedy:
          'Leave out instanceIsolation: false, unless each instance has a service account of its own to be deployed by.',
      },
    ];
  }
  return controllers
    .filter(({ exists }) => exists === false)
    .map(({ user }) => ({
      rule: 'controller-unknown',
      severity: 'error',
      where: user,
      what: 'There is no such service account, so nobody of that name is kept out of the namespaces of other instances.',
      remedy: "Give instanceIsolation.controllers the service account that Argo CD's application controller runs as.",
    }));
}

/** A field that rendering uses for a version, and where it stands in the schema of a custom resource definition. */
const FEATURE_FIELDS = [
  { feature: 'retryRefresh', definition: 'applications.argoproj.io', path: ['spec', 'syncPolicy', 'retry', 'refresh'] },
  {
    feature: 'clusterResourceNames',
    definition: 'appprojects.argoproj.io',
    path: ['spec', 'clusterResourceWhitelist', 'name'],
  },
] as const;

function versionFindings({ definitions, context }: Installation): readonly Finding[] {
  const features = argoCdFeatures(context.argoCd.version);
  return FEATURE_FIELDS.flatMap(({ feature, definition, path }): readonly Finding[] => {
    const installed = definitions?.find(({ metadata }) => metadata.name === definition);
    if (installed === undefined || !features[feature] || hasField(installed, path)) return [];
    return [
      {
        rule: 'argo-cd-older',
        severity: 'error',
        where: `CustomResourceDefinition ${definition}`,
        what: `It does not know .${path.join('.')}, which Caelus renders for Argo CD ${context.argoCd.version}: it would be dropped without a word.`,
        remedy: 'Set argoCd.version of the render context to the version that is installed, or upgrade Argo CD.',
      },
    ];
  });
}

function hasField({ spec }: KubernetesObject, path: readonly string[]): boolean {
  const { versions } = spec as { versions?: readonly { schema?: { openAPIV3Schema?: Schema } }[] };
  let schema = versions?.[0]?.schema?.openAPIV3Schema;
  for (const name of path) schema = (schema?.items ?? schema)?.properties?.[name];
  return schema !== undefined;
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** The root Application, as far as it is there. */
function rootFindings({ planned: objects, context }: Installation): readonly Finding[] {
  const root = objects.find(({ planned }) => planned.manifest.kind === 'Application')?.live?.object;
  const status = root?.status as { conditions?: readonly { type?: string }[]; sync?: { status?: string } } | undefined;
  if (root === undefined || status === undefined) return [];
  const where = `Application ${context.argoCd.namespace}/${root.metadata.name}`;
  const failing = status.conditions?.flatMap(({ type }) => (type?.endsWith('Error') ? [type] : [])) ?? [];
  if (failing.length > 0) {
    const what = `Argo CD reports ${[...new Set(failing)].join(', ')}: what Caelus writes to Git does not reach the cluster.`;
    return [{ rule: 'root-fails', severity: 'error', where, what, remedy: 'Read the conditions in its status.' }];
  }
  if (status.sync?.status === undefined || status.sync.status === 'Synced') return [];
  const what = `It is ${status.sync.status}: what Caelus wrote to Git is not yet, or no longer, what is in the cluster.`;
  const remedy = 'Look again in a minute. If it lasts, look at its last operation.';
  return [{ rule: 'root-out-of-sync', severity: 'warning', where, what, remedy }];
}
