import {
  CaelusError,
  type CallOptions,
  type ChangeId,
  type CommitId,
  type Decision,
  decide,
  type ExpressedEdit,
  expressEdit,
  type GitContent,
  type GitState,
  type Instance,
  type InstanceContent,
  type InstanceId,
  isCaelusError,
  isWanted,
  type Marker,
  type Product,
  type RenderedInstance,
  type RenderInstanceInput,
  type RepositoryReader,
  type RepoTree,
  readInstance,
  renderInstance,
  type Snapshot,
  type TemplateVersion,
} from '@caelus/core';
import { checkInstance } from './check-instance.ts';
import { type EngineContext, tierOf } from './engine-context.ts';

/** One instance, seen from the rows and from one commit, and what is to be done about it. */
export interface Examination {
  readonly instance: Instance | undefined;
  readonly product: Product | undefined;
  readonly templateVersion: TemplateVersion | undefined;
  /** Every file that lies in Git for the instance. */
  readonly files: RepoTree;
  /** What should lie there; `undefined` for an instance that is not wanted. */
  readonly rendered: RenderedInstance | undefined;
  readonly marker: Marker | null;
  readonly git: InstanceContent;
  /** The commit that was looked at; `null` where the branch has none. */
  readonly commit: CommitId | null;
  readonly gitState: GitState | undefined;
  /** The change of the row that has the effect of an edit by hand; `undefined` where there is none. */
  readonly expressed: ExpressedEdit | undefined;
  readonly decision: Decision;
}

/** What the rows say of one instance, where it was read with those of others. */
export interface KnownRows {
  readonly instance: Instance | undefined;
  readonly gitState: GitState | undefined;
  readonly parts: PartsReader;
}

export type PartsReader = Pick<RepositoryReader, 'findProduct' | 'findTemplateVersion'>;

/** Looks at one instance and decides. Reads only. */
export async function examineInstance(
  context: EngineContext,
  snapshot: Snapshot,
  id: InstanceId,
  options: CallOptions = {},
  rows?: KnownRows,
): Promise<Examination> {
  const { repository, render, status, driftPolicy } = context;
  const [instance, gitState, git] = await Promise.all([
    rows ? rows.instance : repository.findInstance(id, options),
    rows ? rows.gitState : repository.findGitState(id, options),
    readInstance(snapshot, render.layout, id, options),
  ]);
  const wanted = instance !== undefined && isWanted(instance);
  const parts = instance && (await findParts(rows?.parts ?? repository, instance, options));
  const rendered =
    wanted && parts
      ? renderInstance({ context: render, instance, tier: tierOf(context, instance.tier), ...parts })
      : undefined;
  const expressed = instance && parts && rendered && expressOf(context, { instance, rendered, git, ...parts });
  const known = await findKnownChanges(repository, id, git, instance, options);
  const isWaiting = instance !== undefined && !wanted && git.hasDirectory && !git.hasApplicationFile;
  const decision = decide({
    storeId: render.storeId,
    row: instance
      ? {
          generation: instance.generation,
          changeId: instance.changeId,
          wanted,
          contentHash: rendered?.contentHash ?? null,
        }
      : null,
    git,
    gitState: gitState ?? null,
    knowsChange: (changeId) => known.has(changeId),
    // Argo CD is asked only where the answer matters.
    applicationGone: isWaiting && (await status.get(instance.argoAppName, options)) === undefined,
    editIsExpressible: expressed !== undefined,
    policy: driftPolicy,
  });
  const marker = git.marker === 'invalid' ? null : git.marker;
  return {
    instance,
    product: parts?.product,
    templateVersion: parts?.templateVersion,
    files: git.files,
    rendered,
    marker,
    git,
    commit: snapshot.commit,
    gitState,
    expressed,
    decision,
  };
}

function expressOf(
  context: EngineContext,
  {
    git,
    rendered,
    ...parts
  }: {
    readonly instance: Instance;
    readonly product: Product;
    readonly templateVersion: TemplateVersion;
    readonly rendered: RenderedInstance;
    readonly git: InstanceContent;
  },
): ExpressedEdit | undefined {
  const { marker, files, contentHash } = git;
  if (marker === null || marker === 'invalid' || marker.contentHash === contentHash) return undefined;
  const { instance } = parts;
  const tier = tierOf(context, instance.tier);
  const found = { files, marker };
  const expressed = expressEdit({ ...parts, tier, layout: context.render.layout, rendered, found });
  return expressed && isPermitted(context, { ...parts, instance: { ...instance, ...expressed }, tier })
    ? expressed
    : undefined;
}

/** Whether a command might make the instance this. */
function isPermitted(context: EngineContext, parts: Omit<RenderInstanceInput, 'context'>): boolean {
  try {
    checkInstance(context, parts);
    return true;
  } catch (error) {
    if (isCaelusError(error)) return false;
    throw error;
  }
}

/** The product and the template version of an instance. @throws {CaelusError} `STORE_CORRUPT` where one is gone */
export async function findParts(
  reader: PartsReader,
  { productId, desiredTemplateVersionId }: Pick<Instance, 'productId' | 'desiredTemplateVersionId'>,
  options: CallOptions = {},
): Promise<{ readonly product: Product; readonly templateVersion: TemplateVersion }> {
  const [product, templateVersion] = await Promise.all([
    reader.findProduct(productId, options),
    reader.findTemplateVersion(desiredTemplateVersionId, options),
  ]);
  if (product && templateVersion) return { product, templateVersion };
  const what = product ? `template version ${desiredTemplateVersionId}` : `product ${productId}`;
  throw new CaelusError({
    code: 'STORE_CORRUPT',
    message: `The ${what}, which an instance needs, is not in the database. Restore it.`,
    details: { what },
  });
}

async function findKnownChanges(
  repository: RepositoryReader,
  id: InstanceId,
  { marker, tombstone }: GitContent,
  instance: Instance | undefined,
  options: CallOptions,
): Promise<ReadonlySet<ChangeId>> {
  const found = [marker, tombstone].flatMap((file) => (file === null || file === 'invalid' ? [] : [file.changeId]));
  // The row's own change needs no look: it is what nearly every marker has.
  const isKnown = (changeId: ChangeId) =>
    changeId === instance?.changeId || repository.hasChange(id, changeId, options);
  const known = await Promise.all(found.map(isKnown));
  return new Set(found.filter((_, index) => known[index]));
}
