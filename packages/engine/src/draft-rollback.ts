import {
  type Actor,
  CaelusError,
  type CallOptions,
  type CommitId,
  type Instance,
  type InstanceDesired,
  instanceAt,
  instanceLog,
  isCaelusError,
  type Marker,
  parseCommitId,
} from '@caelus/core';
import { inputRefused } from '@caelus/core/adapter';
import type { InstanceCommandOptions } from './command-options.ts';
import { draftChange, findUsable, findWritable, type InstanceDraft, upgradeAcrossProducts } from './draft-instance.ts';
import type { EngineContext } from './engine-context.ts';
import { findParts } from './examine-instance.ts';

/** What an instance is to become again. */
export interface InstanceRollback {
  /** As a commit wrote it. Give this or `commit`. A generation that another one overtook on its way to Git cannot be found. */
  readonly generation?: number | undefined;
  /** As it was at this commit, whoever made the commit. */
  readonly commit?: string | undefined;
  /** Whether it may go back to a template version that is deprecated by now. Default `false`. */
  readonly allowDeprecated?: boolean | undefined;
}

export type ParsedRollback = (
  | { readonly generation: number; readonly commit?: undefined }
  | { readonly commit: CommitId; readonly generation?: undefined }
) & { readonly allowDeprecated: boolean };

/** @throws {CaelusError} `INVALID_INPUT`, `ID_INVALID` */
export function parseRollback({ generation, commit, allowDeprecated = false }: InstanceRollback): ParsedRollback {
  if (generation === undefined && commit !== undefined) return { commit: parseCommitId(commit), allowDeprecated };
  if (commit === undefined && generation !== undefined && Number.isSafeInteger(generation) && generation >= 1) {
    return { generation, allowDeprecated };
  }
  const message = 'Give either a generation, a whole number from 1, or a commit.';
  throw inputRefused('The rollback', [{ path: '', message }]);
}

/**
 * The change that makes an instance what it was: a new generation, checked as every other one. Git is the history, because the
 * row has only the newest state.
 */
export async function draftRollback(
  context: EngineContext,
  id: string,
  to: ParsedRollback,
  actor: Actor | null,
  options: InstanceCommandOptions,
): Promise<InstanceDraft> {
  const current = await findWritable(context, id, options);
  const marker = await findMarker(context, current, to, options);
  const { product, templateVersion: present } = await findParts(context.repository, current, options);
  const { id: templateVersionId } = marker.templateVersion;
  const templateVersion =
    templateVersionId === present.id
      ? present
      : await findUsable(context, templateVersionId, { ...options, allowDeprecated: to.allowDeprecated });
  if (marker.product.id !== product.id || templateVersion.productId !== product.id) {
    throw upgradeAcrossProducts(current, templateVersionId);
  }
  const { tier, userValues, platformValues, hostname, labels, deletionPolicy } = marker;
  const changes: InstanceDesired = {
    tier,
    desiredTemplateVersionId: templateVersionId,
    userValues,
    platformValues,
    hostname,
    labels,
    deletionPolicy,
  };
  const data = { to: marker.generation };
  return draftChange(context, current, changes, { product, templateVersion }, actor, 'instance-rolled-back', data);
}

async function findMarker(
  { store, render }: EngineContext,
  instance: Instance,
  to: ParsedRollback,
  options: CallOptions,
): Promise<Marker> {
  const { layout, storeId } = render;
  const commit = to.commit ?? (await findCommit({ store, render }, instance, to.generation, options));
  const found = commit && (await instanceAt(store, layout, instance.id, commit, options).catch(unlessUnknown));
  const marker = found?.marker;
  // What somebody edited by hand is not what anybody asked for by a command.
  const isWhole = marker && marker !== 'invalid' && marker.contentHash === found?.contentHash;
  if (!isWhole || marker.storeId !== storeId) throw stateUnknown(instance, to);
  return marker;
}

/** The newest commit that wrote a generation of an instance. */
async function findCommit(
  { store, render }: Pick<EngineContext, 'store' | 'render'>,
  { id }: Instance,
  generation: number,
  { signal }: CallOptions,
): Promise<CommitId | undefined> {
  for (let cursor: string | undefined; ; ) {
    const { items, nextCursor } = await instanceLog(store, render.layout, id, { cursor, signal });
    const found = items.find((entry) => entry.generation <= generation);
    if (found !== undefined) return found.generation === generation ? found.commit : undefined;
    if (nextCursor === null) return undefined;
    cursor = nextCursor;
  }
}

/** A commit that is not in the store. */
function unlessUnknown(error: unknown): undefined {
  if (!isCaelusError(error, 'STORE_CORRUPT')) throw error;
}

function stateUnknown({ id }: Instance, { generation, commit }: ParsedRollback): CaelusError<'INSTANCE_STATE_UNKNOWN'> {
  const what = commit === undefined ? `generation ${generation}` : `commit ${commit}`;
  return new CaelusError({
    code: 'INSTANCE_STATE_UNKNOWN',
    message: `Git does not have the instance ${id} as Caelus wrote it at ${what}. Choose one that instanceLog lists.`,
    details: { instanceId: id, what },
  });
}
