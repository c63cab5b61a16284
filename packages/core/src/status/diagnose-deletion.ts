import type { Timestamp } from '../model/identifier.ts';
import type { Application, ApplicationCondition } from './application.ts';
import { describeResource, listed, type ResourceName } from './application-resources.ts';
import { graceEndOf } from './grace-period.ts';
import { toStatusMessage } from './status-message.ts';

/** A resource of an Application, as it lives in the cluster. */
export interface LiveResource extends ResourceName {
  /** `null` where it may not be read. */
  readonly object: LiveObject | null;
}

/** How many resources of one Application a status source reads to find out what holds up a deletion. */
export const LIVE_RESOURCES_LIMIT = 50;

/** What of a live object says why it is still there. */
export interface LiveObject {
  readonly metadata: {
    readonly finalizers?: readonly string[] | undefined;
    readonly deletionTimestamp?: string | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly status?:
    | {
        readonly conditions?:
          | readonly { readonly type?: string; readonly status?: string; readonly message?: string }[]
          | undefined;
      }
    | undefined;
}

/** Something that a deletion waits for. */
export type DeletionBlocker =
  /** The annotation `argocd.argoproj.io/skip-reconcile` keeps Argo CD from doing anything. */
  | { readonly kind: 'paused' }
  /** A sync runs, and Argo CD deletes nothing meanwhile. */
  | { readonly kind: 'operation'; readonly message: string }
  /** What Argo CD says: a deletion hook that failed, manifests that it cannot render. */
  | { readonly kind: 'error'; readonly message: string }
  /** A resource that is marked as deleted, and that its finalizers hold. */
  | { readonly kind: 'finalizers'; readonly resource: ResourceName; readonly finalizers: readonly string[] }
  /** A namespace that is being deleted, and what Kubernetes says of what is left in it. */
  | { readonly kind: 'namespace'; readonly resource: ResourceName; readonly message: string }
  /** A deletion hook that has not ended well, or not yet. */
  | { readonly kind: 'hook'; readonly resource: ResourceName; readonly message: string | null }
  /** Somebody has to confirm that it may be deleted. */
  | { readonly kind: 'confirmation'; readonly resource: ResourceName }
  /** Finalizers of the Application itself that are not Argo CD's. */
  | { readonly kind: 'application-finalizers'; readonly finalizers: readonly string[] }
  /** It is still there, and the status source may not read why. */
  | { readonly kind: 'unreadable'; readonly resource: ResourceName };

export interface DeletionDiagnosis {
  /** Empty where nothing is known to be in the way. */
  readonly blockers: readonly DeletionBlocker[];
  /** What is in the way, for people, within `STATUS_MESSAGE_LIMIT`; `''` where there are no blockers. */
  readonly message: string;
}

export interface DeletionInput {
  readonly application: Application;
  /** Its resources that are still there. */
  readonly resources: readonly LiveResource[];
  readonly now: Timestamp;
  /** How long a resource may take to go before it counts as held. Default 30 seconds. */
  readonly graceMilliseconds?: number | undefined;
}

/** Finds what holds up the deletion of an Application. Nothing does, before it has lasted longer than the grace. */
export function diagnoseDeletion(input: DeletionInput): DeletionDiagnosis {
  const isLasting = isOlder(input.application.metadata.deletionTimestamp, input);
  const blockers = isLasting ? [...blockersInApplication(input), ...blockersInCluster(input)] : [];
  return { blockers, message: toStatusMessage(describeBlockers(blockers)) };
}

function blockersInApplication({ application }: DeletionInput): readonly DeletionBlocker[] {
  const { metadata, operation, status } = application;
  const { phase, message = '' } = status?.operationState ?? {};
  const isRunning = Boolean(operation) && (phase === undefined || phase === 'Running' || phase === 'Terminating');
  const foreign = (metadata.finalizers ?? []).filter((name) => !/(?:^|\.)argocd\.argoproj\.io(?:\/|$)/.test(name));
  return [
    ...(metadata.annotations?.['argocd.argoproj.io/skip-reconcile'] === 'true' ? [{ kind: 'paused' } as const] : []),
    ...(isRunning ? [{ kind: 'operation', message } as const] : []),
    ...(status?.conditions ?? [])
      .filter(({ type }: ApplicationCondition) => type === 'DeletionError')
      .map((condition) => ({ kind: 'error', message: condition.message }) as const),
    ...(foreign.length > 0 ? [{ kind: 'application-finalizers', finalizers: foreign } as const] : []),
  ];
}

function blockersInCluster(input: DeletionInput): readonly DeletionBlocker[] {
  const { application, resources } = input;
  const isApproved = application.metadata.annotations?.['argocd.argoproj.io/deletion-approved'] !== undefined;
  const awaited = (application.status?.resources ?? []).filter((each) => each.requiresDeletionConfirmation === true);
  return resources.flatMap(({ object, ...resource }): readonly DeletionBlocker[] => {
    if (object === null) return [{ kind: 'unreadable', resource }];
    const { deletionTimestamp, finalizers = [] } = object.metadata;
    if (deletionTimestamp !== undefined) {
      if (!isOlder(deletionTimestamp, input)) return [];
      const message = resource.kind === 'Namespace' && resource.group === '' ? namespaceMessage(object) : '';
      if (message !== '') return [{ kind: 'namespace', resource, message }];
      return finalizers.length === 0 ? [] : [{ kind: 'finalizers', resource, finalizers }];
    }
    if (isDeletionHook(object)) return hookBlockers(resource, object);
    const isAwaited = awaited.some(({ kind, name }) => kind === resource.kind && name === resource.name);
    return isAwaited && !isApproved ? [{ kind: 'confirmation', resource }] : [];
  });
}

function isDeletionHook({ metadata: { annotations = {} } }: LiveObject): boolean {
  const types = `${annotations['argocd.argoproj.io/hook'] ?? ''},${annotations['helm.sh/hook'] ?? ''}`.split(',');
  return types.some((type) => /^(?:PreDelete|PostDelete|pre-delete|post-delete)$/.test(type.trim()));
}

function hookBlockers(resource: ResourceName, { status }: LiveObject): readonly DeletionBlocker[] {
  const holds = (type: string) => status?.conditions?.find((each) => each.type === type && each.status === 'True');
  // What is no Job has no such conditions, and Argo CD takes it for healthy.
  if (resource.kind !== 'Job' || holds('Complete')) return [];
  return [{ kind: 'hook', resource, message: holds('Failed')?.message ?? null }];
}

/** Only the conditions that speak of what is left or fails. kubernetes/pkg/controller/namespace/deletion/status_condition_utils.go */
function namespaceMessage({ status }: LiveObject): string {
  return (status?.conditions ?? [])
    .filter(({ type = '', status: state }) => state === 'True' && /Failure$|Remaining$/.test(type))
    .flatMap(({ message }) => message ?? [])
    .join(' ');
}

function describeBlockers(blockers: readonly DeletionBlocker[]): string {
  return listed(blockers.map(describeBlocker));
}

function describeBlocker(blocker: DeletionBlocker): string {
  switch (blocker.kind) {
    case 'paused':
      return 'The Application has the annotation argocd.argoproj.io/skip-reconcile, which stops its deletion, too';
    case 'operation':
      return `A sync still runs${blocker.message === '' ? '' : `: ${withoutStop(blocker.message)}`}`;
    case 'error':
      return withoutStop(blocker.message);
    case 'finalizers':
      return `${describeResource(blocker.resource)} waits for its ${finalizersOf(blocker)}`;
    case 'namespace':
      return `${describeResource(blocker.resource)}: ${withoutStop(blocker.message)}`;
    case 'hook':
      return `The deletion hook ${describeResource(blocker.resource)} has ${
        blocker.message === null ? 'not ended' : `failed: ${withoutStop(blocker.message)}`
      }`;
    case 'confirmation':
      return `${describeResource(blocker.resource)} waits for somebody to confirm its deletion`;
    case 'application-finalizers':
      return `The Application waits for its ${finalizersOf(blocker)}`;
    case 'unreadable':
      return `${describeResource(blocker.resource)} is still there, and Caelus may not read why`;
  }
}

function finalizersOf({ finalizers }: { readonly finalizers: readonly string[] }): string {
  return `${finalizers.length === 1 ? 'finalizer' : 'finalizers'} ${finalizers.join(', ')}`;
}

function withoutStop(text: string): string {
  return text.trim().replace(/\.$/, '');
}

/** Whether what began at `since` has lasted longer than the grace; not where it has not begun. */
function isOlder(since: string | undefined, input: DeletionInput): boolean {
  return since !== undefined && graceEndOf(input, since) === null;
}
