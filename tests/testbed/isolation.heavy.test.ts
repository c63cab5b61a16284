import { type Instance, type JsonObject, type Product, parseTier, type TemplateVersion } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LiveStack, openLiveStack } from './live-stack.ts';
import { configMap, storyChart } from './story-chart.ts';

/** A chart that lets its values say what it is not asked for: the mistake of an author, or the wish of an attacker. */
const HOSTILE = storyChart('hostile', '1.0.0', {
  'templates/elsewhere.yaml': `{{- with .Values.elsewhere }}\n${configMap('{{ $.Values.name | default "planted" }}', '{{ . }}')}{{- end }}\n`,
  'templates/extra.yaml': '{{- with .Values.extra }}{{ toYaml . }}{{ end }}\n',
  'templates/privileged.yaml': `{{- if .Values.privileged }}
apiVersion: apps/v1
kind: Deployment
metadata: {name: privileged}
spec:
  progressDeadlineSeconds: 3
  selector: {matchLabels: {app: privileged}}
  template:
    metadata: {labels: {app: privileged}}
    spec:
      hostNetwork: true
      containers: [{name: x, image: example.com/x:1.0.0, securityContext: {privileged: true}}]
{{- end }}
`,
});

const CLUSTER_ROLE = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'planted' },
  rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
};
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'planted' } };
const APPLICATION = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'planted', namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: 'https://example.com/x.git', path: '.' },
    destination: { server: 'https://kubernetes.default.svc', namespace: 'default' },
  },
};

let stack: LiveStack;
let product: Product;
let hostile: TemplateVersion;
/** Of the same tier, with what is its own. */
let victim: Instance;
// They take a while to fail, and so begin together.
let intruder: Instance;
let privileged: Instance;

beforeAll(async () => {
  const tiers = [
    parseTier({ name: 'stable' }),
    parseTier({ name: 'trusted', podSecurity: 'privileged' }),
    parseTier({ name: 'elsewhere', destinations: [{ name: 'eu-1' }] }),
  ];
  stack = await openLiveStack({ tiers });
  product = await stack.caelus.products.create({ slug: 'wiki', name: 'Wiki' });
  hostile = await stack.publish(product, HOSTILE);
  victim = await create({ message: 'mine' }, { tenant: 'acme' });
  expect(await stack.settled(victim)).toMatchObject({ outcome: 'running' });
  intruder = await create({ elsewhere: victim.namespace, name: 'web' });
  privileged = await create({ privileged: true });
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const create = (values: JsonObject, more: object = {}) =>
  stack.caelus.instances.create({
    productId: product.id,
    templateVersionId: hostile.id,
    tenant: 'mallory',
    values,
    ...more,
  });

const REFUSED: readonly (readonly [values: JsonObject, kind: string, namespace: string | undefined, why: RegExp])[] = [
  [{ elsewhere: 'default' }, 'configmap', 'default', /^namespace default is not permitted in project/],
  [{ elsewhere: 'kube-system' }, 'configmap', 'kube-system', /^namespace kube-system is not permitted in project/],
  [{ elsewhere: 'argocd' }, 'configmap', 'argocd', /^namespace argocd is not permitted in project/],
  [{ extra: APPLICATION }, 'application', 'argocd', /^resource argoproj\.io:Application is not permitted in project/],
  [{ extra: CLUSTER_ROLE }, 'clusterrole', undefined, /:ClusterRole is not permitted in project/],
  [{ extra: NAMESPACE }, 'namespace', undefined, /:Namespace is not permitted in project/],
];

it('a tier’s project refuses what lies outside, and nothing of the instance is made', async () => {
  await Promise.all(
    REFUSED.map(async ([values, kind, namespace, why]) => {
      const instance = await create(values);
      const { outcome, message } = await stack.settled(instance);
      expect(outcome, kind).toBe('failed');
      expect(message).toMatch(why);
      expect(await stack.find(kind, 'planted', namespace)).toBeUndefined();
      expect(await stack.list('deployment', instance.namespace)).toEqual([]);
      const deletion = await stack.settled(await stack.caelus.instances.delete(instance.id));
      expect(deletion.outcome, kind).toBe('deleted');
    }),
  );
});

describe('another tenant of the tier', () => {
  it('keeps every object that is its own', async () => {
    const { outcome, message } = await stack.settled(intruder);
    expect(outcome).toBe('failed');
    expect(message).toMatch(/^Shared resource found: ConfigMap\/web is part of applications /);
    expect((await stack.find('configmap', 'web', victim.namespace))?.data).toMatchObject({ message: 'mine' });
  });

  it('is out of reach where the value that names a namespace is locked, before anything is written', async () => {
    const version = await stack.publish(product, HOSTILE, {
      version: 'locked',
      lockedValues: ['/elsewhere', '/extra'],
    });
    await expect(create({ elsewhere: victim.namespace }, { templateVersionId: version.id })).rejects.toMatchObject({
      code: 'VALUES_LOCKED',
    });
  });
});

describe('a tier permits more only where it says so', () => {
  it('has no privileged pods where it does not', async () => {
    const { outcome, reason, instance } = await stack.settled(privileged);
    expect({ outcome, reason }).toEqual({ outcome: 'failed', reason: 'Degraded' });
    const pods = await stack.list('pod', instance.namespace);
    expect(pods.filter(({ metadata }) => metadata.labels?.app === 'privileged')).toEqual([]);
  });

  it('has them where it does, for a template that needs them', async () => {
    const capabilities = { podSecurity: 'privileged' } as const;
    const { id } = await stack.publish(product, HOSTILE, { version: 'privileged', capabilities });
    const more = { templateVersionId: id };
    await expect(create({ privileged: true }, more)).rejects.toMatchObject({ code: 'POD_SECURITY_UNSUPPORTED' });
    const { outcome, instance } = await stack.settled(await create({ privileged: true }, { ...more, tier: 'trusted' }));
    expect(outcome).toBe('running');
    expect((await stack.find('deployment', 'privileged', instance.namespace))?.status.readyReplicas).toBe(1);
  });

  it('goes to its own clusters alone', async () => {
    await expect(create({}, { tier: 'elsewhere' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});
