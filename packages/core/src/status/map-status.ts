import { canonicalJson, type JsonValue } from '../json-value.ts';
import { type Timestamp, toTimestamp } from '../model/identifier.ts';
import { type HealthStatus, healthStatuses, type InstanceStatus, type SyncStatus } from '../model/instance.ts';
import type { Application, ApplicationCondition } from './application.ts';
import { describeDifferences, differingResources } from './application-resources.ts';
import { graceEndOf } from './grace-period.ts';
import { toStatusMessage } from './status-message.ts';

/** Carries the hash of the spec that Caelus wrote, so that a live Application can be told from an older one. */
export const SPEC_HASH_ANNOTATION = 'caelus.dev/spec-hash';

/**
 * Why an instance has the status that it has. `OutOfSync`: the cluster is not as Git says, and Argo CD is about to sync. `NeedsSync`: it
 * is not, and Argo CD was told to leave that to somebody: syncs are by hand, or the commit was synced and something in the cluster
 * has changed since where nothing heals itself (`Tier.selfHeal`). Such an instance is `Pending`, however healthy: what runs is not
 * what was asked for. `healthStatus` says how it is meanwhile. `DeletionBlocked`: the deletion lasts longer than the grace, and
 * the message says what holds it up; see `diagnoseDeletion`.
 */
export type StatusReason =
  | 'Gone'
  | 'Deleting'
  | 'DeletionError'
  | 'DeletionBlocked'
  | 'AwaitingApplication'
  | 'Stale'
  | 'InvalidSpec'
  | 'ComparisonError'
  | 'Syncing'
  | 'Retrying'
  | 'WindowBlocked'
  | 'SyncFailed'
  | 'OutOfSync'
  | 'NeedsSync'
  | 'Degraded'
  | 'Progressing'
  | 'Running';

export interface StatusInput {
  /** `false` once the instance's deletion was asked for. */
  readonly wanted: boolean;
  /** What Argo CD has; `undefined` where it has none. */
  readonly application: Application | undefined;
  /** Hash of the spec that Caelus wrote last. */
  readonly specHash: string;
  /** When that was written to Git, so that an error about what was there before is not taken for one about it. */
  readonly writtenAt?: Timestamp | undefined;
  /** Whether a revision of the GitOps repository is the instance's last commit or one of its descendants. */
  reaches(revision: string): boolean;
  readonly now: Timestamp;
  /** How long `Degraded`, a sync that keeps failing and a deletion's error may last before they count. Default 30 seconds. */
  readonly graceMilliseconds?: number | undefined;
}

export interface MappedStatus {
  readonly status: InstanceStatus;
  readonly reason: StatusReason;
  readonly syncStatus: SyncStatus | null;
  readonly healthStatus: HealthStatus | null;
  readonly lastSyncedAt: Timestamp | null;
  /** What Argo CD says is wrong, or which resources differ; shortened, without credentials; `null` where nothing is. */
  readonly message: string | null;
  /** Whether the cluster has what Caelus wrote, healthy or not. */
  readonly synced: boolean;
  /** The end of a grace period, from which on the status is another although Argo CD says nothing new; else `null`. */
  readonly graceEnd: Timestamp | null;
  /** Argo CD has compared what Caelus wrote, and will not sync it by itself, because a sync of something older has failed. */
  readonly syncSkipped: boolean;
}

/**
 * Maps Argo CD's Application to an instance's status: the first row that matches. A row that reports an error comes
 * before the check of the revision it needs only where Argo CD, failing that way, records no revision (an invalid spec is
 * never compared; a comparison that fails to render has none).
 */
export function mapStatus(input: StatusInput): MappedStatus {
  const { application, wanted } = input;
  if (application === undefined) return wanted ? absent('Pending', 'AwaitingApplication') : absent('Deleted', 'Gone');
  const observed = { healthStatus: healthOf(application), lastSyncedAt: lastSyncedAt(application) };
  const verdict = judge(input, application);
  const synced = verdict.syncStatus === 'Synced';
  return { ...observed, synced, message: null, graceEnd: null, syncSkipped: false, ...verdict };
}

/** The revisions of the GitOps repository that {@link mapStatus} will ask `reaches` about. */
export function revisionsToReach(application: Application): readonly string[] {
  const { sync, operationState } = application.status ?? {};
  const revisions = [gitRevision(sync), gitRevision(operationState?.syncResult)];
  return [...new Set(revisions.filter((revision) => revision !== ''))];
}

type Verdict = Pick<MappedStatus, 'status' | 'reason' | 'syncStatus'> &
  Partial<Pick<MappedStatus, 'message' | 'synced' | 'graceEnd' | 'syncSkipped'>>;

function judge(input: StatusInput, application: Application): Verdict {
  const { metadata, status } = application;
  if (!input.wanted || metadata.deletionTimestamp !== undefined) return judgeDeletion(input, application);
  if (metadata.annotations?.[SPEC_HASH_ANNOTATION] !== input.specHash) return STALE;
  const error = conditionsOf(application);
  const invalid = error('InvalidSpecError');
  if (invalid) return failed('InvalidSpec', invalid);
  if (status?.sync === undefined || !comparedToSpec(application)) return STALE;
  const revision = gitRevision(status.sync);
  if (revision !== '' && !input.reaches(revision)) return STALE;
  const incomparable = error('ComparisonError', 'UnknownError');
  if (incomparable) {
    return revision === ''
      ? judgeIncomparable(input, application, incomparable)
      : failed('ComparisonError', incomparable);
  }
  if (revision === '') return STALE;

  const operation = status.operationState;
  const phase = operation?.phase ?? (application.operation === undefined ? undefined : 'Running');
  if (phase === 'Running' || phase === 'Terminating') return judgeOperation(input, application);
  const applied = gitRevision(operation?.syncResult);
  const isOlder = applied !== '' && !input.reaches(applied);
  const hasFailed = phase === 'Failed' || phase === 'Error';
  const syncError = error('SyncError');
  // Stands until the next comparison, whatever became of the sync since.
  const isOfAttempt = syncError?.startsWith('Failed last sync attempt to ') === true;
  const isOvertaken = hasFailed && gaveWay(input, operation);
  if (hasFailed && applied !== '' && !isOlder && !isOvertaken) {
    return failed('SyncFailed', operation?.message ?? syncError ?? '');
  }
  if (syncError && !(isOfAttempt && (isOlder || isOvertaken || phase === 'Succeeded'))) {
    return failed('SyncFailed', syncError);
  }
  if (status.sync.status === 'Synced') return judgeHealth(input, application);
  return { ...judgeDifference(input, application), syncSkipped: hasFailed && (isOlder ? isOfAttempt : isOvertaken) };
}

/** Argo CD tells times to the second, and ours are finer. `NaN` where there is none, which is neither more nor less. */
const secondOf = (time: string | undefined) => Math.floor(Date.parse(time ?? '') / 1000);

/**
 * Whether a sync was ended that had begun before the commit was written: to make way for it, and perhaps just as its next try took the
 * commit up. Argo CD does not sync that commit by itself then.
 */
function gaveWay({ writtenAt }: StatusInput, operation: NonNullable<Application['status']>['operationState']): boolean {
  const { message = '', startedAt } = operation ?? {};
  return message.startsWith('Operation terminated') && secondOf(startedAt) < secondOf(writtenAt);
}

/**
 * Argo CD records no revision with such an error, only the second in which it looked. What it said before the commit is about
 * another; what it said in the same second may be, and is no longer waited for once the grace period is over.
 */
function judgeIncomparable(input: StatusInput, { status }: Application, message: string): Verdict {
  const { writtenAt } = input;
  const age = secondOf(status?.reconciledAt) - secondOf(writtenAt);
  const graceEnd = age === 0 ? graceEndOf(input, writtenAt) : null;
  return age < 0 || graceEnd !== null ? { ...STALE, graceEnd } : failed('ComparisonError', message);
}

function judgeDeletion(input: StatusInput, application: Application): Verdict {
  const { wanted } = input;
  const condition = application.status?.conditions?.find(({ type }) => type === 'DeletionError');
  const graceEnd = condition === undefined ? null : graceEndOf(input, condition.lastTransitionTime);
  // Whoever deletes the Application of an instance that is wanted has not asked for the instance to be deleted: what is seen
  // never changes what is wanted, and the root Application makes it again.
  const status = wanted ? 'Pending' : 'Deleting';
  const verdict = { status, syncStatus: reportedSync(application), synced: false } as const;
  // Argo CD forgets to take the condition back once the deletion goes on, hence the time that it must have lasted.
  return condition !== undefined && graceEnd === null
    ? { ...verdict, reason: 'DeletionError', message: toStatusMessage(condition.message) }
    : { ...verdict, reason: 'Deleting', graceEnd };
}

function judgeOperation(input: StatusInput, { status }: Application): Verdict {
  const { message = '', startedAt, finishedAt, syncResult } = status?.operationState ?? {};
  const blocked = message.includes('blocked by sync window');
  // A running operation that has finished is waiting for its next try.
  const reason = blocked ? 'WindowBlocked' : finishedAt === undefined ? 'Syncing' : 'Retrying';
  const verdict = { status: 'Pending', reason, syncStatus: 'OutOfSync' } as const;
  if (reason === 'Syncing' || message === '') return verdict;
  const told = { ...verdict, message: toStatusMessage(message) };
  if (reason !== 'Retrying') return told;
  const applied = gitRevision(syncResult);
  // What fails is not what is asked for now, and the next try takes that up.
  if (applied === '' || !input.reaches(applied)) return verdict;
  const graceEnd = graceEndOf(input, startedAt);
  return graceEnd === null ? { ...told, status: 'Failed', syncStatus: 'Error' } : { ...told, graceEnd };
}

/** Argo CD syncs a commit once by itself. What differs afterwards stays so, unless it heals itself. */
function judgeDifference({ reaches }: StatusInput, application: Application): Verdict {
  const { automated } = application.spec.syncPolicy ?? {};
  const { operationState, reconciledAt } = application.status ?? {};
  const isAutomatic = automated !== undefined && automated !== null && automated.enabled !== false;
  const applied = gitRevision(operationState?.syncResult);
  // What was compared before the sync ended says nothing of what the sync has left.
  const isSynced =
    operationState?.phase === 'Succeeded' &&
    applied !== '' &&
    reaches(applied) &&
    Date.parse(reconciledAt ?? '') > Date.parse(operationState.finishedAt ?? '');
  const isLeft = !isAutomatic || (isSynced && automated.selfHeal !== true);
  const verdict = { status: 'Pending', reason: isLeft ? 'NeedsSync' : 'OutOfSync', syncStatus: 'OutOfSync' } as const;
  const message = isLeft || isSynced ? describeDifferences(differingResources(application)) : '';
  return message === '' ? verdict : { ...verdict, message: toStatusMessage(message) };
}

function judgeHealth(input: StatusInput, application: Application): Verdict {
  const { health } = application.status ?? {};
  switch (healthOf(application)) {
    case 'Healthy':
    case 'Suspended':
      return { status: 'Running', reason: 'Running', syncStatus: 'Synced' };
    case 'Degraded': {
      const graceEnd = graceEndOf(input, health?.lastTransitionTime);
      const message = toStatusMessage(health?.message ?? 'A resource of the instance is degraded.');
      const status = graceEnd === null ? 'Failed' : 'Pending';
      return { status, reason: 'Degraded', syncStatus: 'Synced', message, graceEnd };
    }
    default:
      return { status: 'Pending', reason: 'Progressing', syncStatus: 'Synced' };
  }
}

const STALE: Verdict = { status: 'Pending', reason: 'Stale', syncStatus: 'OutOfSync' };

function failed(reason: StatusReason, message: string): Verdict {
  return { status: 'Failed', reason, syncStatus: 'Error', message: toStatusMessage(message) };
}

function absent(status: InstanceStatus, reason: StatusReason): MappedStatus {
  return {
    status,
    reason,
    syncStatus: null,
    healthStatus: null,
    lastSyncedAt: null,
    message: null,
    synced: false,
    graceEnd: null,
    syncSkipped: false,
  };
}

/** Caelus puts the GitOps repository first among an Application's sources. */
function gitRevision(
  found: { readonly revision?: string | undefined; readonly revisions?: readonly string[] | undefined } | undefined,
): string {
  return found?.revisions?.[0] ?? found?.revision ?? '';
}

function comparedToSpec({ spec, status }: Application): boolean {
  const { comparedTo } = status?.sync ?? {};
  const text = (sources: unknown) => (sources === undefined ? '' : canonicalJson(sources as JsonValue));
  return text(comparedTo?.sources ?? comparedTo?.source) === text(spec.sources ?? spec.source);
}

function conditionsOf({ status }: Application): (...types: readonly string[]) => string | undefined {
  return (...types) => {
    const found = (status?.conditions ?? []).filter(({ type }: ApplicationCondition) => types.includes(type));
    return found.length === 0 ? undefined : found.map(({ message }) => message).join('\n');
  };
}

function healthOf({ status }: Application): HealthStatus | null {
  return healthStatuses.find((known) => known === status?.health?.status) ?? null;
}

function reportedSync({ status }: Application): SyncStatus | null {
  const reported = status?.sync?.status;
  return reported === 'Synced' || reported === 'OutOfSync' ? reported : null;
}

/** Argo CD records full syncs only; a partial one or a self-heal does not count. */
function lastSyncedAt({ status }: Application): Timestamp | null {
  const deployedAt = Date.parse(status?.history?.at(-1)?.deployedAt ?? '');
  return Number.isNaN(deployedAt) ? null : toTimestamp(new Date(deployedAt));
}
