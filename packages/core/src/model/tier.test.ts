import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseTier } from './tier.ts';

const window = { kind: 'allow', schedule: '0 2 * * *', duration: '2h30m' };
const withWindow = (change: object) => () => parseTier({ name: 'gold', syncWindows: [{ ...window, ...change }] });
const withQuota = (resourceQuota: unknown) => () => parseTier({ name: 'gold', resourceQuota });

describe('a tier', () => {
  it('needs a name only, and comes back as it went in', () => {
    expect(parseTier({ name: 'gold' })).toEqual({ name: 'gold' });
    const full = {
      name: 'gold',
      values: { replicas: 3 },
      syncWindows: [{ ...window, timeZone: 'Europe/Zurich', manualSync: true }],
      resourceQuota: { 'requests.cpu': '500m', 'limits.memory': '4Gi', 'count/deployments.apps': '10' },
      limitRange: { default: { cpu: '1' }, defaultRequest: { cpu: '0.5' } },
      networkPolicy: 'default-deny',
      podSecurity: 'restricted',
      selfHeal: false,
    };
    expect(parseTier(full)).toEqual(full);
  });

  it.each(hostileTexts)('has no name that is %s', (_why, name) => {
    thrown('NAME_INVALID', () => parseTier({ name }));
  });

  it.each([
    { schedule: '0 2 * *' },
    { schedule: '0 2 * * * *' },
    { schedule: '0 2 * * *\n' },
    { schedule: `${'0'.repeat(93)} 2 * * *` },
    { duration: '2' },
    { duration: '-2h' },
    { duration: '1d' },
    { kind: 'maybe' },
    { timeZone: '' },
    { timeZone: 'a'.repeat(101) },
    { timeZone: 'Europe/Zürich' },
    { until: 'x' },
  ])('has no sync window with %o', (change) => {
    thrown('INVALID_INPUT', withWindow(change));
  });

  it('has a schedule of at most 100 characters', () => {
    expect(withWindow({ schedule: `${'0'.repeat(92)} 2 * * *` })()).toBeTruthy();
  });

  it.each(['', '-1', '1.', '1 Gi', '1gi', '1Kib', 'lots', '1Gi\n'])('has no quantity %j', (quantity) => {
    const error = thrown('INVALID_INPUT', withQuota({ cpu: quantity }));
    expect(error.details.issues).toEqual([
      { path: '/resourceQuota/cpu', message: expect.stringContaining('quantity') },
    ]);
  });

  it.each(['', 'CPU', 'cpu ', '-cpu', 'a'.repeat(254)])('has no resource named %j, and says so', (name) => {
    const error = thrown('INVALID_INPUT', withQuota({ [name]: '1' }));
    expect(error.details.issues[0]?.message).toBe('Use the name of a Kubernetes resource.');
  });

  it('has no other field, and no other choice', () => {
    thrown('INVALID_INPUT', () => parseTier({ name: 'gold', quota: {} }));
    thrown('INVALID_INPUT', () => parseTier({ name: 'gold', networkPolicy: 'deny' }));
    thrown('INVALID_INPUT', () => parseTier({ name: 'gold', podSecurity: 'none' }));
    thrown('INVALID_INPUT', () => parseTier({ name: 'gold', values: [] }));
  });
});
