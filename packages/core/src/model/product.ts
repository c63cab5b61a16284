import * as z from 'zod';
import { issue, parseInput } from '../schema/parse-input.ts';
import {
  type ProductId,
  productIdSchema,
  type Slug,
  slugSchema,
  type Timestamp,
  timestampSchema,
} from './identifier.ts';

/** What users can have: Nextcloud, Mattermost. */
export interface Product {
  readonly id: ProductId;
  /** Unique among products; becomes the Helm release name. */
  readonly slug: Slug;
  /** For people: 1 to 100 characters. */
  readonly name: string;
  readonly createdAt: Timestamp;
}

/** What a host says of a new product. */
export type NewProduct = Pick<Product, 'slug' | 'name'>;

const name = z
  .string()
  .refine(
    (text) => text.trim() !== '' && text.length <= 100 && !/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text),
    issue('NAME_INVALID', 'Use 1 to 100 characters, without control characters.'),
  );

const newProductSchema = z.strictObject({ slug: slugSchema, name });
const productSchema: z.ZodType<Product> = z.strictObject({
  id: productIdSchema,
  slug: slugSchema,
  name,
  createdAt: timestampSchema,
});

/** Parses what a host says of a new product. @throws {CaelusError} `NAME_INVALID`, `INVALID_INPUT` */
export function parseNewProduct(input: unknown): NewProduct {
  return parseInput(newProductSchema, input, 'The product');
}

/** Parses a stored product. @throws {CaelusError} `ID_INVALID`, `NAME_INVALID`, `INVALID_INPUT` */
export function parseProduct(input: unknown): Product {
  return parseInput(productSchema, input, 'The product');
}
