import { IN_CLUSTER } from '@caelus/core';
import type { KubernetesObject } from '../client/resource.ts';
import { globMatches } from './destination-glob.ts';
import type { Finding } from './finding.ts';
import type { Installation } from './installation.ts';

interface ProjectSpec {
  readonly sourceRepos?: readonly string[] | null;
  readonly destinations?: readonly ProjectDestination[] | null;
  readonly clusterResourceWhitelist?: readonly object[] | null;
  readonly namespaceResourceWhitelist?: readonly GroupKind[] | null;
  readonly namespaceResourceBlacklist?: readonly GroupKind[] | null;
  readonly permitOnlyProjectScopedClusters?: boolean;
  readonly destinationServiceAccounts?: readonly object[] | null;
}

interface ProjectDestination {
  readonly server?: string;
  readonly name?: string;
  readonly namespace?: string;
}

interface GroupKind {
  readonly group?: string;
  readonly kind?: string;
}

const ROOT = 'caelus-root';
const server = 'server' in IN_CLUSTER ? IN_CLUSTER.server : '';

/** Projects that let their Applications do more than they should, or less than they must. */
export function projectFindings(installation: Installation): readonly Finding[] {
  const { projects, context, plan, clusters } = installation;
  const argoCdNamespace = context.argoCd.namespace;
  const tierProjects = new Set(
    plan.objects.flatMap(({ manifest, ownership }) =>
      manifest.kind === 'AppProject' && ownership === 'seed' ? [(manifest.metadata as { name: string }).name] : [],
    ),
  );
  return (projects ?? []).flatMap((project): readonly Finding[] => {
    const { name } = project.metadata;
    const spec = specOf(project);
    const where = `AppProject ${argoCdNamespace}/${name}`;
    const found: Finding[] = [];
    if (name === 'default' && isOpen(spec)) {
      found.push({
        rule: 'default-project-open',
        severity: 'error',
        where: `${where}, .spec.destinations`,
        what: 'Every Application that names no other project may bring anything from anywhere to anywhere.',
        remedy: 'Empty its sourceRepos, destinations and clusterResourceWhitelist, and use projects of your own.',
      });
    } else if (name !== ROOT && reaches(spec, argoCdNamespace) && mayWriteArgoCd(spec)) {
      found.push({
        rule: 'project-reaches-argo-cd',
        severity: 'error',
        where: `${where}, .spec.destinations`,
        what: 'Its Applications may write Applications and AppProjects, and so do everything that Argo CD may.',
        remedy: `Add the destination {namespace: '!${argoCdNamespace}'}, or deny those kinds of the group argoproj.io.`,
      });
    }
    if (!tierProjects.has(name)) return found;
    const isAnyCluster = spec.destinations?.some((each) => each.server === '*' || each.name === '*') === true;
    if (isAnyCluster && spec.permitOnlyProjectScopedClusters !== true) {
      found.push({
        rule: 'project-any-cluster',
        severity: 'warning',
        where: `${where}, .spec.destinations`,
        what: 'Instances of the tier may go to every cluster that Argo CD knows.',
        remedy:
          'Give the tier its destinations, or set permitOnlyProjectScopedClusters and give clusters to the project.',
      });
    }
    if (spec.permitOnlyProjectScopedClusters === true && clusters?.some(({ project: of }) => of === name) === false) {
      found.push({
        rule: 'project-without-cluster',
        severity: 'error',
        where: `${where}, .spec.permitOnlyProjectScopedClusters`,
        what: 'It permits only clusters that belong to it, and none does.',
        remedy: `Set project: ${name} in the Secret of a cluster.`,
      });
    }
    if (spec.sourceRepos?.includes('*')) {
      found.push({
        rule: 'project-any-source',
        severity: 'info',
        where: `${where}, .spec.sourceRepos`,
        what: 'Charts may come from any repository.',
        remedy: 'Name the repositories in argoCd.sourceRepos of the render context, where they are known.',
      });
    }
    if (installation.settings['argocd-cm']?.[IMPERSONATION] === 'true' && !spec.destinationServiceAccounts?.length) {
      found.push({
        rule: 'impersonation-without-account',
        severity: 'error',
        where: `${where}, .spec.destinationServiceAccounts`,
        what: 'Argo CD acts as the service account that the project names, and it names none: every sync fails.',
        remedy: 'Name a service account that may write the namespaces of the instances, and the namespaces themselves.',
      });
    }
    return found;
  });
}

/** The setting that lets Argo CD sync as an account of the project, and not as its own. */
export const IMPERSONATION = 'application.sync.impersonation.enabled';

function specOf({ spec }: KubernetesObject): ProjectSpec {
  return (spec ?? {}) as ProjectSpec;
}

function isOpen({ sourceRepos, destinations }: ProjectSpec): boolean {
  return sourceRepos?.includes('*') === true && destinations?.some(({ namespace }) => namespace === '*') === true;
}

/** Whether a project permits a namespace of the cluster that Argo CD runs in. A destination with `!` denies. */
function reaches({ destinations }: ProjectSpec, namespace: string): boolean {
  const all = destinations ?? [];
  const isOf = (pattern: string | undefined, text: string) =>
    pattern !== undefined && pattern !== '' && globMatches(pattern.replace(/^!/, ''), text);
  const isHere = ({ server: at, name }: ProjectDestination) => isOf(at, server) || isOf(name, 'in-cluster');
  const isDenied = all.some(
    (each) =>
      (each.namespace?.startsWith('!') && isOf(each.namespace, namespace)) ||
      (each.server?.startsWith('!') && isOf(each.server, server)),
  );
  if (isDenied) return false;
  return all.some((each) => !each.namespace?.startsWith('!') && isHere(each) && isOf(each.namespace, namespace));
}

/** Whether a project permits to write Applications. Without a whitelist, all that is not denied is permitted. */
function mayWriteArgoCd({ namespaceResourceWhitelist: permitted, namespaceResourceBlacklist: denied }: ProjectSpec) {
  const has = (list: readonly GroupKind[] | null | undefined) =>
    list?.some(({ group, kind }) => globMatches(group ?? '', 'argoproj.io') && globMatches(kind ?? '', 'Application'));
  return !has(denied) && (permitted === undefined || permitted === null || has(permitted) === true);
}
