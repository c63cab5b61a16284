import {
  type CatalogueFile,
  type CatalogueRow,
  cataloguePath,
  decideCatalogue,
  parseCatalogueFile,
  parseProduct,
  parseStoreId,
  parseTemplateVersion,
  productRow,
  renderCatalogueFile,
  templateVersionRow,
} from '@caelus/core';
import { arbitraryValues } from '@caelus/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inputOf } from './render-samples.ts';
import { thrown } from './thrown.ts';

const storeId = parseStoreId('11111111-2222-4333-8444-555555555555');
const otherStore = parseStoreId('99999999-2222-4333-8444-555555555555');
const { product, templateVersion } = inputOf();
const rows: Readonly<Record<string, CatalogueRow>> = {
  product: productRow(product),
  'template version': templateVersionRow(templateVersion),
};
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

describe('a file of the catalogue', () => {
  it.each(Object.entries(rows))('of a %s says the row, and is read back', (_, row) => {
    const file = { storeId, row };
    expect(parseCatalogueFile(renderCatalogueFile(file))).toEqual(file);
  });

  it('is read back whatever the values are', () => {
    fc.assert(
      fc.property(arbitraryValues(fc), fc.option(arbitraryValues(fc)), (defaultValues, valuesSchema) => {
        const row = templateVersionRow(parseTemplateVersion({ ...templateVersion, defaultValues, valuesSchema }));
        expect(parseCatalogueFile(renderCatalogueFile({ storeId, row }))).toEqual({ storeId, row });
      }),
      { numRuns: 300 },
    );
  });

  it.each(Object.entries(rows))('of a %s is not believed once a line of it is another', (_, row) => {
    const lines = text(renderCatalogueFile({ storeId, row })).split('\n').slice(0, -1);
    for (const index of lines.keys()) {
      const without = lines.toSpliced(index, 1).join('\n');
      thrown('STORE_CORRUPT', () => parseCatalogueFile(bytes(`${without}\n`)));
    }
    const edited = text(renderCatalogueFile({ storeId, row })).replace(/createdAt: .*/, 'createdAt: secret');
    const error = thrown('STORE_CORRUPT', () => parseCatalogueFile(bytes(edited)));
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('secret');
  });

  it('has a name that every file system takes', () => {
    const named = (id: string) => cataloguePath(productRow(parseProduct({ ...product, id })));
    expect(named('7')).toBe('.caelus/catalogue/products/7.yaml');
    expect(named('con')).toBe('.caelus/catalogue/products/_con.yaml');
    expect(cataloguePath(templateVersionRow(templateVersion))).toBe(
      '.caelus/catalogue/template-versions/guestbook-1.0.0.yaml',
    );
  });
});

describe('what becomes of a file of the catalogue', () => {
  const at = (deprecatedAt: string | null) =>
    templateVersionRow(parseTemplateVersion({ ...templateVersion, deprecatedAt }));
  const [row, early, late] = [null, '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'].map(at) as [
    CatalogueRow,
    CatalogueRow,
    CatalogueRow,
  ];
  const another = templateVersionRow(parseTemplateVersion({ ...templateVersion, version: '9' }));
  const of = (own: CatalogueRow, store = storeId): CatalogueFile => ({ storeId: store, row: own });
  const flagged = (drift: string) => ({ action: 'flag', drift });

  it.each<[string, CatalogueRow | null, CatalogueFile | 'invalid' | null, object]>([
    ['neither is there', null, null, { action: 'none' }],
    ['it is missing', row, null, { action: 'write', reason: 'create' }],
    ['it says the row', row, of(row), { action: 'none' }],
    ['it does not know of the deprecation', early, of(row), { action: 'write', reason: 'update' }],
    ['the database does not know of the deprecation', row, of(early), flagged('catalogue-behind')],
    [
      'a host has renamed the product',
      productRow({ ...product, name: 'Guests' }),
      of(productRow(product)),
      { action: 'write', reason: 'update' },
    ],
    [
      'the product has another slug',
      productRow(parseProduct({ ...product, slug: 'guests' })),
      of(productRow(product)),
      flagged('catalogue-conflict'),
    ],
    ['they were deprecated apart', early, of(late), flagged('catalogue-conflict')],
    ['it is of another row', row, of(another), flagged('catalogue-conflict')],
    ['it was edited', row, 'invalid', flagged('catalogue-edited')],
    ['it was edited, and there is no row', null, 'invalid', flagged('catalogue-edited')],
    ['there is no row', null, of(row), flagged('catalogue-orphan')],
    ["it is another store's", row, of(row, otherStore), { action: 'ignore' }],
    ["it is another store's, and there is no row", null, of(row, otherStore), { action: 'ignore' }],
  ])('where %s', (_, wanted, file, expected) => {
    expect(decideCatalogue({ storeId, row: wanted, file, manualEdit: 'report' })).toEqual(expected);
  });

  it('is repaired only where the policy says so', () => {
    const decided = (manualEdit: 'repair' | 'accept') => decideCatalogue({ storeId, row, file: 'invalid', manualEdit });
    expect(decided('repair')).toEqual({ action: 'write', reason: 'repair' });
    expect(decided('accept')).toEqual(flagged('catalogue-edited'));
    expect(decideCatalogue({ storeId, row: null, file: 'invalid', manualEdit: 'repair' })).toEqual(
      flagged('catalogue-edited'),
    );
  });
});
