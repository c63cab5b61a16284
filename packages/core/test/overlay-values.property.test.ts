import { mergeValues, overlayValues, type Values } from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const values = arbitraryValues(fc, { depth: 4, width: 4 });
const merge = (...layers: readonly Values[]) => mergeValues(layers.map((layer) => ({ name: 'user', values: layer })));
const leaves = (value: unknown): number =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.values(value).reduce<number>((sum, member) => sum + leaves(member), 0)
    : 1;

describe('the overlay of values', () => {
  it('merges to what was wanted, whenever there is one', () => {
    fc.assert(
      fc.property(values, values, values, values, (lower, user, upper, wanted) => {
        const found = overlayValues({ lower, user, upper, wanted });
        if (found !== undefined) expect(merge(lower, found, upper)).toEqual(wanted);
      }),
      { numRuns: 3000 },
    );
  });

  it('is found for all that some layer of the user merges to', () => {
    fc.assert(
      fc.property(values, values, values, (lower, user, other) => {
        const wanted = merge(lower, other);
        const found = overlayValues({ lower, user, upper: {}, wanted });
        expect(found).toBeDefined();
        expect(merge(lower, found as Values)).toEqual(wanted);
      }),
      { numRuns: 3000 },
    );
  });

  it('says no more than that layer where the user had said nothing', () => {
    fc.assert(
      fc.property(values, values, (lower, other) => {
        const found = overlayValues({ lower, user: {}, upper: {}, wanted: merge(lower, other) });
        expect(leaves(found)).toBeLessThanOrEqual(leaves(other));
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves the layer as it is where nothing was edited', () => {
    fc.assert(
      fc.property(values, values, values, (lower, user, upper) => {
        expect(overlayValues({ lower, user, upper, wanted: merge(lower, user, upper) })).toEqual(user);
      }),
      { numRuns: 3000 },
    );
  });

  it.each<[string, Values, Values, Values, Values | undefined]>([
    ['a key of the template is gone', { a: 1, b: 2 }, {}, { a: 1 }, undefined],
    ['a value of the platform is another', { a: 1 }, { a: 2 }, { a: 3 }, undefined],
    [
      'a key is new beside the platform',
      { a: { b: 1 } },
      { a: { c: 2 } },
      { a: { b: 1, c: 2, d: 3 } },
      { a: { d: 3 } },
    ],
    ['a list is another', { a: [1, 2] }, {}, { a: [1] }, { a: [1] }],
    ['an object takes the place of a scalar', { a: 1 }, {}, { a: {} }, { a: {} }],
    ['a value is null', { a: { b: 1 } }, {}, { a: null }, { a: null }],
    ['a key is called as what every object has', {}, {}, { toString: 1 }, { toString: 1 }],
  ])('where %s', (_, lower, upper, wanted, expected) => {
    expect(overlayValues({ lower, user: {}, upper, wanted })).toEqual(expected);
  });

  it('keeps what the user has pinned, and drops what the edit has taken away', () => {
    const lower = { replicas: 1, image: { tag: 'a' } };
    const user = { replicas: 1, motd: 'hello' };
    const wanted = { replicas: 1, image: { tag: 'b' } };
    expect(overlayValues({ lower, user, upper: {}, wanted })).toEqual({ replicas: 1, image: { tag: 'b' } });
  });
});
