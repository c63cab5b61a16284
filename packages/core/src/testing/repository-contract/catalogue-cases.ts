import assert from 'node:assert/strict';
import type { ChartSource } from '../../model/chart-source.ts';
import type { Slug, TemplateVersionId } from '../../model/identifier.ts';
import type { Product } from '../../model/product.ts';
import { assertRefused, type ContractCase } from './contract-case.ts';
import {
  at,
  hostileValues,
  productId,
  sampleProduct,
  sampleTemplateVersion,
  seed,
  templateVersionId,
  write,
} from './sample-records.ts';

const charts: readonly ChartSource[] = [
  { type: 'helm', repoURL: 'https://charts.example.com', chart: 'nextcloud', version: '1.2.3-rc.1+build' },
  { type: 'oci', repoURL: 'oci://registry.example.com:5000/charts', chart: 'nextcloud', version: 'v1.2.3' },
  { type: 'git', repoURL: 'ssh://git@example.com/charts', path: 'charts/app', revision: 'refs/tags/v1' },
  { type: 'git', path: 'charts/app/1.2.3' },
];

export const catalogueCases: readonly ContractCase[] = [
  {
    name: 'a product is read back as it was written, by id and by slug',
    async run({ repository }) {
      const product = sampleProduct(1, { name: 'Nextcloud «Büro» 雲 \u{1f600} \'";--' });
      await write(repository, (transaction) => transaction.insertProduct(product));
      assert.deepEqual(await repository.findProduct(product.id), product);
      assert.deepEqual(await repository.findProductBySlug(product.slug), product);
      assert.equal(await repository.findProduct(productId(2)), undefined);
      assert.equal(await repository.findProductBySlug('slug-2' as Slug), undefined);
    },
  },
  {
    name: 'a product’s slug and id are unique',
    async run({ repository }) {
      await seed(repository);
      const again = (other: Partial<Product>) =>
        write(repository, (transaction) => transaction.insertProduct(sampleProduct(2, other)));
      const { id, slug } = sampleProduct(1);
      await assertRefused(again({ slug }), 'PRODUCT_EXISTS', { slug });
      await assertRefused(again({ id }), 'PRODUCT_EXISTS', { slug: 'slug-2' });
      await again({});
      assert.equal((await repository.listProducts()).items.length, 2);
    },
  },
  {
    name: 'a record that is not valid is refused before it is written',
    async run({ repository }) {
      const name = `bad ${String.fromCharCode(0)}`;
      await assertRefused(
        write(repository, (transaction) => transaction.insertProduct(sampleProduct(1, { name }))),
        'NAME_INVALID',
      );
      await seed(repository);
      await assertRefused(
        write(repository, (transaction) =>
          transaction.insertTemplateVersion(sampleTemplateVersion(2, { version: '../x' })),
        ),
        'NAME_INVALID',
      );
      assert.equal((await repository.listTemplateVersions()).items.length, 1);
    },
  },
  {
    name: 'a template version is read back as it was written, for every source of charts',
    async run({ repository }) {
      await write(repository, (transaction) => transaction.insertProduct(sampleProduct(1)));
      for (const [number, chart] of charts.entries()) {
        const version = sampleTemplateVersion(number, { chart });
        await write(repository, (transaction) => transaction.insertTemplateVersion(version));
        assert.deepEqual(await repository.findTemplateVersion(version.id), version);
      }
      const full = sampleTemplateVersion(9, {
        defaultValues: hostileValues(),
        valuesSchema: { type: 'object', properties: hostileValues() },
        lockedValues: ['/ingress/host', '/a~1b/~0c'],
        capabilities: {
          kustomize: true,
          hostname: '/ingress/host',
          volumes: { annotations: ['/persistence/annotations'] },
          deleteHooks: ['pre-delete', 'post-delete'],
          podSecurity: 'baseline',
        },
        deprecatedAt: at(99),
      });
      await write(repository, (transaction) => transaction.insertTemplateVersion(full));
      assert.deepEqual(await repository.findTemplateVersion(full.id), full);
      assert.equal(await repository.findTemplateVersion(templateVersionId(77)), undefined);
    },
  },
  {
    name: 'a template version’s name is unique within its product, and its id everywhere',
    async run({ repository }) {
      await seed(repository);
      const insert = (number: number, other: Parameters<typeof sampleTemplateVersion>[1]) =>
        write(repository, (transaction) => transaction.insertTemplateVersion(sampleTemplateVersion(number, other)));
      const first = sampleTemplateVersion(1);
      await assertRefused(insert(2, { version: first.version }), 'TEMPLATE_VERSION_EXISTS', {
        productId: first.productId,
        version: first.version,
      });
      await assertRefused(insert(1, { defaultValues: { other: true } }), 'TEMPLATE_VERSION_EXISTS');
      await assertRefused(insert(2, { id: first.id }), 'TEMPLATE_VERSION_IMMUTABLE', { templateVersionId: first.id });
      await write(repository, (transaction) => transaction.insertProduct(sampleProduct(2)));
      await insert(2, { productId: productId(2), version: first.version });
      assert.deepEqual(await repository.findTemplateVersion(first.id), first);
    },
  },
  {
    name: 'a template version needs its product',
    async run({ repository }) {
      await assertRefused(
        write(repository, (transaction) => transaction.insertTemplateVersion(sampleTemplateVersion(1))),
        'PRODUCT_UNKNOWN',
        { product: productId(1) },
      );
      assert.deepEqual((await repository.listTemplateVersions()).items, []);
    },
  },
  {
    name: 'deprecation changes nothing else, and the first one stays',
    async run({ repository }) {
      const version = sampleTemplateVersion(2, { defaultValues: hostileValues() });
      await seed(repository);
      await write(repository, (transaction) => transaction.insertTemplateVersion(version));
      const deprecate = (second: number) =>
        write(repository, (transaction) => transaction.deprecateTemplateVersion(version.id, at(second)));
      await deprecate(50);
      assert.deepEqual(await repository.findTemplateVersion(version.id), { ...version, deprecatedAt: at(50) });
      await deprecate(60);
      await deprecate(50);
      assert.deepEqual(await repository.findTemplateVersion(version.id), { ...version, deprecatedAt: at(50) });
      assert.equal((await repository.findTemplateVersion(templateVersionId(1)))?.deprecatedAt, null);
      const unknown = 'nowhere' as TemplateVersionId;
      await assertRefused(
        write(repository, (transaction) => transaction.deprecateTemplateVersion(unknown, at(1))),
        'TEMPLATE_VERSION_UNKNOWN',
        { templateVersionId: unknown },
      );
    },
  },
  {
    name: 'a record that was written is a copy, and so is one that was read',
    async run({ repository }) {
      await seed(repository);
      const version = structuredClone(sampleTemplateVersion(2, { defaultValues: { list: [1] } }));
      await write(repository, (transaction) => transaction.insertTemplateVersion(version));
      (version.defaultValues.list as number[]).push(2);
      const read = await repository.findTemplateVersion(version.id);
      assert.deepEqual(read?.defaultValues, { list: [1] });
      try {
        (read.defaultValues.list as number[]).push(3);
      } catch {
        // A frozen record is as good as a copy.
      }
      assert.deepEqual((await repository.findTemplateVersion(version.id))?.defaultValues, { list: [1] });
    },
  },
];
