import { isCaelusError } from '@caelus/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostMapping } from './host-mapping.ts';
import type { HostRow } from './host-row.ts';
import { mapDesired, mapLifecycle, mapTemplateVersion } from './map-host-row.ts';

const mapping = hostMapping({
  deployment: {
    tenant: { columns: ['user_id'], read: ({ user_id }) => `user-${user_id}` },
    tier: 'tier',
    labels: 'labels',
    hostname: 'hostname',
    generation: 'generation',
    deletedAt: 'deleted_at',
    status: { words: { Deleting: 'deleting', Deleted: 'deleted' }, held: ['unpaid'], alsoRead: { halted: 'Failed' } },
  },
  triggers: 'none',
});
const rowOf = (values: Readonly<Record<string, string | null>>): HostRow => ({ id: '1', values, fingerprint: 'x' });
const life = (values: Readonly<Record<string, string | null>>) => mapLifecycle(mapping, rowOf(values));

describe('mapLifecycle', () => {
  it.each([
    [{ status: 'unpaid' }, 'held', null],
    [{ status: 'unpaid', deleted_at: '2026-01-01T00:00:00.000Z' }, 'held', null],
    [{ status: 'deleting' }, 'unwanted', 'Deleting'],
    [{ status: 'deleted' }, 'unwanted', 'Deleted'],
    [{ status: 'Running', deleted_at: '2026-01-01T00:00:00.000Z' }, 'unwanted', 'Running'],
    [{ status: 'halted' }, 'wanted', 'Failed'],
    [{ status: 'never heard of' }, 'wanted', null],
    [{ status: null }, 'wanted', null],
  ] as const)('%j', (values, lifecycle, status) => {
    expect(life(values)).toMatchObject({ lifecycle, status });
  });

  it.each([
    ['7', 7],
    ['0', null],
    ['-1', null],
    ['9007199254740993', null],
    ['x', null],
    [null, null],
  ] as const)('takes the generation %j as %j', (generation, expected) =>
    expect(life({ generation }).generation).toBe(expected),
  );
});

const plain = { user_id: '7', tier: 'gold', labels: null, hostname: null, user_values: null };

describe('mapDesired', () => {
  it('reads NULL and JSON’s null as nothing', () => {
    for (const none of [null, 'null']) {
      const { desired } = mapDesired(mapping, rowOf({ ...plain, labels: none, user_values: none }), true);
      expect(desired).toEqual({ tier: 'gold', labels: {}, hostname: null, userValues: {} });
    }
  });

  it('reads values as they are written, or refuses them', () => {
    const anyValues = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.jsonValue(), { maxKeys: 8, size: 'max' });
    const law = fc.property(anyValues, (values) => {
      const text = JSON.stringify(values);
      try {
        const read = mapDesired(mapping, rowOf({ ...plain, user_values: text }), true).desired.userValues;
        expect(read).toEqual(JSON.parse(text));
      } catch (error) {
        if (!isCaelusError(error)) throw error;
      }
    });
    fc.assert(law);
  });

  it.each(['{"a": 9007199254740993}', '{"__proto__": {"a": 1}}', '[1]', '"text"', '{"a": 1'])(
    'refuses the values %s',
    (text) => {
      expect(() => mapDesired(mapping, rowOf({ ...plain, user_values: text }), true)).toThrow(/values/);
    },
  );

  it('says nothing of what a function of the mapping has thrown', () => {
    const throwing = hostMapping({
      deployment: {
        tenant: {
          columns: [],
          read: () => {
            throw new Error('secret');
          },
        },
        tier: { value: 'x' },
      },
      triggers: 'none',
    });
    expect(() => mapDesired(throwing, rowOf(plain), true)).toThrow(/^(?!.*secret)/);
  });
});

describe('mapTemplateVersion', () => {
  const product = { id: '1', slug: 'wiki', name: 'Wiki', createdAt: '2026-01-01T00:00:00.000Z' } as never;
  const version = (values: Readonly<Record<string, string | null>>) =>
    mapTemplateVersion(
      mapping,
      '1',
      rowOf({ id: '1', product_id: '1', ...values }),
      product,
      '2026-01-01T00:00:00.000Z' as never,
    );

  it('makes the chart of its address and version, and the product’s name', () => {
    const values = { chart_version: '1.2.3', default_values: 'a: 1' };
    expect(version({ helm_chart_repo_url: 'oci://r.example.com/c', ...values })).toMatchObject({
      chart: { type: 'oci', repoURL: 'oci://r.example.com/c', chart: 'wiki', version: '1.2.3' },
      defaultValues: { a: 1 },
    });
    expect(version({ helm_chart_repo_url: 'https://c.example.com', ...values }).chart.type).toBe('helm');
  });

  it('refuses a version whose chart is not known, or floats', () => {
    expect(() => version({ helm_chart_repo_url: null, chart_version: '1.0.0' })).toThrow(/backfill/);
    expect(() => version({ helm_chart_repo_url: 'https://c.example.com', chart_version: '1.x' })).toThrow(/Pin/);
    expect(() => version({ helm_chart_repo_url: 'https://u:p@c.example.com', chart_version: '1.0.0' })).toThrow(
      /credentials/,
    );
  });
});
