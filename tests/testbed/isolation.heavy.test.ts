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
let planter: Instance;
let usurper: Instance;
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
  planter = await create({ elsewhere: victim.namespace, name: 'planted' });
  usurper = await create({ elsewhere: victim.namespace, name: 'kube-root-ca.crt' });
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
  it('keeps what is its own or what no Application has, and gets nothing that is another’s', async () => {
    for (const [instance, name] of [
      [intruder, 'web'],
      [planter, 'planted'],
      [usurper, 'kube-root-ca.crt'],
    ] as const) {
      const { outcome, message } = await stack.settled(instance);
      expect(outcome).toBe('failed');
      expect(message).toBe(
        `configmaps "${name}" is forbidden: The namespace is that of another instance, and only its own Application may write into it.`,
      );
    }
    expect((await stack.find('configmap', 'web', victim.namespace))?.data).toMatchObject({ message: 'mine' });
    expect(await stack.find('configmap', 'planted', victim.namespace)).toBeUndefined();
    const authorities = await stack.find('configmap', 'kube-root-ca.crt', victim.namespace);
    expect(Object.keys(authorities?.data)).toEqual(['ca.crt']);
  });

  it('is kept apart by the API server, whatever Argo CD would do', async () => {
    const { namespace, argoAppName } = victim;
    await stack.kubectl(['create', 'configmap', 'untracked', '-n', namespace]);
    const trackedBy = (application: string) =>
      `argocd.argoproj.io/tracking-id=${application}:/ConfigMap:${namespace}/untracked`;
    const asController = (...args: string[]) =>
      stack.kubectl([...args, '--as=system:serviceaccount:argocd:argocd-application-controller']);
    const annotate = (application: string) =>
      asController('annotate', '--overwrite', 'configmap', 'untracked', '-n', namespace, trackedBy(application));
    const refused: readonly (readonly [string, () => Promise<string>, RegExp])[] = [
      ['make an object', () => asController('create', 'configmap', 'x', '-n', namespace), /says no Application/],
      ['change one', () => annotate(intruder.argoAppName), /only its own Application/],
      ['delete one', () => asController('delete', 'configmap', 'untracked', '-n', namespace), /says no Application/],
      [
        'take the namespace',
        () =>
          asController(
            ...['annotate', '--overwrite', 'namespace', namespace],
            `argocd.argoproj.io/tracking-id=${intruder.argoAppName}:/Namespace:${namespace}/${namespace}`,
          ),
        /with its Application/,
      ],
      ['free the namespace', () => asController('label', 'namespace', namespace, 'caelus.dev/instance-'), /stays one/],
    ];
    for (const [what, attempt, why] of refused) await expect(attempt(), what).rejects.toThrow(why);
    // What is its own it may take, and Argo CD then removes it, because Git has it not.
    await annotate(argoAppName);
    await stack.until('it is removed', async () => !(await stack.find('configmap', 'untracked', namespace)));
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
