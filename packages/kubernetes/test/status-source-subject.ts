import type { Application } from '@caelus/core';
import { playController } from '@caelus/core/testing';
import { createKubernetesClient, type KubernetesClient } from '../src/client/kubernetes-client.ts';
import {
  createKubernetesStatusSource,
  type KubernetesStatusSourceOptions,
} from '../src/status/kubernetes-status-source.ts';
import { APPLICATIONS, type FakeApi, startFakeApi } from './fake-kubernetes-api.ts';
import type { FakeObject } from './fake-objects.ts';

export interface Subject extends AsyncDisposable {
  readonly api: FakeApi;
  readonly client: KubernetesClient;
  readonly source: ReturnType<typeof createKubernetesStatusSource>;
  put(name: string, revision: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Lets the application controller take one step; a sync that runs does not end by itself where it is `endless`. */
  play(name: string, endless?: boolean): void;
}

/** A status source over a fake API server, with waits too short to notice. */
export async function createSubject(options: Partial<KubernetesStatusSourceOptions> = {}): Promise<Subject> {
  const api = await startFakeApi();
  const client = createKubernetesClient({ server: api.url });
  const source = createKubernetesStatusSource({
    client,
    retryMilliseconds: 1,
    retryLimitMilliseconds: 5,
    ...options,
  });
  return {
    api,
    client,
    source,
    async put(name, revision) {
      api.objects.put(`${APPLICATIONS}/${name}`, application(name, revision));
    },
    async remove(name) {
      api.objects.write(`${APPLICATIONS}/${name}`, undefined);
    },
    play(name, endless = false) {
      const found = api.objects.read(`${APPLICATIONS}/${name}`);
      if (found === undefined) return;
      const at = new Date(Date.UTC(2026, 0, 1) + api.objects.version * 1000).toISOString();
      const played = playController(found as unknown as Application, at, endless) as unknown as FakeObject;
      if (played !== found) api.objects.put(`${APPLICATIONS}/${name}`, played);
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

export const MANAGED = { 'app.kubernetes.io/managed-by': 'caelus', 'caelus.dev/instance': 'one' };

export function application(name: string, revision: string, more: object = {}): FakeObject {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', labels: MANAGED, managedFields: [{ manager: 'argocd-controller' }] },
    spec: { project: 'caelus-stable' },
    status: { sync: { status: 'Synced', revisions: [revision] } },
    ...more,
  };
}
