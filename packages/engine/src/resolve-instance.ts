import {
  type CallOptions,
  type CatalogueRow,
  type Instance,
  type InstanceDesired,
  type InstanceId,
  instanceOfContent,
  isCaelusError,
  isWanted,
  type Marker,
  type Product,
  parseChangeId,
  productFile,
  productRow,
  type RepoPath,
  type RepositoryTransaction,
  type Snapshot,
  type TemplateVersion,
  templateVersionFile,
  templateVersionRow,
} from '@caelus/core';
import { findAnswer, keepAnswer } from './answer-once.ts';
import { readCatalogueFile } from './catalogue.ts';
import { checkInstance } from './check-instance.ts';
import type { ChosenRemedy } from './chosen-remedy.ts';
import { type EngineContext, tierOf, timestamp } from './engine-context.ts';
import { type Examination, examineInstance } from './examine-instance.ts';
import { staleFinding } from './finding.ts';
import { insertCatalogueRow, insertFromGit } from './insert-from-git.ts';
import { findingOfInstance } from './inspect.ts';
import { productUnknown } from './products.ts';
import { type SideTaken, takeSide } from './take-side.ts';
import { templateVersionUnknown } from './template-versions.ts';

/** Carries out a remedy for an instance, in one transaction of the database; Git follows. */
export async function resolveInstance(
  context: EngineContext,
  id: InstanceId,
  chosen: ChosenRemedy,
  options: CallOptions,
): Promise<void> {
  const { snapshot, finding, remedy, request, resolution } = chosen;
  const carryOut = await remedyFor(context, id, chosen, options);
  try {
    await context.repository.transaction(async (transaction) => {
      // The same call, made twice at once: the first has done it.
      if ((await findAnswer(context, transaction, request)) !== undefined) return;
      await carryOut(transaction);
      await keepAnswer(context, transaction, request, JSON.parse(JSON.stringify(resolution)));
    }, options);
  } catch (error) {
    const raced = ['GENERATION_STALE', 'INSTANCE_EXISTS', 'INSTANCE_DELETED'] as const;
    if (raced.some((code) => isCaelusError(error, code))) throw staleFinding(finding);
    throw error;
  }
  context.logger.info('A disagreement between the rows and Git was resolved.', {
    instance: id,
    kind: finding.kind,
    remedy,
    commit: snapshot.commit ?? '',
  });
}

async function remedyFor(
  context: EngineContext,
  id: InstanceId,
  { snapshot, finding, remedy, actor }: ChosenRemedy,
  options: CallOptions,
): Promise<(transaction: RepositoryTransaction) => Promise<void>> {
  if (remedy === 'reconcile') return (transaction) => transaction.requestWork(id, 'resolve', timestamp(context));
  const examination = await examineInstance(context, snapshot, id, options);
  // The row may have moved on since the finding was made anew.
  if (findingOfInstance(context, examination, finding.subject)?.state !== finding.state) {
    throw staleFinding(finding);
  }
  const { instance } = examination;
  if (instance === undefined) return adoptOrphan(context, examination, snapshot, remedy === 'delete', actor, options);
  const { kind } = finding;
  const data = { kind, remedy };
  if (remedy === 'database-wins') {
    const side: SideTaken = {
      type: 'instance-reasserted',
      changes: {},
      status: isWanted(instance) ? 'Pending' : instance.status === 'Deleted' ? 'Deleted' : 'Deleting',
      phase: kind === 'missing' ? 'removed' : 'present',
      actor,
      data,
    };
    return (transaction) => takeSide(context, transaction, examination, instance, side);
  }
  const adopted = { type: 'instance-adopted', phase: 'present', actor, data } as const;
  if (kind === 'manual-edit' || kind === 'database-behind') {
    const { marker } = examination.git;
    const { changes, rows } =
      kind === 'manual-edit'
        ? { changes: examination.expressed ?? {}, rows: [] }
        : await changesOf(context, instance, marker as Marker, snapshot, options);
    return async (transaction) => {
      for (const row of rows) await insertCatalogueRow(context, transaction, row, actor);
      await takeSide(context, transaction, examination, instance, { ...adopted, changes, status: 'Pending' });
    };
  }
  const { tombstone } = examination.git;
  const deletedAt = tombstone === null || tombstone === 'invalid' ? null : tombstone.deletedAt;
  const side: SideTaken = { ...adopted, changes: {}, status: 'Deleting', deletedAt };
  return (transaction) => takeSide(context, transaction, examination, instance, side);
}

/** What changes of a row that becomes what the marker says, checked as a command's changes are. */
async function changesOf(
  context: EngineContext,
  instance: Instance,
  marker: Marker,
  snapshot: Snapshot,
  options: CallOptions,
): Promise<{ readonly changes: InstanceDesired; readonly rows: readonly CatalogueRow[] }> {
  const { tier, userValues, platformValues, hostname, labels, deletionPolicy } = marker;
  const { product, templateVersion, rows } = await partsInGit(
    context,
    instance.productId,
    marker.templateVersion.id,
    snapshot,
    options,
  );
  const changes: InstanceDesired = {
    tier,
    desiredTemplateVersionId: templateVersion.id,
    userValues,
    platformValues,
    hostname,
    labels,
    deletionPolicy,
  };
  checkInstance(context, {
    instance: { ...instance, ...changes },
    product,
    templateVersion,
    tier: tierOf(context, tier),
  });
  return { changes, rows };
}

/** Gives an instance that has none a row: as Git has it, or as one whose deletion is asked for. */
async function adoptOrphan(
  context: EngineContext,
  { git, commit }: Examination,
  snapshot: Snapshot,
  isDeletion: boolean,
  actor: ChosenRemedy['actor'],
  options: CallOptions,
): Promise<(transaction: RepositoryTransaction) => Promise<void>> {
  const { storeId, layout } = context.render;
  const at = timestamp(context);
  const found = instanceOfContent(git, { storeId, layout, at });
  if (found.outcome !== 'row' || commit === null) throw new TypeError('An orphan has a marker or a tombstone.');
  const { instance } = found;
  const { productId, desiredTemplateVersionId } = instance;
  const { rows } = await partsInGit(context, productId, desiredTemplateVersionId, snapshot, options);
  const row: Instance =
    isDeletion && isWanted(instance)
      ? {
          ...instance,
          generation: instance.generation + 1,
          changeId: parseChangeId(context.ids.uuid()),
          changedBy: actor,
          status: 'Deleting',
          statusReason: 'Accepted',
          deletedAt: at,
        }
      : instance;
  return async (transaction) => {
    for (const missing of rows) await insertCatalogueRow(context, transaction, missing, actor);
    await insertFromGit(context, transaction, row, git, commit, 'instance-adopted', actor);
    await transaction.putDrift(row.id, null, at);
  };
}

/** The product and the template version of an instance, from Git where the database does not have them (`rows`). */
async function partsInGit(
  context: EngineContext,
  productId: Product['id'],
  templateVersionId: TemplateVersion['id'],
  snapshot: Snapshot,
  options: CallOptions,
): Promise<{
  readonly product: Product;
  readonly templateVersion: TemplateVersion;
  readonly rows: readonly CatalogueRow[];
}> {
  const { repository } = context;
  const rows: CatalogueRow[] = [];
  const fromGit = async (path: RepoPath): Promise<CatalogueRow | undefined> => {
    const { file } = await readCatalogueFile(snapshot, path, options);
    if (file === null || file === 'invalid' || file.storeId !== context.render.storeId) return undefined;
    rows.push(file.row);
    return file.row;
  };
  const known = await repository.findProduct(productId, options);
  const productInGit = known ? productRow(known) : await fromGit(productFile(productId));
  if (productInGit?.kind !== 'Product') throw productUnknown(productId);
  const version = await repository.findTemplateVersion(templateVersionId, options);
  const versionInGit = version ? templateVersionRow(version) : await fromGit(templateVersionFile(templateVersionId));
  if (versionInGit?.kind !== 'TemplateVersion') throw templateVersionUnknown(templateVersionId);
  return { product: productInGit.product, templateVersion: versionInGit.templateVersion, rows };
}
