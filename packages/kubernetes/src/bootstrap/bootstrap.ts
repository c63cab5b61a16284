import { CaelusError, type CallOptions, type StoreId } from '@caelus/core';
import { type ApiStatus, conflictsOf } from '../client/api-status.ts';
import { type Answer, type KubernetesClient, nameOf } from '../client/kubernetes-client.ts';
import { describeObject, type KubernetesObject, resourceOf } from '../client/resource.ts';
import type { FieldConflict } from '../kubernetes-errors.ts';
import { isSameObject, missingFields } from './object-difference.ts';
import type { BootstrapPlan } from './plan-bootstrap.ts';
import { type PlannedObject, revealed, STORE_ANNOTATION } from './planned-object.ts';

export interface BootstrapOptions extends CallOptions {
  /** Asks the API server what it would do, and changes nothing. Default `false`. */
  readonly dryRun?: boolean | undefined;
  /** Takes fields over that others have set to another value. Default `false`: that is an error. */
  readonly force?: boolean | undefined;
}

/** What bootstrap did, or with `dryRun` would do. */
export interface BootstrapReport {
  readonly objects: readonly BootstrappedObject[];
}

export interface BootstrappedObject {
  /** For example `ConfigMap argocd/argocd-notifications-cm`. */
  readonly object: string;
  /** `kept`: it is there, and differs, but is not bootstrap's to change once it is there. */
  readonly outcome: 'created' | 'changed' | 'unchanged' | 'kept';
  readonly reason: string;
}

interface Looked {
  readonly planned: PlannedObject;
  readonly object: string;
  readonly live: KubernetesObject | undefined;
}

/**
 * Brings about what was planned, by server-side apply. All of it is tried without effect first, so that a conflict or a refusal
 * leaves the cluster as it was. The same call again changes nothing.
 * @throws {CaelusError} `STORE_FOREIGN` where an object belongs to another Caelus database, `BOOTSTRAP_CONFLICT`,
 * `KUBERNETES_ACCESS_DENIED`, `KUBERNETES_RESOURCE_UNKNOWN` without Argo CD, `KUBERNETES_REQUEST_REFUSED`, `UNAVAILABLE`
 */
export async function bootstrap(
  client: KubernetesClient,
  plan: BootstrapPlan,
  options: BootstrapOptions = {},
): Promise<BootstrapReport> {
  const { signal, dryRun = false, force = false } = options;
  const looked: Looked[] = [];
  for (const planned of plan.objects) {
    const [resource, name] = [resourceOf(planned.manifest), nameOf(planned.manifest)];
    const live = await client.get(resource, name, { signal });
    assertNotForeign(plan.storeId, describeObject(resource, name), live);
    looked.push({ planned, object: describeObject(resource, name), live });
  }
  const write = { fieldManager: fieldManager(plan.storeId), force, signal };
  const trial = await tryAll(client, looked, write);
  if (dryRun) return { objects: trial };
  const objects: BootstrappedObject[] = [];
  for (const [index, { planned, object, live }] of looked.entries()) {
    const { reason } = planned;
    const outcome = trial[index]?.outcome;
    if (planned.ownership === 'seed' && live !== undefined) {
      objects.push({ object, reason, outcome: outcome ?? 'kept' });
      continue;
    }
    const answer = await send(client, planned, { ...write, isDryRun: false });
    if (answer.ok) objects.push({ object, reason, outcome: outcomeOf(live, answer.value) });
    else if (isTaken(planned, answer.status)) objects.push({ object, reason, outcome: 'kept' });
    else throw failure(client, object, answer.status);
  }
  return { objects };
}

/** The database is part of the name, so that the API server itself sees two of them disagree, also when they race. */
function fieldManager(storeId: StoreId): string {
  return `caelus/${storeId}`;
}

interface Write extends CallOptions {
  readonly fieldManager: string;
  readonly force: boolean;
}

/** Asks the API server what it would do. Conflicts of all objects come in one error. */
async function tryAll(
  client: KubernetesClient,
  looked: readonly Looked[],
  write: Write,
): Promise<readonly BootstrappedObject[]> {
  const conflicts: FieldConflict[] = [];
  const newNamespaces = new Set<string>();
  const objects: BootstrappedObject[] = [];
  for (const { planned, object, live } of looked) {
    const { manifest, ownership, reason } = planned;
    const { name, namespace } = nameOf(manifest);
    if (manifest.kind === 'Namespace' && live === undefined) newNamespaces.add(name);
    if (ownership === 'seed' && live !== undefined) {
      const { spec = {} } = manifest;
      const outcome = missingFields(spec, live.spec ?? {}).length === 0 ? 'unchanged' : 'kept';
      objects.push({ object, reason, outcome });
    } else if (namespace !== undefined && newNamespaces.has(namespace)) {
      // Nothing can be tried in a namespace that is not there yet.
      objects.push({ object, reason, outcome: 'created' });
    } else {
      const answer = await send(client, planned, { ...write, isDryRun: true });
      const found = answer.ok ? [] : conflictsOf(object, answer.status);
      conflicts.push(...found);
      if (answer.ok) objects.push({ object, reason, outcome: outcomeOf(live, answer.value) });
      else if (isTaken(planned, answer.status)) objects.push({ object, reason, outcome: 'kept' });
      else if (found.length === 0) throw failure(client, object, answer.status);
    }
  }
  if (conflicts.length > 0) throw conflictError(conflicts);
  return objects;
}

function send(
  client: KubernetesClient,
  planned: PlannedObject,
  { force, ...write }: Write & { readonly isDryRun: boolean },
): Promise<Answer<KubernetesObject>> {
  const manifest = revealed(planned);
  return planned.ownership === 'seed' ? client.create(manifest, write) : client.apply(manifest, { ...write, force });
}

function outcomeOf(live: KubernetesObject | undefined, next: KubernetesObject): 'created' | 'changed' | 'unchanged' {
  if (live === undefined) return 'created';
  return isSameObject(live, next) ? 'unchanged' : 'changed';
}

/** Whether a seed that was missing a moment ago has been made by somebody else since, such as the root Application. */
function isTaken({ ownership }: PlannedObject, { reason }: ApiStatus): boolean {
  return ownership === 'seed' && reason === 'AlreadyExists';
}

function failure(client: KubernetesClient, object: string, status: ApiStatus): Error {
  const conflicts = conflictsOf(object, status);
  return conflicts.length > 0 ? conflictError(conflicts) : client.failure(`apply ${object}`, status);
}

function conflictError(conflicts: readonly FieldConflict[]): CaelusError<'BOOTSTRAP_CONFLICT'> {
  const list = conflicts.slice(0, 10).map(({ object, field, manager }) => `${field} of ${object} (${manager})`);
  return new CaelusError({
    code: 'BOOTSTRAP_CONFLICT',
    message: `Others have set what bootstrap sets otherwise: ${list.join(', ')}. Look at each, and use force to take them over.`,
    details: { conflicts },
  });
}

function assertNotForeign(storeId: StoreId, object: string, live: KubernetesObject | undefined): void {
  const actual = live?.metadata.annotations?.[STORE_ANNOTATION];
  if (actual === undefined || actual === storeId) return;
  throw new CaelusError({
    code: 'STORE_FOREIGN',
    message: `${object} belongs to another Caelus database. Give each one an Argo CD of its own; nothing was written.`,
    details: { expected: storeId, actual },
  });
}
