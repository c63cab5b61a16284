import { setTimeout as delay } from 'node:timers/promises';
import { diagnoseDeletion, toTimestamp } from '@caelus/core';
import { applicationControlContract } from '@caelus/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ControlledApplications,
  createControlledApplications,
  HOLD,
} from '../../../../testbed/test/controlled-applications.ts';
import { createKubernetesStatusSource } from '../../src/status/kubernetes-status-source.ts';
import { eventually, type RealCluster, startRealCluster } from './real-cluster.ts';

let cluster: RealCluster;
let applications: ControlledApplications;

beforeAll(async () => {
  cluster = await startRealCluster('control');
  applications = await createControlledApplications(cluster.testbed);
});
afterAll(() => cluster?.[Symbol.asyncDispose]());

async function createSubject() {
  const source = createKubernetesStatusSource({ client: cluster.client });
  return {
    source,
    put: async (name: string, state: Parameters<ControlledApplications['put']>[1]) =>
      void (await applications.put(name, state)),
    turn: () => delay(100),
    [Symbol.asyncDispose]: () => applications.remove('one'),
  };
}

applicationControlContract({ describe, it }, { name: 'a real Argo CD, by the Kubernetes API', create: createSubject });

describe('a real Argo CD, by the Kubernetes API', () => {
  it('holds a sync until its window opens, which nobody asked before', async () => {
    await using subject = await createSubject();
    await subject.put('one', 'synced');
    await applications.setWindowClosed(true);
    try {
      await subject.source.control.sync('one');
      const state = await eventually('the sync is blocked', async () => {
        const found = (await subject.source.get('one'))?.status?.operationState;
        return found?.message?.includes('blocked by sync window') ? found : undefined;
      });
      expect(state.phase).toBe('Running');
    } finally {
      await applications.setWindowClosed(false);
    }
  });

  it('lets it be read what holds up a deletion, and by whom it may not', async () => {
    await using subject = await createSubject();
    const namespace = await applications.put('one', 'deleting');
    const resource = { group: '', kind: 'ConfigMap', namespace, name: 'data' };
    const [held] = await eventually('the resource is held', async () => {
      const found = await subject.source.findLiveResources('one');
      return found[0]?.object?.metadata.deletionTimestamp === undefined ? undefined : found;
    });
    expect(held).toMatchObject({ ...resource, object: { metadata: { finalizers: [HOLD] } } });
    const application = await subject.source.get('one');
    if (application === undefined || held === undefined) throw new Error('The Application is gone.');
    const now = toTimestamp(new Date());
    const diagnosis = diagnoseDeletion({ application, resources: [held], now, graceMilliseconds: 0 });
    expect(diagnosis.message).toBe(`ConfigMap ${namespace}/data waits for its finalizer ${HOLD}.`);

    // As bootstrap makes it: it sees Applications, and nothing else.
    const account = { namespace: 'argocd', name: 'observer' };
    const at = '--namespace=argocd';
    await cluster.kubectl(['create', 'serviceaccount', account.name, at]);
    await cluster.kubectl(['create', 'role', account.name, at, '--verb=get', '--resource=applications.argoproj.io']);
    const subjectOf = `--serviceaccount=argocd:${account.name}`;
    await cluster.kubectl(['create', 'rolebinding', account.name, at, `--role=${account.name}`, subjectOf]);
    await using client = await cluster.clientOf(account);
    const source = createKubernetesStatusSource({ client });
    const seen = await eventually('the account has its right', () =>
      source.findLiveResources('one').catch(() => undefined),
    );
    expect(seen).toEqual([{ ...resource, object: null }]);
  });
});
