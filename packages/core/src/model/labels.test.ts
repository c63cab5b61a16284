import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { LABELS_LIMIT, parseLabels } from './labels.ts';

const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`label-${index}`, 'x']));

describe('labels', () => {
  it('are names and values, and may be none', () => {
    const labels = { plan: 'Gold_2.0', 'cost-centre': '', constructor: 'x' };
    expect(parseLabels(labels)).toEqual(labels);
    expect(parseLabels({})).toEqual({});
  });

  it('are a copy, so that a later change of the input changes nothing', () => {
    const input: Record<string, string> = { plan: 'gold' };
    const labels = parseLabels(input);
    input.plan = 'silver';
    expect(labels.plan).toBe('gold');
  });

  it('are at most 32', () => {
    expect(LABELS_LIMIT).toBe(32);
    for (const count of [31, 32]) expect(Object.keys(parseLabels(many(count)))).toHaveLength(count);
    const error = thrown('LABEL_INVALID', () => parseLabels(many(33)));
    expect(error.details.issues).toEqual([{ path: '', message: 'Use at most 32 labels.' }]);
  });

  it('have names and values of at most 63 characters', () => {
    const long = 'a'.repeat(63);
    expect(parseLabels({ [long]: long })).toEqual({ [long]: long });
    thrown('LABEL_INVALID', () => parseLabels({ [`${long}a`]: 'x' }));
    expect(thrown('LABEL_INVALID', () => parseLabels({ x: `${long}a` })).details.issues[0]?.path).toBe('/x');
  });

  it.each([...hostileTexts, ['a prefix', 'argocd.argoproj.io/instance'] as const, ['upper case', 'Plan'] as const])(
    'have no name that is %s, and do not repeat it',
    (_why, name) => {
      const error = thrown('LABEL_INVALID', () => parseLabels(Object.fromEntries([[name, 'x']])));
      if (!/^[\w./-]+$/.test(name)) expect(error.details.issues[0]?.path).toBe('/…');
    },
  );

  it.each(hostileTexts.filter(([, text]) => text !== ''))('have no value that is %s', (_why, value) => {
    const error = thrown('LABEL_INVALID', () => parseLabels({ plan: value }));
    expect(error.details.issues).toEqual([expect.objectContaining({ path: '/plan' })]);
  });

  it('have no name that reaches a prototype', () => {
    thrown('LABEL_INVALID', () => parseLabels(JSON.parse('{"__proto__": "x"}')));
  });

  it.each([[null], ['plan=gold'], [['plan']], [5], [undefined]])('are not %o', (input) => {
    thrown('LABEL_INVALID', () => parseLabels(input));
  });

  it('are all reported at once', () => {
    const error = thrown('LABEL_INVALID', () => parseLabels({ Bad: 'x', plan: '-', ok: 'x', other: 5 }));
    expect(error.details.issues.map(({ path }) => path)).toEqual(['/Bad', '/plan', '/other']);
  });
});
