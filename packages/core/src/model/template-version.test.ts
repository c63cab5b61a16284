import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseTemplateVersion } from './template-version.ts';

const stored = {
  id: 't1',
  productId: 'p1',
  version: '1.0.0',
  chart: { type: 'helm', repoURL: 'https://charts.example.com', chart: 'nextcloud', version: '1.2.3' },
  defaultValues: { replicas: 1 },
  valuesSchema: null,
  lockedValues: ['/ingress/host', '/a~1b/~0c'],
  capabilities: {},
  createdAt: '2026-01-31T12:00:00.000Z',
  deprecatedAt: null,
};
const withCapabilities = (capabilities: unknown) => () => parseTemplateVersion({ ...stored, capabilities });

describe('a template version', () => {
  it('comes back as it went in', () => {
    expect(parseTemplateVersion(stored)).toEqual(stored);
    const full = {
      ...stored,
      valuesSchema: { type: 'object' },
      deprecatedAt: stored.createdAt,
      capabilities: {
        kustomize: true,
        hostname: '/ingress/host',
        volumes: { annotations: ['/persistence/annotations'] },
        deleteHooks: ['pre-delete', 'post-delete'],
        podSecurity: 'baseline',
      },
    };
    expect(parseTemplateVersion(full)).toEqual(full);
  });

  it('has a version of 1 to 63 characters', () => {
    for (const version of ['1', 'v1.0_b-2', 'a'.repeat(63)]) {
      expect(parseTemplateVersion({ ...stored, version }).version).toBe(version);
    }
    for (const version of ['', 'a'.repeat(64), '-1', '1.', '1+2']) {
      thrown('NAME_INVALID', () => parseTemplateVersion({ ...stored, version }));
    }
  });

  it.each(hostileTexts)('has no version that is %s', (_why, version) => {
    thrown('NAME_INVALID', () => parseTemplateVersion({ ...stored, version }));
  });

  it('has its chart pinned, and free of credentials', () => {
    const chart = (change: object) => () => parseTemplateVersion({ ...stored, chart: { ...stored.chart, ...change } });
    expect(thrown('CHART_VERSION_FLOATING', chart({ version: '1.x' })).details.issues[0]?.path).toBe('/chart/version');
    const error = thrown('REPOSITORY_URL_CREDENTIALS', chart({ repoURL: 'https://u:canary-7f3a@x.example.com' }));
    expect(JSON.stringify([error.message, error.details])).not.toContain('canary');
  });

  it('has objects for values and for their schema', () => {
    for (const defaultValues of [null, [], 'a: 1', 5]) {
      thrown('INVALID_INPUT', () => parseTemplateVersion({ ...stored, defaultValues }));
    }
    for (const valuesSchema of [[], true, '{}'])
      thrown('INVALID_INPUT', () => parseTemplateVersion({ ...stored, valuesSchema }));
  });

  it('locks at most 256 values, each by a JSON pointer of at most 512 characters', () => {
    const locked = (count: number) => Array.from({ length: count }, (_, index) => `/v${index}`);
    for (const count of [0, 255, 256]) {
      expect(parseTemplateVersion({ ...stored, lockedValues: locked(count) }).lockedValues).toHaveLength(count);
    }
    thrown('INVALID_INPUT', () => parseTemplateVersion({ ...stored, lockedValues: locked(257) }));
    const pointer = (length: number) => [`/${'a'.repeat(length - 1)}`];
    for (const length of [2, 511, 512])
      expect(parseTemplateVersion({ ...stored, lockedValues: pointer(length) })).toBeTruthy();
    thrown('INVALID_INPUT', () => parseTemplateVersion({ ...stored, lockedValues: pointer(513) }));
    for (const wrong of ['', '/', 'a', '/a//b', '/a/', '/a~2', '/a~']) {
      thrown('INVALID_INPUT', () => parseTemplateVersion({ ...stored, lockedValues: [wrong] }));
    }
  });

  it('can do only what is known', () => {
    thrown('INVALID_INPUT', withCapabilities({ kustomise: true }));
    thrown('INVALID_INPUT', withCapabilities({ kustomize: 'yes' }));
    thrown('INVALID_INPUT', withCapabilities({ hostname: 'ingress.host' }));
    thrown('INVALID_INPUT', withCapabilities({ volumes: 'all' }));
    thrown('INVALID_INPUT', withCapabilities({ deleteHooks: ['pre-install'] }));
    thrown('INVALID_INPUT', withCapabilities({ podSecurity: 'none' }));
  });

  it('names 1 to 16 values that take annotations of volumes', () => {
    const annotations = (count: number) => Array.from({ length: count }, (_, index) => `/v${index}/annotations`);
    for (const count of [1, 15, 16])
      expect(withCapabilities({ volumes: { annotations: annotations(count) } })()).toBeTruthy();
    for (const count of [0, 17])
      thrown('INVALID_INPUT', withCapabilities({ volumes: { annotations: annotations(count) } }));
  });
});
