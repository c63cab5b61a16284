import {
  type CallOptions,
  type CatalogueRow,
  type ProposedChange,
  productFile,
  type RepoPath,
  type RepositoryTransaction,
  templateVersionFile,
} from '@caelus/core';
import { keepAnswer } from './answer-once.ts';
import { catalogueEdit, ensureCatalogue, readCatalogueFile } from './catalogue.ts';
import type { ChosenRemedy } from './chosen-remedy.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { type FindingSubject, staleFinding } from './finding.ts';
import { insertCatalogueRow } from './insert-from-git.ts';
import { inspectCatalogue } from './inspect.ts';

/** Carries out a remedy for a row of the catalogue. */
export async function resolveCatalogue(
  context: EngineContext,
  chosen: ChosenRemedy,
  options: CallOptions,
): Promise<void> {
  const { snapshot, finding, remedy } = chosen;
  const keep = (transaction: RepositoryTransaction) =>
    keepAnswer(context, transaction, chosen.request, JSON.parse(JSON.stringify(chosen.resolution)));
  if (remedy === 'reconcile') {
    await ensureCatalogue(context, options);
    await context.repository.transaction(keep, options);
    return;
  }
  if (remedy === 'database-wins') {
    await overwriteFile(context, chosen, options);
    await context.repository.transaction(keep, options);
    return;
  }
  const { file } = await readCatalogueFile(snapshot, pathOf(finding.subject), options);
  if (file === null || file === 'invalid') throw staleFinding(finding);
  await context.repository.transaction(async (transaction) => {
    if (finding.kind === 'catalogue-behind') await deprecate(context, transaction, file.row, chosen);
    else await insertCatalogueRow(context, transaction, file.row, chosen.actor);
    await keep(transaction);
  }, options);
}

/** Writes the row over exactly the file that was looked at. */
async function overwriteFile(context: EngineContext, chosen: ChosenRemedy, options: CallOptions): Promise<void> {
  const { finding, actor } = chosen;
  const path = pathOf(finding.subject);
  const change: ProposedChange = {
    subject: path,
    async propose(tip) {
      const row = await rowOf(context, finding.subject, options);
      const now = row && (await inspectCatalogue(context, tip, { row, path }, options));
      if (row === undefined || now?.state !== finding.state) throw staleFinding(finding);
      return { edits: [catalogueEdit(context, row)], summary: 'restore the catalogue', trailers: [], actor };
    },
  };
  const [receipt] = await context.store.write([change], options);
  if (receipt?.outcome === 'failed') throw receipt.error;
}

async function deprecate(
  context: EngineContext,
  transaction: RepositoryTransaction,
  row: CatalogueRow,
  { finding, actor }: ChosenRemedy,
): Promise<void> {
  if (row.kind !== 'TemplateVersion' || row.templateVersion.deprecatedAt === null) {
    throw staleFinding(finding);
  }
  const { id, productId, version, deprecatedAt } = row.templateVersion;
  await transaction.deprecateTemplateVersion(id, deprecatedAt);
  const data = { productId, templateVersionId: id, version };
  const event = { at: timestamp(context), instanceId: null, generation: null, changeId: null, actor, data };
  await transaction.appendEvent({ ...event, type: 'template-version-deprecated' });
}

function pathOf(subject: FindingSubject): RepoPath {
  if (subject.type === 'product') return productFile(subject.id);
  if (subject.type === 'template-version') return templateVersionFile(subject.id);
  throw new TypeError('Only a row of the catalogue has a file there.');
}

async function rowOf(
  { repository }: EngineContext,
  subject: FindingSubject,
  options: CallOptions,
): Promise<CatalogueRow | undefined> {
  if (subject.type === 'product') {
    const product = await repository.findProduct(subject.id, options);
    return product && { kind: 'Product', product };
  }
  if (subject.type !== 'template-version') return undefined;
  const templateVersion = await repository.findTemplateVersion(subject.id, options);
  return templateVersion && { kind: 'TemplateVersion', templateVersion };
}
