import {
  type Actor,
  type CaelusEventType,
  type CatalogueRow,
  type CommitId,
  type Instance,
  type InstanceContent,
  isWanted,
  type JsonObject,
  type RepositoryTransaction,
  renderInstance,
} from '@caelus/core';
import { type EngineContext, tierOf, timestamp } from './engine-context.ts';
import { findParts } from './examine-instance.ts';
import { acknowledge, readableFiles } from './take-side.ts';

/** Inserts a row of the catalogue, unless it is there. Returns whether it was inserted. */
export async function insertCatalogueRow(
  context: EngineContext,
  transaction: RepositoryTransaction,
  row: CatalogueRow,
  actor: Actor | null,
): Promise<boolean> {
  let data: JsonObject;
  if (row.kind === 'Product') {
    const { product } = row;
    if ((await transaction.findProduct(product.id)) !== undefined) return false;
    await transaction.insertProduct(product);
    data = { productId: product.id, slug: product.slug };
  } else {
    const { id, productId, version } = row.templateVersion;
    if ((await transaction.findTemplateVersion(id)) !== undefined) return false;
    await transaction.insertTemplateVersion(row.templateVersion);
    data = { productId, templateVersionId: id, version };
  }
  const about = { instanceId: null, generation: null, changeId: null, actor };
  await transaction.appendEvent({ ...about, type: 'catalogue-adopted', at: timestamp(context), data });
  return true;
}

/**
 * Inserts the row of an instance that was made of what lies in Git, and records that Git has it.
 * @throws {CaelusError} `INSTANCE_EXISTS`, `INSTANCE_NAME_TAKEN`, `HOSTNAME_TAKEN`, `PRODUCT_UNKNOWN`,
 * `TEMPLATE_VERSION_UNKNOWN`, `TIER_UNKNOWN`, and the codes of `renderInstance`
 */
export async function insertFromGit(
  context: EngineContext,
  transaction: RepositoryTransaction,
  instance: Instance,
  git: InstanceContent,
  commit: CommitId,
  type: Extract<CaelusEventType, 'instance-adopted' | 'instance-rebuilt'>,
  actor: Actor | null,
): Promise<void> {
  const at = timestamp(context);
  const { id: instanceId, generation, changeId } = instance;
  // Before anything is written: what cannot be rendered leaves no trace in the transaction.
  const rendered = isWanted(instance)
    ? renderInstance({
        context: context.render,
        instance,
        tier: tierOf(context, instance.tier),
        ...(await findParts(transaction, instance)),
      })
    : undefined;
  await transaction.insertInstance(instance);
  await acknowledge(context, transaction, instanceId, readableFiles(git), actor);
  const [written] = readableFiles(git).filter((file) => file.changeId === changeId);
  if (written !== undefined) {
    const isPresent = git.hasApplicationFile || rendered !== undefined;
    const { marker } = git;
    await transaction.putGitState({
      instanceId,
      generation,
      changeId,
      contentHash: marker !== null && marker !== 'invalid' ? marker.contentHash : '',
      specHash: rendered?.specHash ?? '',
      commit,
      phase: isPresent ? 'present' : git.hasDirectory ? 'application-removed' : 'removed',
      writtenAt: at,
    });
  }
  if (instance.status !== 'Deleted') await transaction.requestWork(instanceId, type, at);
  await transaction.appendEvent({ type, at, instanceId, generation, changeId, commit, actor, data: {} });
}
