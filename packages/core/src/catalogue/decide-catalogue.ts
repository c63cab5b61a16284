import { canonicalJson, type JsonObject } from '../json-value.ts';
import type { StoreId } from '../model/identifier.ts';
import { type CatalogueFile, type CatalogueRow, catalogueRecord } from './catalogue-file.ts';

/**
 * How a file of the catalogue differs from its row: `catalogue-edited` it was changed by hand or cannot be read;
 * `catalogue-behind` Git knows of a deprecation that the database does not; `catalogue-conflict` both have a row of that id,
 * and not the same one; `catalogue-orphan` the database has no such row.
 */
export type CatalogueDrift = 'catalogue-edited' | 'catalogue-behind' | 'catalogue-conflict' | 'catalogue-orphan';

export interface DecideCatalogueInput {
  readonly storeId: StoreId;
  readonly row: CatalogueRow | null;
  readonly file: CatalogueFile | 'invalid' | null;
  /** The policy for manual edits. The catalogue takes over nothing by itself, so `accept` reports. */
  readonly manualEdit: 'repair' | 'report' | 'accept';
}

export type CatalogueDecision =
  | { readonly action: 'none' }
  /** Write the row's file. */
  | { readonly action: 'write'; readonly reason: 'create' | 'update' | 'repair' }
  /** Another store's: not ours to judge. */
  | { readonly action: 'ignore' }
  | { readonly action: 'flag'; readonly drift: CatalogueDrift };

/**
 * Decides what becomes of one file of the catalogue. Rows of the catalogue never change, but for a deprecation, which is
 * final, and for the name of a product, which a host may change in tables of its own; so anything else that differs was not
 * written by this database, and is flagged.
 */
export function decideCatalogue({ storeId, row, file, manualEdit }: DecideCatalogueInput): CatalogueDecision {
  if (file === null) return row === null ? NONE : write('create');
  if (file === 'invalid') {
    return row !== null && manualEdit === 'repair' ? write('repair') : flag('catalogue-edited');
  }
  if (file.storeId !== storeId) return { action: 'ignore' };
  if (row === null) return flag('catalogue-orphan');
  const [wanted, found] = [recordOf(row), recordOf(file.row)];
  if (wanted.text !== found.text) return flag('catalogue-conflict');
  if (wanted.name !== found.name) return write('update');
  return wanted.deprecatedAt === found.deprecatedAt ? NONE : deprecation(wanted, found);
}

interface ComparedRecord {
  /** Everything that never changes. */
  readonly text: string;
  /** A product's. */
  readonly name: string | null;
  readonly deprecatedAt: string | null;
}

function recordOf(row: CatalogueRow): ComparedRecord {
  type Changing = { readonly deprecatedAt?: string; readonly name?: string };
  const { deprecatedAt = null, name = null, ...record } = catalogueRecord(row) as JsonObject & Changing;
  return { text: canonicalJson({ kind: row.kind, ...record }), name, deprecatedAt };
}

function deprecation(wanted: ComparedRecord, found: ComparedRecord): CatalogueDecision {
  if (found.deprecatedAt === null) return write('update');
  return flag(wanted.deprecatedAt === null ? 'catalogue-behind' : 'catalogue-conflict');
}

const NONE: CatalogueDecision = { action: 'none' };

function write(reason: 'create' | 'update' | 'repair'): CatalogueDecision {
  return { action: 'write', reason };
}

function flag(drift: CatalogueDrift): CatalogueDecision {
  return { action: 'flag', drift };
}
