import { setTimeout as delay } from 'node:timers/promises';
import { bedOf, createRepository, kubectl, type Testbed } from '../src/index.ts';
import { checkOut } from './repository-checkout.ts';

/** What an Application is brought to: see {@link ControlledApplications.put}. */
export type ControlledState = 'synced' | 'out-of-sync' | 'syncing' | 'deleting';

/** Applications of a real Argo CD in the states that a control has to do with. */
export interface ControlledApplications {
  /** The AppProject of them all. */
  readonly project: string;
  /** Makes one, in a namespace of its own, and waits until it is so. Returns the namespace. */
  put(name: string, state: ControlledState): Promise<string>;
  /** Removes it with what it made, whatever holds it. */
  remove(name: string): Promise<void>;
  /** Whether syncs by hand are forbidden by a sync window. */
  setWindowClosed(closed: boolean): Promise<void>;
}

export const HOLD = 'example.com/hold';
const PATIENCE = 120_000;
const server = 'https://kubernetes.default.svc';

const configMap = (name: string, metadata: object = {}) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data: { a: '1' } });

/** A sync of these waits for the first, which never becomes healthy, before it makes the second. */
function hangingManifests(): Readonly<Record<string, string>> {
  const labels = { app: 'hanging', 'testbed.caelus.dev/health': 'progressing' };
  const wave = (number: number) => ({ annotations: { 'argocd.argoproj.io/sync-wave': String(number) } });
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'hanging', ...wave(0) },
    spec: {
      selector: { matchLabels: { app: 'hanging' } },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.com/none:1' }] } },
    },
  };
  return { 'syncing/deployment.json': JSON.stringify(deployment), 'syncing/after.json': configMap('after', wave(1)) };
}

export async function createControlledApplications(testbed: Testbed): Promise<ControlledApplications> {
  const { git, argocd } = testbed;
  const bed = await bedOf(testbed.name);
  const { url } = await createRepository('controlled', testbed.name);
  await using checkout = await checkOut(testbed, url);
  await checkout.commit({
    'plain/data.json': configMap('data'),
    'deleting/data.json': configMap('data', { finalizers: [HOLD] }),
    ...hangingManifests(),
  });
  const project = 'controlled';
  const argoCd = (kind: string, name: string, more: object) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind,
    metadata: { name, namespace: argocd.namespace },
    ...more,
  });
  const apply = (object: object) =>
    kubectl(bed, ['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(object));
  const applyProject = (syncWindows: readonly object[]) =>
    apply(
      argoCd('AppProject', project, {
        spec: { sourceRepos: [url], destinations: [{ server, namespace: 'controlled-*' }], syncWindows },
      }),
    );
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'controlled',
      namespace: argocd.namespace,
      labels: { 'argocd.argoproj.io/secret-type': 'repository' },
    },
    stringData: { type: 'git', url, username: git.username, password: git.password },
  });
  await applyProject([]);
  const namespaces = new Map<string, string>();
  let count = 0;

  const read = async (name: string): Promise<Seen | undefined> => {
    const args = ['get', 'application', name, `--namespace=${argocd.namespace}`, '--ignore-not-found', '--output=json'];
    const text = await kubectl(bed, args);
    return text.trim() === '' ? undefined : (JSON.parse(text) as Seen);
  };

  async function until(name: string, isSo: (seen: Seen | undefined) => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const seen = await read(name);
      if (isSo(seen)) return;
      if (performance.now() > end) throw new Error(`${name} did not become so: ${isSo} ${JSON.stringify(seen)}`);
      await delay(200);
    }
  }

  return {
    project,
    async put(name, state) {
      count += 1;
      const namespace = `controlled-${process.pid}-${count}`;
      namespaces.set(name, namespace);
      await kubectl(bed, ['create', 'namespace', namespace]);
      const path = state === 'syncing' || state === 'deleting' ? state : 'plain';
      const application = argoCd('Application', name, {
        spec: {
          project,
          source: { repoURL: url, targetRevision: 'refs/heads/main', path },
          destination: { server, namespace },
          syncPolicy: state === 'out-of-sync' ? undefined : { automated: { prune: true, selfHeal: true } },
        },
      });
      const finalizers = ['resources-finalizer.argocd.argoproj.io'];
      await apply({ ...application, metadata: { ...application.metadata, finalizers } });
      if (state === 'out-of-sync') return until(name, isOutOfSync).then(() => namespace);
      if (state === 'syncing') return until(name, isRunning).then(() => namespace);
      await until(name, isQuiet);
      if (state === 'synced') return namespace;
      await kubectl(bed, ['delete', 'application', name, `--namespace=${argocd.namespace}`, '--wait=false']);
      await until(name, (seen) => seen?.metadata.deletionTimestamp !== undefined);
      return namespace;
    },
    async remove(name) {
      const none = JSON.stringify({ metadata: { finalizers: null } });
      const at = `--namespace=${argocd.namespace}`;
      if ((await read(name)) === undefined) return;
      await kubectl(bed, ['patch', 'application', name, at, '--type=merge', `--patch=${none}`]);
      await kubectl(bed, ['delete', 'application', name, at, '--ignore-not-found', '--wait=true']);
      const namespace = namespaces.get(name) ?? '';
      const held = await kubectl(bed, [
        'get',
        'configmap',
        'data',
        `--namespace=${namespace}`,
        '--ignore-not-found',
        '--output=name',
      ]);
      if (held !== '')
        await kubectl(bed, [
          'patch',
          'configmap',
          'data',
          `--namespace=${namespace}`,
          '--type=merge',
          `--patch=${none}`,
        ]);
      await kubectl(bed, ['delete', 'namespace', namespace, '--wait=false']);
    },
    async setWindowClosed(closed) {
      await applyProject(closed ? [{ kind: 'deny', schedule: '* * * * *', duration: '24h', applications: ['*'] }] : []);
    },
  };
}

interface Seen {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly operation?: object;
  readonly status?: {
    readonly sync?: { readonly status?: string };
    readonly operationState?: { readonly phase?: string; readonly startedAt?: string };
    readonly reconciledAt?: string;
  };
}

const isOutOfSync = (seen: Seen | undefined) => seen?.status?.sync?.status === 'OutOfSync';
const isRunning = (seen: Seen | undefined) => seen?.status?.operationState?.phase === 'Running';
/** Synced, and compared longer ago than Argo CD's timestamps are coarse, so that a newer one is another. */
const isQuiet = ({ operation, status }: Seen = { metadata: {} }) =>
  operation === undefined &&
  status?.operationState?.phase === 'Succeeded' &&
  status.sync?.status === 'Synced' &&
  Date.now() - Date.parse(status.reconciledAt ?? '') > 1500;
