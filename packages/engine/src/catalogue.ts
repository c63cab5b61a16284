import {
  bytesEqual,
  type CallOptions,
  type CatalogueFile,
  type CatalogueRow,
  cataloguePath,
  catalogueRecord,
  contentHash,
  decideCatalogue,
  type Edit,
  hashJson,
  isCaelusError,
  PAGE_LIMITS,
  type ProposedChange,
  parseCatalogueFile,
  productRow,
  REPOSITORY_FILES,
  type RepoPath,
  renderCatalogueFile,
  type Snapshot,
  templateVersionRow,
} from '@caelus/core';
import { eachPage } from './each-page.ts';
import type { EngineContext } from './engine-context.ts';

/** How many rows of the catalogue go into one change: their files stay below what one commit takes. */
const ROWS_A_CHANGE = 40;

/** Every row of the catalogue, products first: a template version refers to its product. */
export async function* eachCatalogueRow(
  { repository }: Pick<EngineContext, 'repository'>,
  options: CallOptions = {},
): AsyncGenerator<CatalogueRow> {
  for await (const product of eachPage((page) => repository.listProducts(page, options))) yield productRow(product);
  const versions = eachPage((page) => repository.listTemplateVersions({}, page, options));
  for await (const templateVersion of versions) yield templateVersionRow(templateVersion);
}

/** Every file that lies in the catalogue, products first. `invalid` where it cannot be read, or is not where it belongs. */
export async function* eachCatalogueFile(
  snapshot: Snapshot,
  options: CallOptions = {},
): AsyncGenerator<{ readonly path: RepoPath; readonly file: CatalogueFile | 'invalid' }> {
  for (const directory of [REPOSITORY_FILES.products, REPOSITORY_FILES.templateVersions]) {
    for (const { name, type } of await snapshot.listDirectory(directory, options)) {
      if (type !== 'file') continue;
      // Named by a snapshot, below a directory of ours: no path that a host could have chosen.
      const path = `${directory}/${name}` as RepoPath;
      const { file } = await readCatalogueFile(snapshot, path, options);
      if (file !== null) yield { path, file };
    }
  }
}

/** A file of the catalogue, and a hash of its bytes. `invalid` where it cannot be read, or is not where it belongs. */
export async function readCatalogueFile(
  snapshot: Snapshot,
  path: RepoPath,
  options: CallOptions = {},
): Promise<{ readonly file: CatalogueFile | 'invalid' | null; readonly hash: string | null }> {
  const bytes = await snapshot.readFile(path, options);
  if (bytes === undefined) return { file: null, hash: null };
  const hash = contentHash(new Map([[path, bytes]]), null);
  try {
    const file = parseCatalogueFile(bytes);
    return { file: cataloguePath(file.row) === path ? file : 'invalid', hash };
  } catch (error) {
    if (isCaelusError(error, 'STORE_CORRUPT')) return { file: 'invalid', hash };
    throw error;
  }
}

/** The edits that bring the files of some rows to what the rows say; nothing for those that are flagged. */
export async function catalogueEdits(
  context: Pick<EngineContext, 'render' | 'driftPolicy'>,
  snapshot: Snapshot,
  rows: readonly CatalogueRow[],
): Promise<readonly Edit[]> {
  const edits = await Promise.all(
    rows.map(async (row) => {
      const path = cataloguePath(row);
      const { storeId } = context.render;
      const there = await snapshot.readFile(path);
      // Nearly always: what lies there is what would be written, and need not be parsed.
      if (there !== undefined && bytesEqual(there, renderedFile(context, row))) return [];
      const { file } = await readCatalogueFile(snapshot, path);
      const { action } = decideCatalogue({ storeId, row, file, manualEdit: context.driftPolicy.manualEdit });
      return action === 'write' ? [catalogueEdit(context, row)] : [];
    }),
  );
  return edits.flat();
}

/** The edit that writes the file of one row. */
export function catalogueEdit(context: Pick<EngineContext, 'render'>, row: CatalogueRow): Edit {
  return { path: cataloguePath(row), bytes: renderedFile(context, row) };
}

/** Every instance that is written asks for two of these, which hardly ever change. */
const rendered = new WeakMap<EngineContext['render'], Map<string, Uint8Array>>();
const RENDERED_AT_MOST = 64;

function renderedFile({ render }: Pick<EngineContext, 'render'>, row: CatalogueRow): Uint8Array {
  const known = rendered.get(render) ?? new Map<string, Uint8Array>();
  rendered.set(render, known);
  const key = hashJson({ kind: row.kind, ...catalogueRecord(row) });
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= RENDERED_AT_MOST) known.clear();
  const bytes = renderCatalogueFile({ storeId: render.storeId, row });
  known.set(key, bytes);
  return bytes;
}

/** Writes the files of all rows of the catalogue that lack theirs. The repository must be known to be this database's. */
export async function ensureCatalogue(context: EngineContext, options: CallOptions = {}): Promise<void> {
  const changes: ProposedChange[] = [];
  let rows: CatalogueRow[] = [];
  const add = () => {
    const part = rows;
    rows = [];
    changes.push({
      subject: 'catalogue',
      async propose(snapshot) {
        const edits = await catalogueEdits(context, snapshot, part);
        return edits.length === 0 ? null : { edits, summary: 'record the catalogue', trailers: [], actor: null };
      },
    });
  };
  for await (const row of eachCatalogueRow(context, options)) {
    rows.push(row);
    if (rows.length === ROWS_A_CHANGE) add();
  }
  if (rows.length > 0) add();
  for (const change of changes) {
    const [receipt] = await context.store.write([change], options);
    if (receipt?.outcome === 'failed') throw receipt.error;
  }
}

/** How many listed rows one transaction takes. */
export const ROWS_A_TRANSACTION: number = Math.min(100, PAGE_LIMITS.most);
