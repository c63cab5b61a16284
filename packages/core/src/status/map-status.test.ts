import { describe, expect, it } from 'vitest';
import type { Timestamp } from '../model/identifier.ts';
import type { Application, ApplicationStatus } from './application.ts';
import { type MappedStatus, mapStatus, revisionsToReach, SPEC_HASH_ANNOTATION } from './map-status.ts';
import { STATUS_MESSAGE_LIMIT } from './status-message.ts';

const COMMIT = 'c'.repeat(40);
const NEWER = 'd'.repeat(40);
const OLDER = 'b'.repeat(40);
const SPEC_HASH = '5'.repeat(64);
const NOW = '2026-05-01T12:00:00.000Z' as Timestamp;
const LONG_AGO = '2026-05-01T11:59:00Z';
const JUST_NOW = '2026-05-01T11:59:50Z';
const GRACE_END = '2026-05-01T12:00:20.000Z' as Timestamp;

const sources = [
  {
    repoURL: 'https://git.example.com/gitops.git',
    targetRevision: 'refs/heads/main',
    path: 'instances/x/manifests',
    ref: 'values',
  },
  {
    repoURL: 'https://charts.example.com',
    chart: 'nextcloud',
    targetRevision: '6.6.3',
    helm: { releaseName: 'nextcloud', valueFiles: ['$values/instances/x/values.yaml'] },
  },
];

/** As Argo CD 3.5 reports a multi-source Application that runs, cut to the fields that exist in every version. */
const running: Application = {
  metadata: {
    name: '0d4e2a6c-7d1c-4d6e-9a0b-1c2d3e4f5a6b',
    namespace: 'argocd',
    annotations: { [SPEC_HASH_ANNOTATION]: SPEC_HASH },
    finalizers: ['resources-finalizer.argocd.argoproj.io'],
  },
  spec: { project: 'caelus-stable', sources, syncPolicy: { automated: { prune: true, selfHeal: true } as object } },
  status: {
    sync: { status: 'Synced', revisions: [COMMIT, '6.6.3'], comparedTo: { sources } },
    health: { status: 'Healthy', lastTransitionTime: LONG_AGO },
    operationState: {
      phase: 'Succeeded',
      message: 'successfully synced (all tasks run)',
      startedAt: '2026-05-01T11:50:00Z',
      finishedAt: '2026-05-01T11:50:10Z',
      syncResult: { revisions: [COMMIT, '6.6.3'] },
    },
    history: [{ deployedAt: '2026-05-01T11:50:10Z', revisions: [COMMIT, '6.6.3'] }],
    reconciledAt: '2026-05-01T11:55:00Z',
  },
};

const withStatus = (status: Partial<ApplicationStatus>): Application => ({
  ...running,
  status: { ...running.status, ...status },
});
const retrying = (startedAt: string, revision: string) =>
  withStatus({
    operationState: {
      phase: 'Running',
      message: 'one or more objects failed to apply. Retrying attempt #2',
      startedAt,
      finishedAt: JUST_NOW,
      retryCount: 2,
      syncResult: { revisions: [revision, '6.6.3'] },
    },
  });
const condition = (type: string, message: string, lastTransitionTime = LONG_AGO) => [
  { type, message, lastTransitionTime },
];
const given = {
  wanted: true,
  specHash: SPEC_HASH,
  reaches: (revision: string) => revision === COMMIT || revision === NEWER,
  now: NOW,
};
const map = (application: Application | undefined, wanted = true): MappedStatus =>
  mapStatus({ ...given, wanted, application });

const resources = [
  { group: 'apps', version: 'v1', kind: 'Deployment', namespace: 'wiki', name: 'web', status: 'OutOfSync' },
  { version: 'v1', kind: 'Namespace', name: 'wiki', status: 'Synced' },
];
const drifted = withStatus({ sync: { ...running.status?.sync, status: 'OutOfSync' }, resources });
/** The same where Argo CD was told to leave what somebody changes in the cluster. */
const left: Application = {
  ...drifted,
  spec: { ...drifted.spec, syncPolicy: { automated: { prune: true } as object } },
};
const operationState = { ...running.status?.operationState, finishedAt: running.status?.reconciledAt };

type Row = [string, Application | undefined, boolean, Partial<MappedStatus>];
const rows: Row[] = [
  ['not wanted and absent', undefined, false, { status: 'Deleted', reason: 'Gone', syncStatus: null }],
  [
    'not wanted and still there',
    running,
    false,
    { status: 'Deleting', reason: 'Deleting', syncStatus: 'Synced', synced: false },
  ],
  [
    'being deleted by somebody else',
    { ...running, metadata: { ...running.metadata, deletionTimestamp: LONG_AGO } },
    true,
    { status: 'Pending', reason: 'Deleting' },
  ],
  [
    'a deletion that fails',
    withStatus({ conditions: condition('DeletionError', 'app path does not exist') }),
    false,
    { status: 'Deleting', reason: 'DeletionError', message: 'app path does not exist' },
  ],
  [
    'a deletion error that may still pass',
    withStatus({ conditions: condition('DeletionError', 'app path does not exist', JUST_NOW) }),
    false,
    { status: 'Deleting', reason: 'Deleting', message: null, graceEnd: GRACE_END },
  ],
  [
    'drift that Argo CD is about to undo',
    drifted,
    true,
    { status: 'Pending', reason: 'OutOfSync', syncStatus: 'OutOfSync', message: 'Deployment wiki/web differs.' },
  ],
  [
    'drift that Argo CD leaves',
    left,
    true,
    {
      status: 'Pending',
      reason: 'NeedsSync',
      syncStatus: 'OutOfSync',
      healthStatus: 'Healthy',
      message: 'Deployment wiki/web differs.',
      synced: false,
    },
  ],
  [
    'drift that Argo CD leaves, without knowing of what',
    { ...left, status: { ...left.status, resources: [] } },
    true,
    { reason: 'NeedsSync', message: null },
  ],
  [
    'a difference that was seen before the sync ended',
    { ...left, status: { ...left.status, operationState } },
    true,
    { status: 'Pending', reason: 'OutOfSync', message: null },
  ],
  [
    'a commit that is yet to be synced',
    { ...left, status: { ...left.status, operationState: { ...operationState, syncResult: { revisions: [OLDER] } } } },
    true,
    { status: 'Pending', reason: 'OutOfSync', message: null },
  ],
  ['wanted and absent', undefined, true, { status: 'Pending', reason: 'AwaitingApplication', syncStatus: null }],
  [
    'an older spec',
    { ...running, metadata: { ...running.metadata, annotations: { [SPEC_HASH_ANNOTATION]: 'old' } } },
    true,
    { status: 'Pending', reason: 'Stale', syncStatus: 'OutOfSync' },
  ],
  ['never looked at', { ...running, status: {} }, true, { status: 'Pending', reason: 'Stale', healthStatus: null }],
  [
    'compared to another spec',
    withStatus({ sync: { ...running.status?.sync, comparedTo: { sources: sources.slice(0, 1) } } }),
    true,
    { status: 'Pending', reason: 'Stale' },
  ],
  [
    'an older commit',
    withStatus({ sync: { ...running.status?.sync, revisions: [OLDER, '6.6.3'] } }),
    true,
    { status: 'Pending', reason: 'Stale', synced: false },
  ],
  [
    'an error about an older commit',
    withStatus({
      sync: { ...running.status?.sync, status: 'Unknown', revisions: [OLDER, ''] },
      conditions: condition('ComparisonError', 'values do not meet the schema'),
    }),
    true,
    { status: 'Pending', reason: 'Stale' },
  ],
  [
    'an invalid spec',
    withStatus({
      sync: { status: 'Unknown' },
      conditions: condition('InvalidSpecError', 'project caelus-gold does not exist'),
    }),
    true,
    { status: 'Failed', reason: 'InvalidSpec', syncStatus: 'Error', message: 'project caelus-gold does not exist' },
  ],
  [
    'manifests that cannot be made',
    withStatus({
      sync: { status: 'Unknown', comparedTo: { sources } },
      conditions: condition('ComparisonError', 'chart "nextcloud" version "6.6.3" not found'),
    }),
    true,
    {
      status: 'Failed',
      reason: 'ComparisonError',
      syncStatus: 'Error',
      message: 'chart "nextcloud" version "6.6.3" not found',
    },
  ],
  [
    'syncing',
    withStatus({
      sync: { ...running.status?.sync, status: 'OutOfSync' },
      operationState: { phase: 'Running', startedAt: JUST_NOW },
    }),
    true,
    { status: 'Pending', reason: 'Syncing', syncStatus: 'OutOfSync', message: null },
  ],
  [
    'an operation that was asked for and has not begun',
    { ...withStatus({ operationState: undefined }), operation: { sync: {} } },
    true,
    { status: 'Pending', reason: 'Syncing' },
  ],
  [
    'waiting for the next try',
    retrying(JUST_NOW, COMMIT),
    true,
    {
      status: 'Pending',
      reason: 'Retrying',
      message: 'one or more objects failed to apply. Retrying attempt #2',
      graceEnd: GRACE_END,
    },
  ],
  [
    'a sync that keeps failing',
    retrying(LONG_AGO, COMMIT),
    true,
    {
      status: 'Failed',
      reason: 'Retrying',
      syncStatus: 'Error',
      message: 'one or more objects failed to apply. Retrying attempt #2',
      graceEnd: null,
    },
  ],
  [
    'a sync of an older commit that keeps failing',
    retrying(LONG_AGO, OLDER),
    true,
    { status: 'Pending', reason: 'Retrying', message: null },
  ],
  [
    'outside the sync window',
    withStatus({ operationState: { phase: 'Running', message: 'Sync operation blocked by sync window' } }),
    true,
    { status: 'Pending', reason: 'WindowBlocked', message: 'Sync operation blocked by sync window' },
  ],
  [
    'a sync that failed on this commit',
    withStatus({
      sync: { ...running.status?.sync, status: 'OutOfSync' },
      operationState: {
        phase: 'Failed',
        message: 'Deployment.apps "x" is invalid',
        syncResult: { revisions: [COMMIT, '6.6.3'] },
      },
    }),
    true,
    { status: 'Failed', reason: 'SyncFailed', syncStatus: 'Error', message: 'Deployment.apps "x" is invalid' },
  ],
  [
    'a sync that failed on an older commit',
    withStatus({
      sync: { ...running.status?.sync, status: 'OutOfSync' },
      operationState: { phase: 'Failed', message: 'old', syncResult: { revisions: [OLDER, '6.6.2'] } },
    }),
    true,
    { status: 'Pending', reason: 'OutOfSync', message: null },
  ],
  [
    'a sync of an older commit that failed, after which Argo CD does not sync this one by itself',
    withStatus({
      sync: { ...running.status?.sync, status: 'OutOfSync' },
      conditions: condition('SyncError', `Failed last sync attempt to [${OLDER} 6.6.3]: Operation terminated.`),
      operationState: { phase: 'Failed', message: 'Operation terminated', syncResult: { revisions: [OLDER, '6.6.3'] } },
    }),
    true,
    { status: 'Pending', reason: 'OutOfSync', message: null, syncSkipped: true },
  ],
  [
    'a sync error condition',
    withStatus({ conditions: condition('SyncError', 'auto-sync will wipe out all resources') }),
    true,
    { status: 'Failed', reason: 'SyncFailed', message: 'auto-sync will wipe out all resources', syncSkipped: false },
  ],
  [
    'a sync that failed without a result',
    withStatus({
      conditions: condition('SyncError', 'Failed last sync attempt to []: no project'),
      operationState: { phase: 'Error', message: 'no project' },
    }),
    true,
    { status: 'Failed', reason: 'SyncFailed', message: 'no project' },
  ],
  [
    'the error of a sync that was made good since',
    withStatus({ conditions: condition('SyncError', 'Failed last sync attempt to [b]: Operation terminated') }),
    true,
    { status: 'Running', message: null },
  ],
  [
    'out of sync, automatic',
    withStatus({ sync: { ...running.status?.sync, status: 'OutOfSync' } }),
    true,
    { status: 'Pending', reason: 'OutOfSync', syncStatus: 'OutOfSync' },
  ],
  [
    'out of sync, by hand',
    {
      ...withStatus({ sync: { ...running.status?.sync, status: 'OutOfSync' } }),
      spec: { ...running.spec, syncPolicy: { automated: { enabled: false } } },
    },
    true,
    { status: 'Pending', reason: 'NeedsSync', syncStatus: 'OutOfSync' },
  ],
  [
    'degraded',
    withStatus({
      health: {
        status: 'Degraded',
        message: 'Deployment "x" exceeded its progress deadline',
        lastTransitionTime: LONG_AGO,
      },
    }),
    true,
    {
      status: 'Failed',
      reason: 'Degraded',
      syncStatus: 'Synced',
      synced: true,
      message: 'Deployment "x" exceeded its progress deadline',
    },
  ],
  [
    'degraded for a moment',
    withStatus({ health: { status: 'Degraded', lastTransitionTime: JUST_NOW } }),
    true,
    { status: 'Pending', reason: 'Degraded', healthStatus: 'Degraded' },
  ],
  ...(['Progressing', 'Missing', 'Unknown'] as const).map(
    (status): Row => [
      `health ${status}`,
      withStatus({ health: { status } }),
      true,
      { status: 'Pending', reason: 'Progressing', syncStatus: 'Synced', healthStatus: status, synced: true },
    ],
  ),
  [
    'running',
    running,
    true,
    { status: 'Running', reason: 'Running', syncStatus: 'Synced', message: null, synced: true },
  ],
  [
    'suspended on purpose',
    withStatus({ health: { status: 'Suspended' } }),
    true,
    { status: 'Running', healthStatus: 'Suspended' },
  ],
  [
    'running at a later commit of the same branch',
    withStatus({ sync: { ...running.status?.sync, revisions: [NEWER, '6.6.3'] } }),
    true,
    { status: 'Running' },
  ],
  [
    'warnings, which change nothing',
    withStatus({ conditions: condition('OrphanedResourceWarning', 'Application has 1 orphaned resource') }),
    true,
    { status: 'Running', message: null },
  ],
];

describe('a sync that was ended', () => {
  const WRITTEN = '2026-05-01T11:52:00.500Z' as Timestamp;
  const ended = (
    startedAt: string,
    revisions: readonly string[],
    message = 'Operation terminated (retried 2 times).',
  ) =>
    mapStatus({
      ...given,
      writtenAt: WRITTEN,
      application: withStatus({
        sync: { ...running.status?.sync, status: 'OutOfSync' },
        conditions: condition('SyncError', `Failed last sync attempt to [${revisions}]: ${message}`),
        operationState: { phase: 'Failed', message, startedAt, syncResult: { revisions } },
      }),
    });
  const skipped = { status: 'Pending', reason: 'OutOfSync', message: null, syncSkipped: true };

  it.each([[[COMMIT, '6.6.3']], [[OLDER, '6.6.3']], [[]]])(
    'to make way for the commit says nothing of it: %j',
    (revisions) => {
      expect(ended('2026-05-01T11:51:59Z', revisions)).toMatchObject(skipped);
    },
  );

  it('of the commit itself has failed, and so has an older one that failed of its own', () => {
    const failed = { status: 'Failed', reason: 'SyncFailed', syncSkipped: false };
    expect(ended('2026-05-01T11:52:01Z', [COMMIT, '6.6.3'])).toMatchObject(failed);
    expect(ended('2026-05-01T11:52:00Z', [COMMIT, '6.6.3']), 'perhaps after it').toMatchObject(failed);
    expect(ended('2026-05-01T11:51:59Z', [COMMIT, '6.6.3'], 'is invalid')).toMatchObject(failed);
  });
});

describe('mapStatus', () => {
  it.each(rows)('%s', (_, application, wanted, expected) => {
    expect(map(application, wanted)).toMatchObject(expected);
  });

  it('takes the last full sync as lastSyncedAt', () => {
    expect(map(running).lastSyncedAt).toBe('2026-05-01T11:50:10.000Z');
    expect(map(withStatus({ history: [] })).lastSyncedAt).toBeNull();
  });

  it('reads an Application of one source', () => {
    const [source] = sources;
    const single: Application = {
      ...running,
      spec: { project: 'caelus-stable', source: source as (typeof sources)[0] },
      status: {
        ...running.status,
        sync: { status: 'Synced', revision: COMMIT, comparedTo: { source: source as (typeof sources)[0] } },
      },
    };
    expect(map(single).status).toBe('Running');
    expect(revisionsToReach(single)).toEqual([COMMIT]);
  });

  it('shortens long messages and drops credentials and control characters', () => {
    const message = `cannot fetch https://user:hunter2@git.example.com/x\u001b[31m ${'y'.repeat(3000)}`;
    const mapped = map(withStatus({ conditions: condition('SyncError', message) }));
    expect(mapped.message).toHaveLength(STATUS_MESSAGE_LIMIT);
    expect(mapped.message).toContain('https://git.example.com/x');
    expect(mapped.message).not.toMatch(/hunter2|\p{Cc}/u);
  });

  it('knows a grace period at its edge', () => {
    const degradedSince = (lastTransitionTime: string) =>
      withStatus({ health: { status: 'Degraded', lastTransitionTime } });
    expect(map(degradedSince('2026-05-01T11:59:30.001Z'))).toMatchObject({
      status: 'Pending',
      graceEnd: '2026-05-01T12:00:00.001Z',
    });
    expect(map(degradedSince('2026-05-01T11:59:30.000Z'))).toMatchObject({ status: 'Failed', graceEnd: null });
  });

  it('tells an error about what was there before the commit by the second in which Argo CD looked', () => {
    const incomparable = withStatus({
      sync: { status: 'Unknown', comparedTo: { sources } },
      conditions: condition('ComparisonError', 'values do not meet the schema'),
      reconciledAt: '2026-05-01T11:59:40Z',
    });
    const written = (writtenAt: string) =>
      mapStatus({ ...given, application: incomparable, writtenAt: writtenAt as Timestamp });
    const failed = { status: 'Failed', reason: 'ComparisonError', graceEnd: null };
    const stale = { status: 'Pending', reason: 'Stale', message: null };
    expect(written('2026-05-01T11:59:39.999Z')).toMatchObject(failed);
    expect(written('2026-05-01T11:59:40.000Z')).toMatchObject({ ...stale, graceEnd: '2026-05-01T12:00:10.000Z' });
    expect(written('2026-05-01T11:59:40.999Z')).toMatchObject({ ...stale, graceEnd: '2026-05-01T12:00:10.999Z' });
    expect(written('2026-05-01T11:59:41.000Z')).toMatchObject({ ...stale, graceEnd: null });
    const later = { ...given, now: '2026-05-01T12:00:11.000Z' as Timestamp };
    const same = '2026-05-01T11:59:40.500Z' as Timestamp;
    expect(mapStatus({ ...later, application: incomparable, writtenAt: same })).toMatchObject(failed);
  });

  it('asks about the compared and the applied revision, each once', () => {
    const application = withStatus({ operationState: { phase: 'Failed', syncResult: { revisions: [OLDER] } } });
    expect(revisionsToReach(application)).toEqual([COMMIT, OLDER]);
    expect(revisionsToReach(running)).toEqual([COMMIT]);
  });
});
