import * as z from 'zod';
import { CaelusError, isCaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import { productFile, templateVersionFile } from '../layout/layout.ts';
import type { RepoPath } from '../layout/repo-path.ts';
import { type StoreId, storeIdSchema } from '../model/identifier.ts';
import { type Product, parseProduct } from '../model/product.ts';
import { parseTemplateVersion, type TemplateVersion } from '../model/template-version.ts';
import { hashJson } from '../render/content-hash.ts';
import { readOwnYaml } from '../render/read-own-yaml.ts';
import { renderYaml } from '../render/render-yaml.ts';

/** One row of the catalogue. */
export type CatalogueRow =
  | { readonly kind: 'Product'; readonly product: Product }
  | { readonly kind: 'TemplateVersion'; readonly templateVersion: TemplateVersion };

/** A row of the catalogue as it lies in Git, so that all rows can be rebuilt from Git alone. */
export interface CatalogueFile {
  readonly storeId: StoreId;
  readonly row: CatalogueRow;
}

const API_VERSION = 'caelus.dev/v1';

/** A row of the catalogue for a product. */
export function productRow(product: Product): CatalogueRow {
  return { kind: 'Product', product };
}

/** A row of the catalogue for a template version. */
export function templateVersionRow(templateVersion: TemplateVersion): CatalogueRow {
  return { kind: 'TemplateVersion', templateVersion };
}

/** Where a row of the catalogue lies in the GitOps repository. */
export function cataloguePath(row: CatalogueRow): RepoPath {
  return row.kind === 'Product' ? productFile(row.product.id) : templateVersionFile(row.templateVersion.id);
}

/** What a row of the catalogue says, as one object. */
export function catalogueRecord(row: CatalogueRow): JsonObject {
  const record = row.kind === 'Product' ? row.product : row.templateVersion;
  // What is `undefined` is left out, as JSON leaves it out.
  return JSON.parse(JSON.stringify(record)) as JsonObject;
}

/** Renders a file of the catalogue. Its hash covers everything else in it, so an edit by hand shows. */
export function renderCatalogueFile({ storeId, row }: CatalogueFile): Uint8Array {
  const content = { kind: row.kind, storeId, ...catalogueRecord(row) };
  return renderYaml({ apiVersion: API_VERSION, ...content, contentHash: hashJson(content) });
}

const fileSchema = z.looseObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.enum(['Product', 'TemplateVersion']),
  storeId: storeIdSchema,
  contentHash: z.string(),
});

/**
 * Reads a file of the catalogue.
 * @throws {CaelusError} `STORE_CORRUPT` also where the file was changed since it was written
 */
export function parseCatalogueFile(bytes: Uint8Array): CatalogueFile {
  const parsed = fileSchema.safeParse(readOwnYaml(bytes, CATALOGUE_FILE_LIMIT));
  if (!parsed.success) throw notOurs();
  const { apiVersion: _, contentHash, ...content } = parsed.data;
  try {
    const { kind, storeId, ...record } = content;
    if (hashJson(content as JsonObject) !== contentHash) throw notOurs();
    const row =
      kind === 'Product' ? productRow(parseProduct(record)) : templateVersionRow(parseTemplateVersion(record));
    return { storeId, row };
  } catch (error) {
    // What a parser says of a file that somebody spoiled may quote it.
    if (isCaelusError(error)) throw notOurs();
    throw error;
  }
}

function notOurs(): CaelusError {
  const what = 'A file of the catalogue (.caelus/catalogue)';
  return new CaelusError({
    code: 'STORE_CORRUPT',
    message: `${what} is not what Caelus writes. Restore it from the history, or remove it.`,
    details: { what },
  });
}

/** In bytes. Default values are at most 256 KiB and a schema at most 1 MiB as JSON; YAML of both stays below this. */
const CATALOGUE_FILE_LIMIT = 4 * 1024 * 1024;
