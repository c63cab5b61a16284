import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseDeletionPolicy } from './deletion-policy.ts';
import { type Instance, instanceStatuses, isWanted, parseInstance } from './instance.ts';
import { parseTenant } from './tenant.ts';

const stored = {
  id: '018f4e5a-7b6c-7d8e-9f00-112233445566',
  productId: 'p1',
  tenant: 'acme',
  tier: 'gold',
  destination: { server: 'https://kubernetes.default.svc' },
  namespace: '018f4e5a-7b6c-7d8e-9f00-112233445566',
  argoAppName: '018f4e5a-7b6c-7d8e-9f00-112233445566',
  releaseName: 'nextcloud',
  gitPath: 'instances/018f4e5a-7b6c-7d8e-9f00-112233445566',
  desiredTemplateVersionId: 't1',
  appliedTemplateVersionId: null,
  userValues: {},
  platformValues: {},
  hostname: 'cloud.example.com',
  labels: { plan: 'gold' },
  deletionPolicy: 'delete',
  generation: 1,
  observedGeneration: 0,
  changeId: '018f4e5a-7b6c-7d8e-9f00-112233445567',
  status: 'Pending',
  statusReason: 'Created',
  syncStatus: null,
  healthStatus: null,
  lastSyncedAt: null,
  lastError: null,
  changedBy: { name: 'Ada' },
  createdAt: '2026-01-31T12:00:00.000Z',
  updatedAt: '2026-01-31T12:00:00.000Z',
  deletedAt: null,
};
const withField = (name: string, value: unknown) => () => parseInstance({ ...stored, [name]: value });

describe('a stored instance', () => {
  it('comes back as it went in', () => {
    expect(parseInstance(stored)).toEqual(stored);
  });

  it('has every field and no other', () => {
    for (const name of Object.keys(stored)) {
      const { [name]: _, ...rest } = stored as Record<string, unknown>;
      const code = name === 'labels' ? 'LABEL_INVALID' : 'INVALID_INPUT';
      expect(thrown(code, () => parseInstance(rest)).details.issues.map(({ path }) => path)).toEqual([`/${name}`]);
    }
    thrown('INVALID_INPUT', withField('owner', 'x'));
  });

  it('refuses each field under the code of its kind', () => {
    for (const name of ['id', 'tenant', 'productId', 'desiredTemplateVersionId', 'changeId']) {
      thrown('ID_INVALID', withField(name, '../x'));
    }
    for (const name of ['tier', 'namespace', 'argoAppName']) thrown('NAME_INVALID', withField(name, '../x'));
    thrown('HOSTNAME_INVALID', withField('hostname', 'localhost'));
    thrown('LABEL_INVALID', withField('labels', { Plan: 'x' }));
    for (const name of ['status', 'syncStatus', 'healthStatus', 'deletionPolicy', 'createdAt', 'userValues']) {
      thrown('INVALID_INPUT', withField(name, 'x'));
    }
  });

  it.each(hostileTexts)('has no names in the cluster that are %s', (_why, text) => {
    thrown('NAME_INVALID', withField('namespace', text));
    thrown('NAME_INVALID', withField('argoAppName', text));
    thrown('INVALID_INPUT', withField('releaseName', text));
  });

  it('has a namespace of at most 63 and a release of at most 53 characters, the release starting with a letter', () => {
    expect(withField('namespace', 'a'.repeat(63))().namespace).toHaveLength(63);
    thrown('NAME_INVALID', withField('namespace', 'a'.repeat(64)));
    for (const length of [1, 52, 53])
      expect(withField('releaseName', 'a'.repeat(length))().releaseName).toHaveLength(length);
    for (const name of ['a'.repeat(54), '1a', 'a-', '-a', 'a.b'])
      thrown('INVALID_INPUT', withField('releaseName', name));
  });

  it('counts generations from 1, and observed ones from 0, in whole numbers that are exact', () => {
    for (const generation of [1, 2, Number.MAX_SAFE_INTEGER])
      expect(withField('generation', generation)().generation).toBe(generation);
    for (const generation of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1']) {
      thrown('INVALID_INPUT', withField('generation', generation));
    }
    expect(withField('observedGeneration', 0)().observedGeneration).toBe(0);
    thrown('INVALID_INPUT', withField('observedGeneration', -1));
  });
});

describe('an instance is wanted', () => {
  it.each(instanceStatuses)('or not, in status %s', (status) => {
    expect(isWanted({ status } as Instance)).toBe(!status.startsWith('Delet'));
  });
});

describe('a deletion policy', () => {
  it('is delete or retain', () => {
    expect([parseDeletionPolicy('delete'), parseDeletionPolicy('retain')]).toEqual(['delete', 'retain']);
    for (const input of ['', 'Delete', 'orphan', null, 5]) thrown('INVALID_INPUT', () => parseDeletionPolicy(input));
  });
});

describe('a tenant', () => {
  it('has an id and nothing else', () => {
    expect(parseTenant({ id: 'acme' })).toEqual({ id: 'acme' });
    thrown('ID_INVALID', () => parseTenant({ id: 'Acme' }));
    thrown('INVALID_INPUT', () => parseTenant({ id: 'acme', name: 'Acme' }));
  });
});
