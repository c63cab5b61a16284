import {
  type Actor,
  CaelusError,
  type CaelusEventType,
  canonicalJson,
  type Instance,
  type InstanceDesired,
  isWanted,
  type JsonObject,
  type ParsedInstanceChanges,
  type ParsedNewInstance,
  type Product,
  parseChangeId,
  parseInstanceId,
  type RenderedInstance,
  type RepositoryTransaction,
  renderInstance,
  type TemplateVersion,
  type TemplateVersionId,
} from '@caelus/core';
import { checkInstance } from './check-instance.ts';
import type { InstanceCommandOptions } from './command-options.ts';
import { type EngineContext, tierOf, timestamp } from './engine-context.ts';
import { findParts } from './examine-instance.ts';
import { getInstance } from './get-instance.ts';
import { productUnknown } from './products.ts';
import { templateVersionUnknown } from './template-versions.ts';

/** A command that is checked in full, and not yet written. */
export interface InstanceDraft {
  /** The row as it will be. */
  readonly instance: Instance;
  /** What will lie in Git; `undefined` for an instance that is no longer wanted. */
  readonly rendered: RenderedInstance | undefined;
  /** Writes the row, its work and its event. Nothing, where the command changes nothing. */
  write(transaction: RepositoryTransaction): Promise<void>;
}

export async function draftCreate(
  context: EngineContext,
  input: ParsedNewInstance,
  actor: Actor | null,
  options: InstanceCommandOptions,
): Promise<InstanceDraft> {
  const { repository, ids, render } = context;
  const product = await repository.findProduct(input.productId, options);
  if (product === undefined) throw productUnknown(input.productId);
  const templateVersion = await findUsable(context, input.templateVersionId, options);
  if (templateVersion.productId !== product.id) throw ofOtherProduct(templateVersion.id, product);
  const tier = input.tier === undefined ? context.defaultTier : tierOf(context, input.tier);
  const id = input.id ?? parseInstanceId(ids.uuid());
  const at = timestamp(context);
  const { userValues, hostname, labels, deletionPolicy, tenant } = input;
  const instance: Instance = {
    id,
    productId: product.id,
    tenant,
    tier: tier.name,
    destination: input.destination ?? context.destination,
    ...render.naming.names({ id, slug: product.slug }),
    gitPath: render.layout.instanceDirectory(id),
    desiredTemplateVersionId: templateVersion.id,
    appliedTemplateVersionId: null,
    userValues,
    platformValues: input.platformValues,
    hostname,
    labels,
    deletionPolicy,
    generation: 1,
    observedGeneration: 0,
    changeId: parseChangeId(ids.uuid()),
    changedBy: actor,
    status: 'Pending',
    statusReason: 'Accepted',
    syncStatus: null,
    healthStatus: null,
    lastSyncedAt: null,
    lastError: null,
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
  };
  const rendered = checkInstance(context, { instance, product, templateVersion, tier });
  return {
    instance,
    rendered,
    async write(transaction) {
      await transaction.insertInstance(instance);
      await announce(transaction, instance, 'instance-created');
    },
  };
}

export async function draftUpdate(
  context: EngineContext,
  id: string,
  changes: ParsedInstanceChanges,
  actor: Actor | null,
  options: InstanceCommandOptions,
): Promise<InstanceDraft> {
  const current = await findWritable(context, id, options);
  const { product, templateVersion } = await findParts(context.repository, current, options);
  return draftChange(context, current, changes, { product, templateVersion }, actor, 'instance-updated');
}

export async function draftUpgrade(
  context: EngineContext,
  id: string,
  { templateVersionId, ...changes }: ParsedInstanceChanges & { readonly templateVersionId: TemplateVersionId },
  actor: Actor | null,
  options: InstanceCommandOptions,
): Promise<InstanceDraft> {
  const current = await findWritable(context, id, options);
  const { product, templateVersion: present } = await findParts(context.repository, current, options);
  const templateVersion =
    templateVersionId === present.id ? present : await findUsable(context, templateVersionId, options);
  if (templateVersion.productId !== product.id) throw upgradeAcrossProducts(current, templateVersionId);
  const desired = { ...changes, desiredTemplateVersionId: templateVersionId };
  return draftChange(context, current, desired, { product, templateVersion }, actor, 'instance-upgraded');
}

export async function draftDelete(
  context: EngineContext,
  id: string,
  actor: Actor | null,
  options: InstanceCommandOptions,
): Promise<InstanceDraft> {
  const current = await getInstance(context.repository, id, options);
  if (!isWanted(current)) return unchanged(current, undefined);
  assertGeneration(current, options);
  const committed = (await context.repository.findGitState(current.id, options)) !== undefined;
  if (current.deletionPolicy === 'retain' && committed && current.observedGeneration < current.generation) {
    throw notSynced(current);
  }
  const next = nextOf(context, current, {}, actor);
  const instance: Instance = { ...next, status: 'Deleting', statusReason: 'Accepted', deletedAt: next.updatedAt };
  return {
    instance,
    rendered: undefined,
    async write(transaction) {
      const { changeId, changedBy, updatedAt } = instance;
      const update = { changeId, changedBy, updatedAt, deletedAt: updatedAt, statusReason: 'Accepted' };
      await transaction.updateDesired(current.id, current.generation, { ...update, status: 'Deleting' });
      await announce(transaction, instance, 'instance-delete-requested');
    },
  };
}

/** A change of the desired state; none, where everything is so already. `data` says more of it in its event. */
export function draftChange(
  context: EngineContext,
  current: Instance,
  changes: Partial<InstanceDesired>,
  { product, templateVersion }: { readonly product: Product; readonly templateVersion: TemplateVersion },
  actor: Actor | null,
  type: CaelusEventType,
  data: JsonObject = {},
): InstanceDraft {
  const next = nextOf(context, current, changes, actor);
  const tier = tierOf(context, next.tier);
  if (canonicalJson(desiredOf(next)) === canonicalJson(desiredOf(current))) {
    return unchanged(
      current,
      renderInstance({ context: context.render, instance: current, product, templateVersion, tier }),
    );
  }
  const rendered = checkInstance(context, { instance: next, product, templateVersion, tier });
  return {
    instance: next,
    rendered,
    async write(transaction) {
      const { changeId, changedBy, updatedAt, statusReason } = next;
      const update = { ...changes, changeId, changedBy, updatedAt, statusReason, status: 'Pending' } as const;
      await transaction.updateDesired(current.id, current.generation, update);
      await announce(transaction, next, type, data);
    },
  };
}

function nextOf(
  context: EngineContext,
  current: Instance,
  changes: Partial<InstanceDesired>,
  changedBy: Actor | null,
): Instance {
  return {
    ...current,
    ...changes,
    generation: current.generation + 1,
    changeId: parseChangeId(context.ids.uuid()),
    changedBy,
    updatedAt: timestamp(context),
    status: 'Pending',
    statusReason: 'Accepted',
  };
}

function unchanged(instance: Instance, rendered: RenderedInstance | undefined): InstanceDraft {
  return { instance, rendered, async write() {} };
}

async function announce(
  transaction: RepositoryTransaction,
  { id: instanceId, generation, changeId, changedBy: actor, updatedAt: at, ...instance }: Instance,
  type: CaelusEventType,
  more: JsonObject = {},
): Promise<void> {
  const { tenant, productId, desiredTemplateVersionId: templateVersionId } = instance;
  await transaction.requestWork(instanceId, type, at);
  const data = { tenant, productId, templateVersionId, ...more };
  await transaction.appendEvent({ type, at, instanceId, generation, changeId, actor, data });
}

function desiredOf(instance: Instance): JsonObject {
  const { tier, desiredTemplateVersionId, userValues, platformValues, hostname, labels, deletionPolicy } = instance;
  return { tier, desiredTemplateVersionId, userValues, platformValues, hostname, labels, deletionPolicy };
}

/** The instance, where it takes changes. @throws {CaelusError} `INSTANCE_UNKNOWN`, `INSTANCE_DELETED`, `GENERATION_STALE` */
export async function findWritable(
  context: EngineContext,
  id: string,
  options: InstanceCommandOptions,
): Promise<Instance> {
  const current = await getInstance(context.repository, id, options);
  if (!isWanted(current)) throw instanceDeleted(current);
  assertGeneration(current, options);
  return current;
}

export function instanceDeleted({ id, status }: Instance): CaelusError<'INSTANCE_DELETED'> {
  return new CaelusError({
    code: 'INSTANCE_DELETED',
    message: `The instance ${id} is ${status.toLowerCase()}, and takes no more changes. Create a new one.`,
    details: { instanceId: id, status },
  });
}

/** @throws {CaelusError} `GENERATION_STALE` */
export function assertGeneration({ id, generation }: Instance, { expectedGeneration }: InstanceCommandOptions): void {
  if (expectedGeneration === undefined || expectedGeneration === generation) return;
  throw new CaelusError({
    code: 'GENERATION_STALE',
    message: `The instance ${id} is at generation ${generation}, not ${expectedGeneration}. Read it again and decide anew.`,
    details: { instanceId: id, expected: expectedGeneration, actual: generation },
  });
}

/** A template version that may be chosen now. @throws {CaelusError} `TEMPLATE_VERSION_UNKNOWN`, `TEMPLATE_VERSION_DEPRECATED` */
export async function findUsable(
  { repository }: EngineContext,
  templateVersionId: TemplateVersionId,
  { allowDeprecated = false, ...options }: InstanceCommandOptions & { readonly allowDeprecated?: boolean },
): Promise<TemplateVersion> {
  const found = await repository.findTemplateVersion(templateVersionId, options);
  if (found === undefined) throw templateVersionUnknown(templateVersionId);
  if (found.deprecatedAt === null || allowDeprecated) return found;
  throw new CaelusError({
    code: 'TEMPLATE_VERSION_DEPRECATED',
    message: `The template version ${templateVersionId} is deprecated. Choose a newer one of the product.`,
    details: { templateVersionId },
  });
}

function ofOtherProduct(templateVersionId: TemplateVersionId, product: Product): CaelusError {
  return new CaelusError({
    code: 'TEMPLATE_VERSION_OF_OTHER_PRODUCT',
    message: `The template version ${templateVersionId} is not one of the product ${product.slug}. Choose one of that product.`,
    details: { templateVersionId, productId: product.id },
  });
}

export function upgradeAcrossProducts({ id }: Instance, templateVersionId: TemplateVersionId): CaelusError {
  return new CaelusError({
    code: 'UPGRADE_ACROSS_PRODUCTS',
    message: `The instance ${id} cannot be upgraded to a version of another product. Create a new instance of that product.`,
    details: { instanceId: id, templateVersionId },
  });
}

function notSynced({ id, generation }: Instance): CaelusError {
  return new CaelusError({
    code: 'INSTANCE_NOT_SYNCED',
    message: `The data of the instance ${id} is to be retained, and the cluster does not have generation ${generation} yet. Wait until it is synced, or set the deletion policy to delete.`,
    details: { instanceId: id, generation },
    retryable: true,
  });
}
