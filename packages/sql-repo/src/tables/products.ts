import {
  CaelusError,
  type CallOptions,
  type Page,
  type PageRequest,
  type Product,
  type ProductId,
  parseProduct,
  type Slug,
} from '@caelus/core';
import { listPage } from '../ordered-page.ts';
import { findRecord, insertion, type RecordTable, toColumns } from '../record-table.ts';
import { SqlConstraintError, type SqlSession } from '../sql-session.ts';

const table: RecordTable<Product> = {
  name: 'product',
  columns: { id: 'id', slug: 'slug', name: 'name', createdAt: 'created_at' },
  json: [],
  instants: ['createdAt'],
  parse: parseProduct,
};

export async function findProduct(
  session: SqlSession,
  id: ProductId,
  options?: CallOptions,
): Promise<Product | undefined> {
  return findRecord(session, table, 'id = ?', [id], options);
}

export async function findProductBySlug(
  session: SqlSession,
  slug: Slug,
  options?: CallOptions,
): Promise<Product | undefined> {
  return findRecord(session, table, 'slug = ?', [slug], options);
}

export function listProducts(session: SqlSession, page?: PageRequest, options?: CallOptions): Promise<Page<Product>> {
  return listPage(
    session,
    {
      name: 'product',
      table,
      key: ['created_at', 'id'],
      direction: 'DESC',
      index: 'product_by_age',
      leading: null,
      filters: [],
      keyOf: ({ createdAt, id }) => [createdAt, id],
    },
    page,
    options,
  );
}

export async function insertProduct(session: SqlSession, product: Product): Promise<void> {
  try {
    await session.attempt(...insertion(table.name, toColumns(table, parseProduct(product))));
  } catch (error) {
    if (!(error instanceof SqlConstraintError)) throw error;
    throw new CaelusError({
      code: 'PRODUCT_EXISTS',
      message: `There is a product ${product.slug}, or one with its id, already. Choose another slug.`,
      details: { slug: product.slug },
      cause: error,
    });
  }
}
