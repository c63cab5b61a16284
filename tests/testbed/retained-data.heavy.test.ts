import { type NamingStrategy, type Product, uuidNaming } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookJob } from './hook-jobs.ts';
import { type ClusterObject, type LiveStack, openLiveStack } from './live-stack.ts';
import { storyChart } from './story-chart.ts';

const CLAIM = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
  {{- with .Values.persistence.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with .Values.persistence.volumeName }}
  volumeName: {{ . }}
  {{- end }}
  resources: {requests: {storage: 1Gi}}
`;
const VALUES = { values: 'persistence: {}\n' };
const MARKED = { volumes: { annotations: ['/persistence/annotations'] } };

const DATABASE = `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: database
spec:
  serviceName: database
  selector:
    matchLabels: {app: database}
  template:
    metadata:
      labels: {app: database}
    spec:
      securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: database
          image: example.com/database:1.0.0
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 1Gi}}
`;

/** A Job that does not end before it is let, so that no look can come too late. */
const hook = (phase: string) => hookJob(phase, phase, 'progressing');

/** A host that numbers its instances: `wiki-1` and `wiki-2` are both called `own-wiki`. */
const numberedNaming: NamingStrategy = {
  name: 'numbered',
  namespacePattern: 'own-*',
  names({ id, slug }) {
    const name = `own-${id.replace(/-\d+$/, '')}`;
    return { namespace: name, argoAppName: name, releaseName: slug };
  },
};

describe('the data of an instance', () => {
  let stack: LiveStack;
  let product: Product;
  beforeAll(async () => {
    stack = await openLiveStack({ naming: numberedNaming });
    product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  const claims = (namespace: string) => stack.list('persistentvolumeclaim', namespace);
  const publish = (name: string, version: string, more: Record<string, string>, capabilities: object) =>
    stack.publish(product, storyChart(name, version, more, VALUES), { version: `${name}-${version}`, capabilities });
  async function create(id: string, templateVersionId: string, more: object = {}) {
    const wanted = { productId: product.id, templateVersionId, tenant: 'acme', id, ...more };
    const instance = await stack.caelus.instances.create(wanted);
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'running', message: null });
    return instance;
  }
  async function remove(id: string) {
    const instance = await stack.caelus.instances.delete(id);
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'deleted' });
  }

  it('outlives updates, upgrades, and with retain the instance itself', async () => {
    const more = { 'templates/claim.yaml': CLAIM };
    const [v1, v2] = [await publish('files', '1.0.0', more, MARKED), await publish('files', '2.0.0', more, MARKED)];
    const { id, namespace } = await create('files-1', v1.id, { deletionPolicy: 'retain' });
    const [claim] = await claims(namespace);
    expect(claim?.status.phase).toBe('Bound');
    const upgraded = await stack.caelus.instances.upgrade(id, { templateVersionId: v2.id, values: { replicas: 2 } });
    expect(await stack.settled(upgraded)).toMatchObject({ outcome: 'running' });
    await remove(id);
    expect(await stack.list('deployment', namespace)).toEqual([]);
    const kept = await claims(namespace);
    expect(kept).toMatchObject([{ metadata: { uid: claim?.metadata.uid }, status: { phase: 'Bound' } }]);
    expect((await stack.find('namespace', namespace))?.metadata.deletionTimestamp).toBeUndefined();
  });

  it('is taken over by the next instance of the same names', async () => {
    const { items } = await stack.caelus.templateVersions.list({ productId: product.id });
    const newest = items.find(({ version }) => version === 'files-2.0.0');
    const before = (await claims('own-files'))[0] as ClusterObject;
    // It goes for good this time: the marks of the former instance are taken off again.
    const { id, namespace } = await create('files-2', newest?.id ?? '');
    expect(namespace).toBe('own-files');
    expect(await claims(namespace)).toMatchObject([{ metadata: { uid: before.metadata.uid } }]);
    await remove(id);
    expect(await stack.find('namespace', namespace)).toBeUndefined();
    const volume = before.spec.volumeName as string;
    await stack.until('the volume to go', async () => (await stack.find('persistentvolume', volume)) === undefined);
  });

  it('is moved to an instance of other names by an operator', async () => {
    const version = await publish('moved', '1.0.0', { 'templates/claim.yaml': CLAIM }, MARKED);
    const { id, namespace } = await create('moved-1', version.id, { deletionPolicy: 'retain' });
    await remove(id);
    const volume = (await claims(namespace))[0]?.spec.volumeName as string;
    const patch = (text: string) =>
      stack.kubectl(['patch', 'persistentvolume', volume, '--type=merge', `--patch=${text}`]);
    await patch('{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}');
    await stack.kubectl(['delete', 'namespace', namespace]);
    await patch('{"spec":{"claimRef":null}}');
    const next = await create('heir-1', version.id, { values: { persistence: { volumeName: volume } } });
    expect(await claims(next.namespace)).toMatchObject([{ spec: { volumeName: volume }, status: { phase: 'Bound' } }]);
  });

  it('stays in the claims of a StatefulSet, and in those that the overlay marks', async () => {
    const database = { 'templates/database.yaml': DATABASE };
    const stateful = await publish('stateful', '1.0.0', database, { volumes: 'claim-templates' });
    const overlaid = await publish('overlaid', '1.0.0', { 'templates/claim.yaml': CLAIM }, { kustomize: true });
    await Promise.all(
      [stateful, overlaid].map(async (version, index) => {
        const { id, namespace } = await create(`kept${index}-1`, version.id, { deletionPolicy: 'retain' });
        const before = await claims(namespace);
        expect(before).toHaveLength(1);
        await remove(id);
        expect(await stack.list('statefulset,deployment', namespace)).toEqual([]);
        expect(await claims(namespace)).toMatchObject([
          { metadata: { uid: before[0]?.metadata.uid }, status: { phase: 'Bound' } },
        ]);
      }),
    );
  });
});

describe('a chart with delete hooks', () => {
  let stack: LiveStack;
  beforeAll(async () => {
    stack = await openLiveStack({ naming: uuidNaming });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it.each([
    ['pre-delete', true],
    ['pre-delete', false],
    ['post-delete', true],
  ] as const)('runs %s (declared: %s), and goes', async (phase, declared) => {
    const name = `${phase}-${declared}`;
    const product = await stack.caelus.products.create({ slug: name, name });
    const chart = storyChart(name, '1.0.0', { 'templates/hook.yaml': hook(phase) });
    const capabilities = declared ? { deleteHooks: [phase] } : {};
    const { id: templateVersionId } = await stack.publish(product, chart, { capabilities });
    const wanted = { productId: product.id, templateVersionId, tenant: 'acme' };
    const instance = await stack.caelus.instances.create(wanted);
    expect(await stack.settled(instance)).toMatchObject({ outcome: 'running' });
    const { namespace } = instance;
    const deleted = await stack.caelus.instances.delete(instance.id);
    await stack.until('the hook to run', async () => (await stack.find('job', phase, namespace))?.status.active === 1);
    const workload = await stack.find('deployment', 'web', namespace);
    if (phase === 'pre-delete') expect(workload).toBeDefined();
    else expect(workload).toBeUndefined();
    const pods = ['pods', `--namespace=${namespace}`, `--selector=job-name=${phase}`];
    await stack.kubectl(['label', ...pods, '--overwrite', 'testbed.caelus.dev/health=ready']);
    expect(await stack.settled(deleted)).toMatchObject({ outcome: 'deleted' });
    // Argo CD does not wait for what it made for a post-delete hook.
    if (phase === 'pre-delete') expect(await stack.find('namespace', namespace)).toBeUndefined();
    await stack.until('the namespace to go', async () => (await stack.find('namespace', namespace)) === undefined);
  });
});
