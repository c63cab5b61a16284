import { inspect } from 'node:util';
import type { RenderContext, Tier } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { BootstrapInput } from '../src/bootstrap/bootstrap-input.ts';
import { type BootstrapPlan, planBootstrap, planInstanceIsolation } from '../src/bootstrap/plan-bootstrap.ts';
import { revealed } from '../src/bootstrap/planned-object.ts';
import { renderBootstrapPlan } from '../src/bootstrap/render-bootstrap-plan.ts';
import { contextFor, FULL, PLANS, SECRETS } from './bootstrap-samples.ts';

const objectOf = (input: BootstrapInput, kind: string, name: string) => {
  const found = planBootstrap(input).objects.find(
    ({ manifest }) => manifest.kind === kind && (manifest.metadata as { name: string }).name === name,
  );
  if (found === undefined) throw new Error(`${kind} ${name} is not planned.`);
  return found;
};

describe('a plan', () => {
  // `npx vitest run … --update` writes the files anew: look at what Git says of them before you commit.
  it.each(Object.entries(PLANS))('of %s is the golden one, byte for byte', async (name, input) => {
    await expect(renderBootstrapPlan(planBootstrap(input))).toMatchFileSnapshot(`golden/bootstrap-${name}.yaml`);
  });

  it.each(Object.entries(PLANS))('of %s is shown, printed and serialised without secrets', (_, input) => {
    const plan = planBootstrap(input);
    const shown = [renderBootstrapPlan(plan), JSON.stringify(plan), inspect(plan, { depth: 20, showHidden: true })];
    for (const secret of Object.values(SECRETS)) {
      for (const part of [secret, secret.slice(8, 30), Buffer.from(secret).toString('base64')]) {
        expect(shown.join('\n')).not.toContain(part);
      }
    }
  });

  it('is YAML that says the same', () => {
    const plan = planBootstrap(FULL);
    const documents = parseAllDocuments(renderBootstrapPlan(plan)) as { toJS(): object }[];
    expect(documents.map((document) => document.toJS())).toMatchObject(plan.objects.map(({ manifest }) => manifest));
  });

  it('reveals secrets to the API server alone, as base64', () => {
    const { data } = revealed(objectOf(FULL, 'Secret', 'caelus-gitops')) as unknown as { data: Record<string, string> };
    const text = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
    expect(text('password')).toBe(SECRETS.token);
    expect(text('username')).toBe('x-access-token');
    expect(text('url')).toBe('https://git.example.com/platform/gitops.git');
  });

  it('has the root Application last, after all that it needs', () => {
    for (const input of Object.values(PLANS)) {
      expect(planBootstrap(input).objects.at(-1)?.manifest).toMatchObject({ kind: 'Application' });
    }
  });

  it('gives Caelus no right beyond Applications in the namespace of Argo CD', () => {
    for (const rights of ['observe', 'operate'] as const) {
      const plan = planBootstrap({ ...FULL, serviceAccount: { rights } });
      const kinds = plan.objects.map(({ manifest }) => String(manifest.kind));
      expect(kinds.filter((kind) => kind.startsWith('Cluster'))).toEqual([]);
      const role = plan.objects.find(({ manifest }) => manifest.kind === 'Role')?.manifest;
      const verbs = ['get', 'list', 'watch', ...(rights === 'operate' ? ['patch'] : [])];
      expect(role).toMatchObject({
        metadata: { namespace: 'argocd' },
        rules: [{ apiGroups: ['argoproj.io'], resources: ['applications'], verbs }],
      });
    }
  });

  it("marks with its database what is Caelus's, and nothing of Argo CD's", () => {
    for (const { manifest, ownership } of planBootstrap(FULL).objects) {
      const { annotations = {} } = manifest.metadata as { annotations?: Record<string, string> };
      expect('caelus.dev/store' in annotations).toBe(ownership !== 'shared');
    }
  });

  const ssh = { ...FULL, context: contextFor('git@git.example.com:gitops.git') };
  it.each([
    ['an unknown option', { ...FULL, namespace: 'x' }],
    ['no context', { ...FULL, context: {} as RenderContext }],
    ['no tiers', { ...FULL, tiers: undefined as unknown as Tier[] }],
    ['a token for SSH', { ...ssh, repository: { token: SECRETS.token } }],
    ['a key for HTTP', { ...FULL, repository: { sshPrivateKey: SECRETS.sshPrivateKey } }],
    ['a key that is none', { ...ssh, repository: { sshPrivateKey: 'SECRET-of-another-kind' } }],
    ['an empty token', { ...FULL, repository: { token: '' } }],
    ['a username with a colon', { ...FULL, repository: { token: SECRETS.token, username: 'a:b' } }],
    ['a namespace that is none', { ...FULL, serviceAccount: { namespace: '../x' } }],
    ['a name that is none', { ...FULL, serviceAccount: { name: 'A' } }],
    ['unknown rights', { ...FULL, serviceAccount: { rights: 'all' as 'observe' } }],
    ['an unknown option of the isolation', { ...FULL, instanceIsolation: { users: [] } as object }],
    ['a controller that ends the expression', { ...FULL, instanceIsolation: { controllers: ['x"] || true || ["'] } }],
    ['a controller with a backslash', { ...FULL, instanceIsolation: { controllers: ['x\\'] } }],
    ['a controller with a space', { ...FULL, instanceIsolation: { controllers: ['x y'] } }],
    ['credentials in a URL', { ...FULL, notifications: { url: 'https://a:SECRET@x', token: SECRETS.notifications } }],
    [
      'a URL that refers to a secret',
      { ...FULL, notifications: { url: 'https://x/$admin.password', token: SECRETS.notifications } },
    ],
    ['a URL of another kind', { ...FULL, notifications: { url: 'file:///x', token: SECRETS.notifications } }],
    ['a webhook of an unknown provider', { ...FULL, webhook: { provider: 'x' as 'github', secret: SECRETS.webhook } }],
  ])('is refused for %s, without the secrets', (_, input) => {
    let shown = '';
    try {
      planBootstrap(input as BootstrapInput);
    } catch (error) {
      shown = inspect(error, { depth: 20 });
    }
    expect(shown).toContain('INVALID_INPUT');
    expect(shown).not.toContain('SECRET');
  });

  it('keeps instances apart in the cluster of Argo CD, for whom it is told, and in another one by a plan of its own', () => {
    const { context } = FULL;
    const expressionOf = (plan: BootstrapPlan) =>
      plan.objects.map(({ manifest }) => (manifest.spec as { matchConditions?: object[] })?.matchConditions?.[0]);
    const forUser = (user: string) => ({
      name: 'argo-cd',
      expression: `request.userInfo.username in ["${user}"]`,
    });
    const controllers = ['system:serviceaccount:gitops:controller'];
    expect(expressionOf(planBootstrap(FULL))).toContainEqual(
      forUser('system:serviceaccount:argocd:argocd-application-controller'),
    );
    expect(expressionOf(planBootstrap({ ...FULL, instanceIsolation: { controllers } }))).toContainEqual(
      forUser('system:serviceaccount:gitops:controller'),
    );
    expect(expressionOf(planInstanceIsolation(context))).toEqual([
      forUser('system:serviceaccount:kube-system:argocd-manager'),
      undefined,
    ]);
    const kinds = planBootstrap({ ...FULL, instanceIsolation: false }).objects.map(({ manifest }) => manifest.kind);
    expect(kinds.filter((kind) => String(kind).startsWith('Validating'))).toEqual([]);
    expect(() => planInstanceIsolation(context, { controllers: [] })).toThrow('1 to 20');
  });

  it.each([15, 16, 512, 513])('takes secrets of 16 to 512 characters: %s', (length) => {
    const secret = 'x'.repeat(length);
    const webhook = () => planBootstrap({ ...FULL, webhook: { secret } });
    const notifications = () => planBootstrap({ ...FULL, notifications: { url: 'https://x', token: secret } });
    for (const plan of [webhook, notifications]) {
      if (length < 16 || length > 512) expect(plan).toThrow(/16 to 512/);
      else expect(plan).not.toThrow();
    }
  });

  it.each([0, 1, 20, 21])('takes 1 to 20 controllers, of at most 320 characters: %s', (count) => {
    const plan = (user: string) =>
      planBootstrap({ ...FULL, instanceIsolation: { controllers: Array.from({ length: count }, () => user) } });
    if (count < 1 || count > 20) expect(() => plan('x')).toThrow(/1 to 20/);
    else expect(JSON.stringify(plan('x'.repeat(320)))).toContain('x'.repeat(320));
    expect(() => plan('x'.repeat(321))).toThrow(/1 to 20/);
  });

  it.each([0, 1000, 1001])('takes at most 1,000 tiers: %s', (count) => {
    const tiers = Array.from({ length: count }, (_, index) => ({ name: `tier-${index}` }) as unknown as Tier);
    const plan = () => planBootstrap({ ...FULL, tiers });
    if (count > 1000) expect(plan).toThrow(/1,000/);
    else expect(plan().objects.filter(({ reason }) => reason.includes('the tier'))).toHaveLength(count);
  });
});
