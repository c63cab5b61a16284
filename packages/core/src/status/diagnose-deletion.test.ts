import { describe, expect, it } from 'vitest';
import type { Timestamp } from '../model/identifier.ts';
import type { Application } from './application.ts';
import { diagnoseDeletion, type LiveObject, type LiveResource } from './diagnose-deletion.ts';
import { STATUS_MESSAGE_LIMIT } from './status-message.ts';

const NOW = '2026-05-01T12:00:00.000Z' as Timestamp;
const LONG_AGO = '2026-05-01T11:59:00Z';
const JUST_NOW = '2026-05-01T11:59:50Z';

function deleting(more: Partial<Application> = {}, metadata: Partial<Application['metadata']> = {}): Application {
  const finalizers = ['resources-finalizer.argocd.argoproj.io', 'post-delete-finalizer.argocd.argoproj.io/cleanup'];
  return { metadata: { name: 'one', deletionTimestamp: LONG_AGO, finalizers, ...metadata }, spec: {}, ...more };
}
function live(kind: string, name: string, object: LiveObject | null, group = ''): LiveResource {
  return { group, kind, namespace: kind === 'Namespace' ? null : 'wiki', name, object };
}
const held = (...finalizers: string[]): LiveObject => ({ metadata: { deletionTimestamp: LONG_AGO, finalizers } });
const condition = (type: string, message: string, status = 'True') => ({ type, status, message });
const hook = (annotations: Record<string, string>, ...conditions: ReturnType<typeof condition>[]): LiveObject => ({
  metadata: { annotations },
  status: { conditions },
});

const preDelete = { 'argocd.argoproj.io/hook': 'PreSync,PreDelete' };

describe('what holds up a deletion', () => {
  it.each<{ what: string; application?: Application; resources?: readonly LiveResource[]; message: string }>([
    { what: 'nothing', message: '' },
    {
      what: 'the finalizers of a resource',
      resources: [live('ConfigMap', 'data', held('example.com/hold'))],
      message: 'ConfigMap wiki/data waits for its finalizer example.com/hold.',
    },
    {
      what: 'those of several',
      resources: [live('PersistentVolumeClaim', 'data', held('a/b', 'c/d')), live('Service', 'web', held('e/f'))],
      message:
        'PersistentVolumeClaim wiki/data waits for its finalizers a/b, c/d; Service wiki/web waits for its finalizer e/f.',
    },
    { what: 'no resource that only takes its time', resources: [live('Pod', 'web', held())], message: '' },
    { what: 'no resource that waits for its turn', resources: [live('Pod', 'web', { metadata: {} })], message: '' },
    {
      what: 'no resource that was told a moment ago',
      resources: [live('Pod', 'web', { metadata: { deletionTimestamp: JUST_NOW, finalizers: ['a/b'] } })],
      message: '',
    },
    {
      what: 'what is left in a namespace',
      resources: [
        live('Namespace', 'wiki', {
          ...held(),
          status: {
            conditions: [
              condition('NamespaceDeletionDiscoveryFailure', 'All resources successfully discovered', 'False'),
              condition('NamespaceContentRemaining', 'Some resources are remaining: pods. has 1 resource instances'),
              condition('NamespaceFinalizersRemaining', 'a/b in 1 resource instances'),
            ],
          },
        }),
      ],
      message:
        'Namespace wiki: Some resources are remaining: pods. has 1 resource instances a/b in 1 resource instances.',
    },
    {
      what: 'a sync that runs',
      application: deleting({ operation: {}, status: { operationState: { phase: 'Running', message: 'waiting.' } } }),
      message: 'A sync still runs: waiting.',
    },
    {
      what: 'a sync that begins',
      application: deleting({ operation: {} }),
      message: 'A sync still runs.',
    },
    {
      what: 'no sync that is over',
      application: deleting({ status: { operationState: { phase: 'Running' } } }),
      message: '',
    },
    {
      what: 'what Argo CD says',
      application: deleting({
        status: { conditions: [condition('DeletionError', 'PreDelete hook(s) failed: wiki/x')] },
      }),
      message: 'PreDelete hook(s) failed: wiki/x.',
    },
    {
      what: 'a pause',
      application: deleting({}, { annotations: { 'argocd.argoproj.io/skip-reconcile': 'true' } }),
      message: 'The Application has the annotation argocd.argoproj.io/skip-reconcile, which stops its deletion, too.',
    },
    {
      what: 'a finalizer of the Application that is not Argo CD’s',
      application: deleting({}, { finalizers: ['resources-finalizer.argocd.argoproj.io', 'example.com/backup'] }),
      message: 'The Application waits for its finalizer example.com/backup.',
    },
    {
      what: 'a hook that runs',
      resources: [live('Job', 'backup', hook(preDelete), 'batch')],
      message: 'The deletion hook Job wiki/backup has not ended.',
    },
    {
      what: 'a hook of Helm that failed',
      resources: [
        live('Job', 'backup', hook({ 'helm.sh/hook': 'post-delete' }, condition('Failed', 'Too often.')), 'batch'),
      ],
      message: 'The deletion hook Job wiki/backup has failed: Too often.',
    },
    {
      what: 'no hook that has ended',
      resources: [live('Job', 'backup', hook(preDelete, condition('Complete', '')), 'batch')],
      message: '',
    },
    {
      what: 'no hook of a sync',
      resources: [live('Job', 'migrate', hook({ 'helm.sh/hook': 'pre-upgrade' }), 'batch')],
      message: '',
    },
    {
      what: 'a confirmation that is missing',
      application: deleting({
        status: { resources: [{ kind: 'PersistentVolumeClaim', name: 'data', requiresDeletionConfirmation: true }] },
      }),
      resources: [live('PersistentVolumeClaim', 'data', { metadata: {} })],
      message: 'PersistentVolumeClaim wiki/data waits for somebody to confirm its deletion.',
    },
    {
      what: 'what may not be read',
      resources: [live('Secret', 'key', null)],
      message: 'Secret wiki/key is still there, and Caelus may not read why.',
    },
  ])('is $what', ({ application = deleting(), resources = [], message }) => {
    const found = diagnoseDeletion({ application, resources, now: NOW });
    expect(found.message).toBe(message);
    expect(found.blockers.length === 0).toBe(message === '');
  });

  it('is nothing before the grace is over', () => {
    const resources = [live('ConfigMap', 'data', held('example.com/hold'))];
    const found = (graceMilliseconds: number) =>
      diagnoseDeletion({ application: deleting(), resources, now: NOW, graceMilliseconds }).blockers.length;
    expect([found(59_999), found(60_000), found(60_001)]).toEqual([1, 1, 0]);
    const application: Application = { metadata: { name: 'one' }, spec: {} };
    expect(diagnoseDeletion({ application, resources, now: NOW }).blockers).toEqual([]);
  });

  it('is told without credentials, and within the limit', () => {
    const message = `https://user:secret@git.example.com ${'x'.repeat(3000)}`;
    const application = deleting({ status: { conditions: [condition('DeletionError', message)] } });
    const found = diagnoseDeletion({ application, resources: [], now: NOW }).message;
    expect(found).toHaveLength(STATUS_MESSAGE_LIMIT);
    expect(found).not.toContain('secret');
  });
});
