import {
  type BranchState,
  type CallOptions,
  type CatalogueFile,
  type CatalogueRow,
  canonicalJson,
  cataloguePath,
  catalogueRecord,
  decideCatalogue,
  type FindingKind,
  type InstanceId,
  instanceIdOf,
  isCaelusError,
  isWanted,
  type JsonObject,
  type RepoPath,
  type Snapshot,
} from '@caelus/core';
import { isRewound } from './branch-state.ts';
import { eachCatalogueFile, eachCatalogueRow, readCatalogueFile } from './catalogue.ts';
import { everyInstance } from './each-instance.ts';
import type { EngineContext } from './engine-context.ts';
import { repositoryEdits } from './ensure-repository.ts';
import { type Examination, examineInstance } from './examine-instance.ts';
import { type Finding, type FindingSubject, findingOf } from './finding.ts';
import { eachDirectory } from './sweeper.ts';

export interface InspectOptions extends CallOptions {
  /** Called after every row and directory with how many were compared. */
  readonly onProgress?: ((compared: number) => void) | undefined;
}

/**
 * Compares every row with Git as it is now, and gives every disagreement. Reads only, one row after the other, so its memory does
 * not grow with what there is.
 * @throws {CaelusError} `STORE_FOREIGN` where the repository belongs to another database or has another layout; `UNAVAILABLE`
 */
export async function* inspect(context: EngineContext, options: InspectOptions = {}): AsyncGenerator<Finding> {
  const { repository, store, render } = context;
  const { signal } = options;
  const seen = await repository.findBranchState({ signal });
  const snapshot = await store.snapshot({ signal });
  let compared = 0;
  const report = () => options.onProgress?.(++compared);

  for (const finding of await inspectRepository(context, snapshot, seen, { signal })) yield finding;
  for await (const row of eachCatalogueRow(context, { signal })) {
    const finding = await inspectCatalogue(context, snapshot, { row, path: cataloguePath(row) }, { signal });
    if (finding) yield finding;
    report();
  }
  for await (const { path, file } of eachCatalogueFile(snapshot, { signal })) {
    // One that has a row was given with the row.
    if (await hasRow(context, path, file, { signal })) continue;
    const finding = await inspectCatalogue(context, snapshot, { path }, { signal });
    if (finding) yield finding;
  }

  for await (const { id } of everyInstance(context, { signal })) {
    const finding = await inspectInstance(context, snapshot, id, { signal });
    if (finding) yield finding;
    report();
  }
  for await (const id of eachDirectory(context, snapshot, { signal })) {
    if ((await repository.findInstance(id, { signal })) !== undefined) continue;
    const finding = await inspectInstance(context, snapshot, id, { signal });
    if (finding) yield finding;
    report();
  }
  for await (const id of eachTombstone(context, snapshot, { signal })) {
    if ((await repository.findInstance(id, { signal })) !== undefined) continue;
    // One that has a directory too was given above.
    const directory = await snapshot.listDirectory(render.layout.instanceDirectory(id), { signal });
    const finding = directory.length === 0 && (await inspectInstance(context, snapshot, id, { signal }));
    if (finding) yield finding;
    report();
  }
}

/** What is wrong with one instance, as it is in one commit; `undefined` where nothing is. */
export async function inspectInstance(
  context: EngineContext,
  snapshot: Snapshot,
  id: InstanceId,
  options: CallOptions = {},
): Promise<Finding | undefined> {
  const subject = { type: 'instance', id } as const;
  try {
    return findingOfInstance(context, await examineInstance(context, snapshot, id, options), subject);
  } catch (error) {
    if (!isCaelusError(error) || error.retryable) throw error;
    return findingOf({
      kind: 'unexaminable',
      subject,
      commit: snapshot.commit,
      generation: null,
      seen: { code: error.code },
      facts: { hasRow: true, isWanted: true, isExpressible: false, ownsRows: ownsRows(context) },
      detail: error.message,
    });
  }
}

/** What an examination comes to; `undefined` where the row and Git agree, or will without anybody's help. */
export function findingOfInstance(
  context: EngineContext,
  examination: Examination,
  subject: FindingSubject,
): Finding | undefined {
  const kind = kindOf(examination);
  if (kind === undefined) return undefined;
  const { instance, git, gitState, commit, expressed } = examination;
  const change = (file: { readonly generation: number; readonly changeId: string } | 'invalid' | null) =>
    file === null || file === 'invalid' ? file : `${file.generation} ${file.changeId}`;
  return findingOf({
    kind,
    subject,
    commit,
    generation: instance?.generation ?? null,
    seen: {
      row: instance ? `${instance.generation} ${instance.changeId} ${instance.status}` : null,
      gitState: gitState
        ? `${gitState.generation} ${gitState.changeId} ${gitState.contentHash} ${gitState.phase}`
        : null,
      marker: change(git.marker),
      tombstone: change(git.tombstone),
      contentHash: git.contentHash,
    },
    facts: {
      hasRow: instance !== undefined,
      isWanted: instance !== undefined && isWanted(instance),
      isExpressible: kind === 'database-behind' ? isSameInstance(examination) : expressed !== undefined,
      ownsRows: ownsRows(context),
    },
  });
}

function kindOf({ instance, git, decision }: Examination): FindingKind | undefined {
  switch (decision.action) {
    case 'flag':
      return decision.drift;
    case 'accept':
      return 'manual-edit';
    case 'record':
      return 'unrecorded';
    case 'write':
    case 'remove-application':
    case 'remove-directory':
      return 'git-behind';
    case 'wait':
      return undefined;
    case 'none':
      if (instance !== undefined || git.files.size === 0) return undefined;
      // Without a row, what cannot be judged is left alone, and only shown.
      return git.marker === 'invalid' || git.tombstone === 'invalid' ? 'marker-invalid' : 'foreign';
  }
}

/** Whether what the marker says can become the row's: what never changes of an instance is the same. */
function isSameInstance({ instance, git: { marker } }: Examination): boolean {
  if (instance === undefined || marker === null || marker === 'invalid') return false;
  const { productId, tenant, destination, namespace, argoAppName, releaseName, createdAt } = instance;
  const ofRow = { productId, tenant, destination, names: { namespace, argoAppName, releaseName }, createdAt };
  const { product, tenant: owner, destination: cluster, names, createdAt: at } = marker;
  const ofMarker = { productId: product.id, tenant: owner, destination: cluster, names, createdAt: at };
  return canonicalJson(asJson(ofRow)) === canonicalJson(asJson(ofMarker));
}

/** What is wrong with the branch as a whole, and with what it has beside the instances. */
export async function inspectRepository(
  context: EngineContext,
  snapshot: Snapshot,
  seen: BranchState | undefined,
  options: CallOptions = {},
): Promise<readonly Finding[]> {
  const { commit } = snapshot;
  const facts = { hasRow: true, isWanted: true, isExpressible: false, ownsRows: ownsRows(context) };
  const about = { subject: { type: 'repository' }, commit, generation: null, facts } as const;
  const findings: Finding[] = [];
  const edits = await repositoryEdits(context, snapshot);
  if (edits.length > 0) {
    const others = edits.length > 1 ? ` and ${edits.length - 1} more` : '';
    const detail = `It is about the files beside the instances: ${edits[0]?.path}${others}.`;
    findings.push(findingOf({ ...about, kind: 'git-behind', seen: {}, detail }));
  }
  const isBack = commit === null ? seen !== undefined : await isRewound(context, seen, commit, options);
  if (context.store.capabilities.descends !== false && (isBack || seen?.recheck === true)) {
    findings.push(findingOf({ ...about, kind: 'git-rewound', seen: { from: seen?.commit ?? null } }));
  }
  return findings;
}

/** What is wrong with one file of the catalogue, against its row where it has one; `undefined` where nothing is. */
export async function inspectCatalogue(
  { render, driftPolicy, repository }: EngineContext,
  snapshot: Snapshot,
  { row, path }: { readonly row?: CatalogueRow | undefined; readonly path: RepoPath },
  options: CallOptions = {},
): Promise<Finding | undefined> {
  const { file, hash } = await readCatalogueFile(snapshot, path, options);
  const { storeId } = render;
  const decision = decideCatalogue({ storeId, row: row ?? null, file, manualEdit: driftPolicy.manualEdit });
  if (decision.action === 'none' || decision.action === 'ignore') return undefined;
  const about = row ?? (file === 'invalid' ? undefined : file?.row);
  const kind = decision.action === 'write' ? (file === 'invalid' ? 'catalogue-edited' : 'git-behind') : decision.drift;
  return findingOf({
    kind,
    subject: about ? subjectOf(about) : { type: 'file', path },
    commit: snapshot.commit,
    generation: null,
    seen: { row: row ? catalogueRecord(row) : null, hash },
    facts: { hasRow: row !== undefined, isWanted: true, isExpressible: false, ownsRows: ownsRows({ repository }) },
  });
}

/** The row of the database that has the id of a row that was read from Git. */
async function findRow(
  { repository }: Pick<EngineContext, 'repository'>,
  row: CatalogueRow,
  options: CallOptions = {},
): Promise<CatalogueRow | undefined> {
  if (row.kind === 'Product') {
    const product = await repository.findProduct(row.product.id, options);
    return product && { kind: 'Product', product };
  }
  const templateVersion = await repository.findTemplateVersion(row.templateVersion.id, options);
  return templateVersion && { kind: 'TemplateVersion', templateVersion };
}

async function hasRow(
  context: EngineContext,
  path: RepoPath,
  file: CatalogueFile | 'invalid',
  options: CallOptions,
): Promise<boolean> {
  if (file !== 'invalid') return (await findRow(context, file.row, options)) !== undefined;
  for await (const row of eachCatalogueRow(context, options)) if (cataloguePath(row) === path) return true;
  return false;
}

function subjectOf(row: CatalogueRow): FindingSubject {
  return row.kind === 'Product'
    ? { type: 'product', id: row.product.id }
    : { type: 'template-version', id: row.templateVersion.id };
}

/** Every instance that Git has a tombstone of. */
export async function* eachTombstone(
  { render }: Pick<EngineContext, 'render'>,
  snapshot: Snapshot,
  options: CallOptions = {},
): AsyncGenerator<InstanceId> {
  for (const parent of render.layout.tombstoneParents) {
    for (const { name, type } of await snapshot.listDirectory(parent, options)) {
      const id = type === 'file' && name.endsWith('.yaml') ? instanceIdOf(name.slice(0, -'.yaml'.length)) : undefined;
      if (id !== undefined) yield id;
    }
  }
}

/** Whether rows can be inserted here. */
export function ownsRows({ repository }: Pick<EngineContext, 'repository'>): boolean {
  return repository.capabilities.ownsRows !== false;
}

function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
