import { describe, expect, it } from 'vitest';
import { CHARTS, inputOf, type Sample } from '../../test/render-samples.ts';
import { lockedPointers, platformValues, valuesLayers } from './values-layers.ts';

const RETAIN = { 'argocd.argoproj.io/sync-options': 'Delete=false,Prune=false' };

const platform = (sample: Sample) => platformValues(inputOf(sample));

describe('valuesLayers', () => {
  it('are the template, the user and the platform, weakest first', () => {
    const layers = valuesLayers(inputOf({ tier: { values: { a: 1 } } }));
    expect(layers).toEqual([
      { name: 'template', values: { replicas: 1, ingress: { enabled: true, host: '' } } },
      { name: 'user', values: { title: 'Our guests' } },
      { name: 'platform', values: { a: 1 } },
    ]);
  });
});

describe('platformValues', () => {
  it('lets the instance win over the tier, and the hostname over both', () => {
    const values = platform({
      tier: { values: { a: { b: 1, c: 1 }, ingress: { host: 'tier.example.com' } } },
      instance: { platformValues: { a: { b: 2 } }, hostname: 'own.example.com' },
    });
    expect(values).toEqual({ a: { b: 2, c: 1 }, ingress: { host: 'own.example.com' } });
  });

  it('sets a place within a list of the defaults together with the whole list', () => {
    const sample: Sample = {
      capabilities: { hostname: '/hosts/1/name', volumes: { annotations: ['/claims/0'] } },
      defaultValues: { hosts: [{ name: 'a' }, { name: 'b', paths: ['/'] }], claims: ['x', 'y'] },
      instance: { hostname: 'own.example.com', deletionPolicy: 'retain' },
    };
    expect(platform(sample)).toEqual({
      hosts: [{ name: 'a' }, { name: 'own.example.com', paths: ['/'] }],
      claims: [RETAIN, 'y'],
    });
  });

  it.each([
    ['/hosts/2/name', { hosts: { 2: { name: 'own.example.com' } } }],
    ['/hosts/-1/name', { hosts: { '-1': { name: 'own.example.com' } } }],
    ['/a~1b/c~0d', { 'a/b': { 'c~d': 'own.example.com' } }],
  ])('takes %s for keys where the defaults have no such item', (hostname, expected) => {
    const sample = { capabilities: { hostname }, defaultValues: { hosts: [{}, {}] } };
    expect(platform({ ...sample, instance: { hostname: 'own.example.com' } })).toEqual(expected);
  });

  it('annotates volumes for retain alone', () => {
    const capabilities = { volumes: { annotations: ['/persistence/annotations', '/cache/annotations'] } };
    expect(platform({ capabilities })).toEqual({});
    expect(platform({ capabilities, instance: { deletionPolicy: 'retain' } })).toEqual({
      persistence: { annotations: RETAIN },
      cache: { annotations: RETAIN },
    });
  });

  it('refuses a hostname that the chart has no place for', () => {
    expect(() => platform({ capabilities: {}, chart: CHARTS.git, instance: { hostname: 'own.example.com' } })).toThrow(
      expect.objectContaining({ code: 'HOSTNAME_UNSUPPORTED', details: { templateVersionId: 'guestbook-1.0.0' } }),
    );
  });
});

describe('lockedPointers', () => {
  it('locks the places of the hostname and the annotations even while nothing is set there', () => {
    const { templateVersion } = inputOf({ capabilities: { hostname: '/host', volumes: { annotations: ['/v'] } } });
    expect(lockedPointers({ ...templateVersion, lockedValues: ['/image'] })).toEqual(['/image', '/host', '/v']);
    expect(lockedPointers(inputOf({ capabilities: { volumes: 'claim-templates' } }).templateVersion)).toEqual([]);
  });
});
