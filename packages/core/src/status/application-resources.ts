import { type HealthStatus, healthStatuses } from '../model/instance.ts';
import type { Application } from './application.ts';

/** Which resource of a cluster. */
export interface ResourceName {
  /** `''`: the core group. */
  readonly group: string;
  readonly kind: string;
  /** `null` for what lies in none. */
  readonly namespace: string | null;
  readonly name: string;
}

/** A resource of an instance, as Argo CD last compared it. */
export interface ApplicationResource extends ResourceName {
  readonly version: string;
  /** `null` for hooks, which are not compared, and where Argo CD does not know. */
  readonly syncStatus: 'Synced' | 'OutOfSync' | null;
  /** `null` where it has no health, or the status source does not tell: the Kubernetes API has none of single resources. */
  readonly healthStatus: HealthStatus | null;
  readonly healthMessage: string | null;
  /** Whether Git no longer has it: the next sync that prunes deletes it. */
  readonly requiresPruning: boolean;
  readonly isHook: boolean;
}

/** Every resource that Argo CD manages for an Application, in its order. */
export function applicationResources({ status }: Application): readonly ApplicationResource[] {
  return (status?.resources ?? []).map(({ health, ...found }) => ({
    group: found.group ?? '',
    version: found.version ?? '',
    kind: found.kind ?? '',
    namespace: found.namespace || null,
    name: found.name ?? '',
    syncStatus: found.status === 'Synced' || found.status === 'OutOfSync' ? found.status : null,
    healthStatus: healthStatuses.find((known) => known === health?.status) ?? null,
    healthMessage: health?.message || null,
    requiresPruning: found.requiresPruning === true,
    isHook: found.hook === true,
  }));
}

/** The resources that are not as Git says. Hooks come and go, and make no difference. */
export function differingResources(application: Application): readonly ApplicationResource[] {
  return applicationResources(application).filter(({ syncStatus, isHook }) => syncStatus === 'OutOfSync' && !isHook);
}

/** How many resources a message names. */
const MOST_NAMED = 10;

/** `Deployment wiki/web differs; ConfigMap wiki/old is to be pruned.`; `''` where nothing differs. */
export function describeDifferences(resources: readonly ApplicationResource[]): string {
  return listed(
    resources.map((resource) => {
      const what = resource.requiresPruning
        ? 'is to be pruned'
        : resource.healthStatus === 'Missing'
          ? 'is missing'
          : 'differs';
      return `${describeResource(resource)} ${what}`;
    }),
  );
}

/** For people: `ConfigMap wiki/data`. */
export function describeResource({ kind, namespace, name }: Pick<ResourceName, 'kind' | 'namespace' | 'name'>): string {
  return namespace === null ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** Some parts of a sentence, and how many are left out. */
export function listed(parts: readonly string[]): string {
  const left = parts.length - MOST_NAMED;
  const named = left > 0 ? [...parts.slice(0, MOST_NAMED), `and ${left} more`] : parts;
  return named.length === 0 ? '' : `${named.join('; ')}.`;
}
