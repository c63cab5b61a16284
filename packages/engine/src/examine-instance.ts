import {
  CaelusError,
  type CallOptions,
  type ChangeId,
  type Decision,
  decide,
  type GitContent,
  type Instance,
  type InstanceId,
  instanceFiles,
  instanceHash,
  isCaelusError,
  isWanted,
  type Layout,
  type Marker,
  type Product,
  parseMarker,
  parseTombstone,
  type RenderedInstance,
  type RepositoryReader,
  type RepoTree,
  renderInstance,
  type Snapshot,
  type TemplateVersion,
  type Tombstone,
} from '@caelus/core';
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
  readonly decision: Decision;
}

/** Looks at one instance and decides. Reads only. */
export async function examineInstance(
  context: EngineContext,
  snapshot: Snapshot,
  id: InstanceId,
  options: CallOptions = {},
): Promise<Examination> {
  const { repository, render, status, driftPolicy } = context;
  const [instance, gitState, { git, files }] = await Promise.all([
    repository.findInstance(id, options),
    repository.findGitState(id, options),
    readGitContent(snapshot, render.layout, id, options),
  ]);
  const wanted = instance !== undefined && isWanted(instance);
  const parts = instance && (await findParts(repository, instance, options));
  const rendered =
    wanted && parts
      ? renderInstance({ context: render, instance, tier: tierOf(context, instance.tier), ...parts })
      : undefined;
  const known = await findKnownChanges(repository, id, git, options);
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
    policy: driftPolicy,
  });
  const marker = git.marker === 'invalid' ? null : git.marker;
  return {
    instance,
    product: parts?.product,
    templateVersion: parts?.templateVersion,
    files,
    rendered,
    marker,
    decision,
  };
}

/** The product and the template version of an instance. @throws {CaelusError} `STORE_CORRUPT` where one is gone */
export async function findParts(
  reader: RepositoryReader,
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

/** Reads everything that Git has of one instance. */
export async function readGitContent(
  snapshot: Snapshot,
  layout: Layout,
  id: InstanceId,
  options: CallOptions = {},
): Promise<{ readonly git: GitContent; readonly files: RepoTree }> {
  const places = instanceFiles(layout, id);
  const [directory, application, tombstone] = await Promise.all([
    snapshot.readTree(places.directory, options),
    snapshot.readFile(places.application, options),
    snapshot.readFile(places.tombstone, options),
  ]);
  const files = new Map(directory);
  if (application) files.set(places.application, application);
  const marker = readOwn(directory.get(places.marker), id, parseMarker);
  // The marker's hash covers every file but itself; a tombstone is not the instance's content.
  const content = new Map(files);
  content.delete(places.marker);
  if (tombstone) files.set(places.tombstone, tombstone);
  return {
    files,
    git: {
      marker,
      tombstone: readOwn(tombstone, id, parseTombstone),
      contentHash: marker === null || marker === 'invalid' ? null : instanceHash(content, marker),
      hasDirectory: directory.size > 0,
      hasApplicationFile: application !== undefined,
    },
  };
}

function readOwn<T extends Marker | Tombstone>(
  bytes: Uint8Array | undefined,
  id: InstanceId,
  parse: (bytes: Uint8Array) => T,
): T | 'invalid' | null {
  if (bytes === undefined) return null;
  try {
    const file = parse(bytes);
    return file.id === id ? file : 'invalid';
  } catch (error) {
    if (isCaelusError(error, 'STORE_CORRUPT')) return 'invalid';
    throw error;
  }
}

async function findKnownChanges(
  repository: RepositoryReader,
  id: InstanceId,
  { marker, tombstone }: GitContent,
  options: CallOptions,
): Promise<ReadonlySet<ChangeId>> {
  const found = [marker, tombstone].flatMap((file) => (file === null || file === 'invalid' ? [] : [file.changeId]));
  const known = await Promise.all(found.map((changeId) => repository.hasChange(id, changeId, options)));
  return new Set(found.filter((_, index) => known[index]));
}
