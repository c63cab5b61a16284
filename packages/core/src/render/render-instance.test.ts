import { describe, expect, it } from 'vitest';
import { CHARTS, inputOf, type Sample } from '../../test/render-samples.ts';
import type { PodSecurityLevel } from '../model/template-version.ts';
import { parseMarker } from './marker.ts';
import { renderInstance } from './render-instance.ts';

const failure = (sample: Sample): unknown => {
  try {
    renderInstance(inputOf(sample));
  } catch (error) {
    return error;
  }
  return 'rendered';
};
const coded = (code: string, details?: object) => expect.objectContaining({ code, ...(details && { details }) });
const at = (path: string) => ({ issues: [expect.objectContaining({ path })] });

describe('renderInstance', () => {
  it('returns what it wrote', () => {
    const input = inputOf({ instance: { generation: 7 } });
    const rendered = renderInstance(input);
    const bytes = rendered.tree.get(
      input.context.layout.instanceDirectory(input.instance.id).concat('/instance.yaml') as never,
    );
    expect(parseMarker(bytes ?? new Uint8Array())).toEqual(rendered.marker);
    expect(rendered.marker).toMatchObject({ generation: 7, contentHash: rendered.contentHash });
    expect(rendered.values).toEqual({ replicas: 1, ingress: { enabled: true, host: '' }, title: 'Our guests' });
  });

  it('refuses to retain volumes that nothing marks', () => {
    const instance = { deletionPolicy: 'retain' };
    expect(failure({ instance, capabilities: {} })).toEqual(
      coded('DELETION_POLICY_UNSUPPORTED', { deletionPolicy: 'retain' }),
    );
    expect(failure({ instance, capabilities: { volumes: 'claim-templates' } })).toBe('rendered');
    expect(failure({ instance, capabilities: { volumes: { annotations: ['/a'] } } })).toBe('rendered');
    expect(failure({ instance, capabilities: { kustomize: true } })).toBe('rendered');
  });

  it('refuses the kustomize overlay over a chart of another Git repository', () => {
    const overlay = (chart: object) => failure({ chart, capabilities: { kustomize: true } });
    expect(overlay(CHARTS.git)).toEqual(coded('KUSTOMIZE_UNSUPPORTED', { chartType: 'git' }));
    expect([CHARTS.helm, CHARTS.oci, CHARTS.gitOps].map(overlay)).toEqual(['rendered', 'rendered', 'rendered']);
  });

  it.each<[tier: PodSecurityLevel | undefined, template: PodSecurityLevel | undefined, outcome: string]>([
    [undefined, undefined, 'restricted'],
    [undefined, 'baseline', 'baseline'],
    [undefined, 'privileged', 'refused'],
    ['restricted', 'restricted', 'restricted'],
    ['restricted', 'baseline', 'refused'],
    ['privileged', undefined, 'restricted'],
    ['privileged', 'privileged', 'privileged'],
  ])('with tier %s and template %s has the Pod Security level: %s', (tier, template, outcome) => {
    const sample = { tier: { podSecurity: tier }, capabilities: { podSecurity: template } };
    if (outcome === 'refused') {
      const details = { tier: 'stable', required: template, allowed: tier ?? 'baseline' };
      expect(failure(sample)).toEqual(coded('POD_SECURITY_UNSUPPORTED', details));
      return;
    }
    const files = [...renderInstance(inputOf(sample)).tree].filter(([path]) => path.endsWith('/namespace.yaml'));
    const levels = new TextDecoder().decode(files[0]?.[1]).match(/(?<=pod-security.*: ).*/g);
    expect(levels).toEqual([outcome, outcome, outcome]);
  });

  it('writes no manifest for limits that are empty', () => {
    const tier = { resourceQuota: {}, limitRange: { default: {} }, networkPolicy: 'none' };
    const names = [...renderInstance(inputOf({ tier })).tree.keys()].filter((path) => path.includes('/manifests/'));
    expect(names.map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual(['namespace.yaml']);
  });

  it.each([
    'https://git.example.com/platform/gitops.git',
    'https://git.example.com/platform/gitops',
    'https://GIT.example.com/Platform/gitops/',
  ])('refuses a second revision of the GitOps repository, written %s', (repoURL) => {
    expect(failure({ chart: { ...CHARTS.git, repoURL } })).toEqual(
      coded('INVALID_INPUT', at('/templateVersion/chart/repoURL')),
    );
  });

  it('refuses a destination that is not one of the tier, under another name too', () => {
    const tier = { destinations: [{ name: 'eu-1' }, { server: 'https://10.0.0.1' }] };
    expect(failure({ tier, instance: { destination: { name: 'eu-1' } } })).toBe('rendered');
    expect(failure({ tier, instance: { destination: { name: 'eu-2' } } })).toEqual(
      coded('INVALID_INPUT', at('/instance/destination')),
    );
  });

  it('refuses rows that do not belong together', () => {
    const input = inputOf();
    const other = { ...input.product, id: 'product-2' as never };
    expect(() => renderInstance({ ...input, product: other })).toThrow(
      coded('INVALID_INPUT', {
        issues: ['/product', '/templateVersion'].map((path) => expect.objectContaining({ path })),
      }),
    );
    expect(() => renderInstance({ ...input, tier: { name: 'beta' as never } })).toThrow(
      coded('INVALID_INPUT', at('/tier')),
    );
  });

  it.each([
    [{ namespace: 'argocd' }, '/instance/namespace'],
    [{ namespace: 'kube-system' }, '/instance/namespace'],
    [{ namespace: 'default' }, '/instance/namespace'],
    [{ argoAppName: 'caelus-root' }, '/instance/argoAppName'],
    [{ argoAppName: 'caelus-root-1f' }, '/instance/argoAppName'],
  ])('refuses the name of something else: %o', (instance, path) => {
    expect(failure({ instance })).toEqual(coded('NAME_INVALID', at(path)));
  });

  it.each([{ namespace: 'kube-0abcdefg' }, { argoAppName: 'caelus-root-0abcdefg' }])(
    'takes a name like one: %o',
    (instance) => {
      expect(failure({ instance })).toBe('rendered');
    },
  );
});
