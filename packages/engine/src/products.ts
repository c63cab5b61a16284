import {
  CaelusError,
  type CallOptions,
  type JsonObject,
  type NewProduct,
  type Page,
  type PageRequest,
  type Product,
  type ProductId,
  parseNewProduct,
  parseProductId,
} from '@caelus/core';
import { findAnswer, keepAnswer } from './answer-once.ts';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import { type EngineContext, timestamp } from './engine-context.ts';

/** Commands and queries on products. */
export interface Products {
  /** Creates a product. @throws {CaelusError} `PRODUCT_EXISTS`, `NAME_INVALID`, `IDEMPOTENCY_KEY_REUSED` */
  create(product: { readonly slug: string; readonly name: string }, options?: CommandOptions): Promise<Product>;
  /** @throws {CaelusError} `PRODUCT_UNKNOWN`, `ID_INVALID` */
  get(id: string, options?: CallOptions): Promise<Product>;
  /** Newest first. @throws {CaelusError} `CURSOR_INVALID` */
  list(page?: PageRequest, options?: CallOptions): Promise<Page<Product>>;
}

export function createProducts(context: EngineContext): Products {
  const { repository, ids, observe } = context;

  async function get(id: string, options: CallOptions = {}): Promise<Product> {
    const product = await repository.findProduct(parseProductId(id), options);
    if (product !== undefined) return product;
    throw productUnknown(id);
  }

  return {
    get,
    list: (page, options) => repository.listProducts(page, options),
    create: (input, options = {}) =>
      observe('product-create', {}, async () => {
        const parsed: NewProduct = parseNewProduct(input);
        const { actor, idempotencyKey: key } = parseCommandOptions(options);
        const request = { scope: 'product-create', key, input: { ...parsed } };
        const product: Product = { id: parseProductId(ids.uuid()), ...parsed, createdAt: timestamp(context) };
        const known = await repository.transaction(async (transaction) => {
          const answer = (await findAnswer(context, transaction, request)) as JsonObject | undefined;
          if (answer !== undefined) return answer.id as ProductId;
          await transaction.insertProduct(product);
          const data = { productId: product.id, slug: product.slug };
          const event = { at: product.createdAt, instanceId: null, generation: null, changeId: null, actor, data };
          await transaction.appendEvent({ ...event, type: 'product-created' });
          await keepAnswer(context, transaction, request, { id: product.id });
          return undefined;
        }, options);
        return known === undefined ? product : get(known, options);
      }),
  };
}

/** The error for a product that is not there. */
export function productUnknown(product: string): CaelusError {
  const message = `There is no product ${product}. Create it first.`;
  return new CaelusError({ code: 'PRODUCT_UNKNOWN', message, details: { product } });
}
