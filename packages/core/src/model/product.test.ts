import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { parseNewProduct, parseProduct } from './product.ts';

const stored = { id: 'p1', slug: 'nextcloud', name: 'Nextcloud', createdAt: '2026-01-31T12:00:00.000Z' };

describe('a product', () => {
  it('comes back as it went in', () => {
    expect(parseNewProduct({ slug: 'nextcloud', name: 'Nextcloud ☁' })).toEqual({
      slug: 'nextcloud',
      name: 'Nextcloud ☁',
    });
    expect(parseProduct(stored)).toEqual(stored);
  });

  it('has a name of 1 to 100 characters', () => {
    for (const length of [1, 99, 100])
      expect(parseProduct({ ...stored, name: 'n'.repeat(length) }).name).toHaveLength(length);
    for (const name of ['', ' \t', 'n'.repeat(101)]) thrown('NAME_INVALID', () => parseProduct({ ...stored, name }));
  });

  it.each(hostileTexts.filter(([, text]) => /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text)))(
    'has no name with %s',
    (_why, name) => {
      thrown('NAME_INVALID', () => parseNewProduct({ slug: 'nextcloud', name }));
    },
  );

  it('has every field, each under its own code, and no other', () => {
    thrown('ID_INVALID', () => parseProduct({ ...stored, id: '../p1' }));
    thrown('NAME_INVALID', () => parseProduct({ ...stored, slug: 'Next Cloud' }));
    thrown('INVALID_INPUT', () => parseProduct({ ...stored, createdAt: 'now' }));
    thrown('INVALID_INPUT', () => parseProduct({ ...stored, owner: 'x' }));
    thrown('INVALID_INPUT', () => parseNewProduct(stored));
    expect(thrown('INVALID_INPUT', () => parseNewProduct({})).details.issues.map(({ path }) => path)).toEqual([
      '/slug',
      '/name',
    ]);
  });
});
