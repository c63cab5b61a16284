import { describe, expect, it } from 'vitest';
import { APPLICATIONS, fail } from './fake-kubernetes-api.ts';
import { application, createSubject, type Subject } from './status-source-subject.ts';

const RUNNING = { operation: { sync: {} }, status: { operationState: { phase: 'Running', message: 'syncing' } } };
const path = `${APPLICATIONS}/one`;
const phaseIn = ({ api }: Subject) =>
  (api.objects.read(path)?.status as { operationState?: { phase?: string } } | undefined)?.operationState?.phase;

describe('ending a sync', () => {
  // server/application/application.go, TerminateOperation: the phase is set, and everything else stays.
  it('writes the phase that Argo CD looks for, and nothing else', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    await subject.source.terminateOperation('one');
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
    await subject.source.terminateOperation('one');
    expect(subject.api.objects.version).toBe(version);
  });

  it('changes nothing where there is no such Application', async () => {
    await using subject = await createSubject();
    await subject.source.terminateOperation('one');
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
    await subject.source.terminateOperation('one');
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
    await subject.source.terminateOperation('one');
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
    await expect(subject.source.terminateOperation('one')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('says so where it is not allowed', async () => {
    await using subject = await createSubject();
    subject.api.objects.put(path, application('one', 'a', RUNNING));
    subject.api.forbidden.add('patch applications');
    await expect(subject.source.terminateOperation('one')).rejects.toMatchObject({ code: 'KUBERNETES_ACCESS_DENIED' });
  });
});
