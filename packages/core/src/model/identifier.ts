import * as z from 'zod';
import { DNS_LABEL, LABEL_VALUE, patternSchema, UUID } from '../schema/identifier-schema.ts';
import { issue, parseInput } from '../schema/parse-input.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Identifies an instance: an RFC 1123 label of at most 63 characters. A UUID in owned mode. */
export type InstanceId = Branded<'InstanceId'>;
/** Identifies a product: 1 to 63 characters of `A-Za-z0-9._-`, starting and ending with a letter or digit. */
export type ProductId = Branded<'ProductId'>;
/** Identifies a template version; the form is that of {@link ProductId}. */
export type TemplateVersionId = Branded<'TemplateVersionId'>;
/** Identifies a tenant: an RFC 1123 label of at most 63 characters. */
export type TenantId = Branded<'TenantId'>;
/** Names a tier: an RFC 1123 label of at most 40 characters. `root` is reserved for the root Application's project. */
export type TierName = Branded<'TierName'>;
/** Names a product in paths, releases and names: an RFC 1123 label of at most 40 characters. */
export type Slug = Branded<'Slug'>;
/** Identifies one change of one instance's desired state: a UUID in lower case. */
export type ChangeId = Branded<'ChangeId'>;
/** Identifies the database that owns a GitOps repository; written into every marker. A UUID in lower case. */
export type StoreId = Branded<'StoreId'>;
/** A full Git object name of a commit: 40 hexadecimal digits. */
export type CommitId = Branded<'CommitId'>;
/** An instant in UTC with milliseconds, as `Date.prototype.toISOString` writes it; sorts as text. */
export type Timestamp = Branded<'Timestamp'>;

const label63 = 'Use 1 to 63 lower-case letters a-z, digits and hyphens, starting and ending with a letter or digit.';
const label40 = 'Use 1 to 40 lower-case letters a-z, digits and hyphens, starting and ending with a letter or digit.';
const rowId =
  'Use 1 to 63 letters A-Z a-z, digits, dots, underscores and hyphens, starting and ending with a letter or digit.';
const uuid = 'Use a UUID in lower case.';

export const instanceIdSchema: z.ZodType<InstanceId> = patternSchema('ID_INVALID', DNS_LABEL, 63, label63);
export const productIdSchema: z.ZodType<ProductId> = patternSchema('ID_INVALID', LABEL_VALUE, 63, rowId);
export const templateVersionIdSchema: z.ZodType<TemplateVersionId> = patternSchema(
  'ID_INVALID',
  LABEL_VALUE,
  63,
  rowId,
);
export const tenantIdSchema: z.ZodType<TenantId> = patternSchema('ID_INVALID', DNS_LABEL, 63, label63);
export const tierNameSchema: z.ZodType<TierName> = patternSchema(
  'NAME_INVALID',
  /^(?!root$)[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
  40,
  `${label40} The name root is reserved.`,
);
export const slugSchema: z.ZodType<Slug> = patternSchema('NAME_INVALID', DNS_LABEL, 40, label40);
export const changeIdSchema: z.ZodType<ChangeId> = patternSchema('ID_INVALID', UUID, 36, uuid);
export const storeIdSchema: z.ZodType<StoreId> = patternSchema('ID_INVALID', UUID, 36, uuid);
export const commitIdSchema: z.ZodType<CommitId> = patternSchema(
  'ID_INVALID',
  /^[0-9a-f]{40}$/,
  40,
  'Use 40 hexadecimal digits.',
);
export const timestampSchema: z.ZodType<Timestamp> = z
  .string()
  .refine(
    isInstant,
    issue('INVALID_INPUT', 'Use an instant in UTC with milliseconds, such as 2026-01-31T12:00:00.000Z.'),
  ) as unknown as z.ZodType<Timestamp>;

function isInstant(text: string): boolean {
  const date = new Date(text);
  return /^\d{4}-/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString() === text;
}

/** Parses an instance id. @throws {CaelusError} `ID_INVALID` */
export function parseInstanceId(input: unknown): InstanceId {
  return parseInput(instanceIdSchema, input, 'The instance id');
}

/** Parses a product id. @throws {CaelusError} `ID_INVALID` */
export function parseProductId(input: unknown): ProductId {
  return parseInput(productIdSchema, input, 'The product id');
}

/** Parses a template version id. @throws {CaelusError} `ID_INVALID` */
export function parseTemplateVersionId(input: unknown): TemplateVersionId {
  return parseInput(templateVersionIdSchema, input, 'The template version id');
}

/** Parses a tenant id. @throws {CaelusError} `ID_INVALID` */
export function parseTenantId(input: unknown): TenantId {
  return parseInput(tenantIdSchema, input, 'The tenant id');
}

/** Parses a tier's name. @throws {CaelusError} `NAME_INVALID` */
export function parseTierName(input: unknown): TierName {
  return parseInput(tierNameSchema, input, 'The tier name');
}

/** Parses a product's slug. @throws {CaelusError} `NAME_INVALID` */
export function parseSlug(input: unknown): Slug {
  return parseInput(slugSchema, input, 'The slug');
}

/** Parses a change id. @throws {CaelusError} `ID_INVALID` */
export function parseChangeId(input: unknown): ChangeId {
  return parseInput(changeIdSchema, input, 'The change id');
}

/** Parses a store id. @throws {CaelusError} `ID_INVALID` */
export function parseStoreId(input: unknown): StoreId {
  return parseInput(storeIdSchema, input, 'The store id');
}

/** Parses a commit id. @throws {CaelusError} `ID_INVALID` */
export function parseCommitId(input: unknown): CommitId {
  return parseInput(commitIdSchema, input, 'The commit id');
}

/** Parses an instant. @throws {CaelusError} `INVALID_INPUT` */
export function parseTimestamp(input: unknown): Timestamp {
  return parseInput(timestampSchema, input, 'The instant');
}

/** Writes an instant as a {@link Timestamp}. */
export function toTimestamp(date: Date): Timestamp {
  return date.toISOString() as Timestamp;
}
