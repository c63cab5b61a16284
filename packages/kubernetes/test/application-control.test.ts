import { applicationControlContract } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { APPLICATIONS, fail } from './fake-kubernetes-api.ts';
import type { FakeObject } from './fake-objects.ts';
import { application, createSubject, type Subject } from './status-source-subject.ts';

const RUNNING = { operation: { sync: {} }, status: { operationState: { phase: 'Running', message: 'syncing' } } };
const path = `${APPLICATIONS}/one`;
const phaseIn = ({ api }: Subject) =>
  (api.objects.read(path)?.status as { operationState?: { phase?: string } } | undefined)?.operationState?.phase;

const STATES = {
  synced: { status: { sync: { status: 'Synced' } } },
  'out-of-sync': { status: { sync: { status: 'OutOfSync' } } },
  syncing: RUNNING,
};

applicationControlContract(
  { describe, it },
  {
    name: 'Kubernetes API',
    async create() {
      const subject = await createSubject();
      let endless = false;
      return {
        source: subject.source,
        async put(name, state) {
          endless = state === 'syncing';
          const { metadata } = application(name, 'a');
          const deleting = { metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
          subject.api.objects.put(path, application(name, 'a', state === 'deleting' ? deleting : STATES[state]));
        },
        turn: async () => subject.play('one', endless),
        [Symbol.asyncDispose]: () => subject[Symbol.asyncDispose](),
      };
    },
  },
);

describe('starting a sync', () => {
  const spec = {
    project: 'caelus-stable',
    sources: [{ repoURL: 'https://git.example.com/x', path: 'x' }],
    syncPolicy: { automated: {}, syncOptions: ['ServerSideApply=true'], retry: { limit: 5 } },
  };
  const operationIn = ({ api }: Subject) => api.objects.read(path)?.operation;

  // server/application/application.go, Sync; util/argo/argo.go, SetAppOperation.
  it('writes the operation that the API server would, and forgets the one before', async () => {
    await using subject = await createSubject();
    const status = { operationState: { phase: 'Succeeded', message: 'done' }, health: { status: 'Healthy' } };
    subject.api.objects.put(path, application('one', 'a', { spec, status }));
    await subject.source.control.sync('one', { prune: true, resources: [{ kind: 'ConfigMap', name: 'x' }] });
    expect(operationIn(subject)).toEqual({
      initiatedBy: { username: 'caelus' },
      retry: { limit: 5 },
      sync: {
        prune: true,
        sources: spec.sources,
        syncOptions: ['ServerSideApply=true'],
        resources: [{ group: '', kind: 'ConfigMap', name: 'x' }],
      },
    });
    expect(subject.api.objects.read(path)?.status).toEqual({ health: { status: 'Healthy' } });
  });

  it('leaves out what the Application does not say', async () => {
    await using subject = await createSubject();
    const [source] = spec.sources;
    subject.api.objects.put(path, application('one', 'a', { spec: { project: 'caelus-stable', source } }));
    await subject.source.control.sync('one');
    expect(operationIn(subject)).toEqual({ initiatedBy: { username: 'caelus' }, sync: { prune: false, source } });
  });

  it('starts none where another one came between', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', { spec }));
    const other = { initiatedBy: { automated: true } };
    subject.api.interceptors.push(({ method }) => {
      if (method === 'PATCH') subject.api.objects.put(path, application('one', 'a', { spec, operation: other }));
      return false;
    });
    await expect(subject.source.control.sync('one')).rejects.toMatchObject({ code: 'OPERATION_RUNNING' });
    expect(operationIn(subject)).toEqual(other);
  });

  it('says so where it is not allowed', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', { spec }));
    subject.api.forbidden.add('patch applications');
    await expect(subject.source.control.sync('one')).rejects.toMatchObject({ code: 'KUBERNETES_ACCESS_DENIED' });
    await expect(subject.source.control.refresh('one')).rejects.toMatchObject({ code: 'KUBERNETES_ACCESS_DENIED' });
  });
});

describe('a refresh', () => {
  it.each([
    { options: {}, kind: 'normal' },
    { options: { hard: true }, kind: 'hard' },
  ])('is asked for by the annotation $kind, whatever else changes', async ({ options, kind }) => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    await subject.source.control.refresh('one', options);
    const { metadata, operation } = subject.api.objects.read(path) as FakeObject;
    expect(metadata.annotations).toEqual({ 'argocd.argoproj.io/refresh': kind });
    expect(operation).toEqual(RUNNING.operation);
    expect(subject.api.requests.map(({ method }) => method)).toEqual(['PATCH']);
  });
});

describe('ending a sync', () => {
  // server/application/application.go, TerminateOperation: the phase is set, and everything else stays.
  it('writes the phase that Argo CD looks for, and nothing else', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    await subject.source.control.terminateOperation('one');
    expect(subject.api.objects.read(path)).toMatchObject({
      operation: { sync: {} },
      status: { operationState: { phase: 'Terminating', message: 'syncing' } },
    });
  });

  it.each([
    { what: 'no sync has run', more: {} },
    { what: 'the sync is over', more: { status: { operationState: { phase: 'Succeeded' } } } },
    { what: 'the sync begins only', more: { operation: { sync: {} } } },
    { what: 'the sync is being ended', more: { ...RUNNING, status: { operationState: { phase: 'Terminating' } } } },
  ])('changes nothing where $what', async ({ more }) => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', more));
    const { version } = subject.api.objects;
    await subject.source.control.terminateOperation('one');
    expect(subject.api.objects.version).toBe(version);
  });

  it('changes nothing where there is no such Application', async () => {
    await using subject = await createSubject();
    await subject.source.control.terminateOperation('one');
    expect(subject.api.requests.map(({ method }) => method)).toEqual(['GET']);
  });

  it('looks again where the Application changed between reading and writing', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    // The sync ends by itself in between, and must not be called Terminating then.
    subject.api.interceptors.push(({ method }, response) => {
      if (method !== 'PATCH') return false;
      subject.api.objects.put(path, application('one', 'b', { status: { operationState: { phase: 'Succeeded' } } }));
      return fail(response, 409, 'Conflict') !== undefined;
    });
    await subject.source.control.terminateOperation('one');
    expect(phaseIn(subject)).toBe('Succeeded');
  });

  it('is refused by the version where another sync began meanwhile', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    let isMoved = false;
    subject.api.interceptors.push(({ method }) => {
      if (method === 'PATCH' && !isMoved) {
        isMoved = true;
        subject.api.objects.put(path, application('one', 'b', { operation: { sync: {} } }));
      }
      return false;
    });
    await subject.source.control.terminateOperation('one');
    expect(isMoved).toBe(true);
    expect(phaseIn(subject)).toBeUndefined();
  });

  it('gives up after ten tries, as Argo CD does', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    for (let round = 0; round < 10; round++) {
      subject.api.interceptors.push(
        ({ method }, response) => method === 'PATCH' && fail(response, 409, 'Conflict') !== undefined,
      );
    }
    await expect(subject.source.control.terminateOperation('one')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('says so where it is not allowed', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    subject.api.forbidden.add('patch applications');
    await expect(subject.source.control.terminateOperation('one')).rejects.toMatchObject({
      code: 'KUBERNETES_ACCESS_DENIED',
    });
  });
});
