import {
  type Change,
  changeTrailer,
  diffTrees,
  type Instance,
  type InstanceId,
  instanceFiles,
  isBelow,
  type Proposal,
  type ProposedChange,
  productRow,
  type RenderContext,
  renderTombstone,
  templateVersionRow,
  tombstoneOf,
} from '@caelus/core';
import { catalogueEdits } from './catalogue.ts';
import type { EngineContext } from './engine-context.ts';
import { type Examination, examineInstance } from './examine-instance.ts';

/** A change of one instance for the state store, and what it was decided upon. */
export interface InstanceProposal extends ProposedChange {
  /** What the last call of `propose` found; `undefined` before the first. */
  readonly examination: Examination | undefined;
}

/** Makes the change that brings one instance's place in Git to what its row wants, decided anew from every tip. */
export function proposeInstance(context: EngineContext, id: InstanceId): InstanceProposal {
  let examination: Examination | undefined;
  return {
    subject: id,
    get examination() {
      return examination;
    },
    async propose(snapshot) {
      examination = undefined;
      examination = await examineInstance(context, snapshot, id);
      const proposal = proposalOf(context.render, examination);
      const { product, templateVersion, decision } = examination;
      if (proposal === null || decision.action !== 'write' || !product || !templateVersion) return proposal;
      // What the rows can be rebuilt from is there as soon as it is needed.
      const rows = [productRow(product), templateVersionRow(templateVersion)];
      const edits = [...proposal.edits, ...(await catalogueEdits(context, snapshot, rows))];
      return { ...proposal, edits };
    },
  };
}

/** What a decision writes; `null` for the decisions that write nothing. */
export function proposalOf(render: RenderContext, examination: Examination): Proposal | null {
  const { instance, decision } = examination;
  const edits = editsOf(render, examination);
  if (instance === undefined || edits === null) return null;
  const { id, generation, changeId, changedBy } = instance;
  // A repair, a restore and the last phase of a deletion are Caelus's own doing; who asked for the row did not ask for them.
  const isAsked =
    decision.action === 'remove-application' ||
    (decision.action === 'write' && (decision.reason === 'create' || decision.reason === 'update'));
  return {
    edits,
    summary: summaryOf(examination),
    trailers: [changeTrailer({ instanceId: id, generation, changeId })],
    actor: isAsked ? changedBy : null,
  };
}

function summaryOf({ instance, product, templateVersion, marker, decision }: Examination): string {
  const what = `${product?.slug ?? 'instance'} of ${instance?.tenant}`;
  if (decision.action === 'remove-application') return `delete ${what}`;
  if (decision.action === 'remove-directory') return `clean up ${what}`;
  if (decision.action !== 'write') return what;
  const isUpgrade = marker !== null && marker.templateVersion.id !== templateVersion?.id;
  if (decision.reason === 'update' && isUpgrade) return `upgrade ${what} to ${templateVersion?.version}`;
  return `${decision.reason} ${what}`;
}

function editsOf(render: RenderContext, { instance, files, rendered, decision }: Examination): Change | null {
  if (instance === undefined) return null;
  switch (decision.action) {
    case 'write':
      return rendered === undefined ? null : diffTrees(files, rendered.tree);
    case 'remove-application':
      return removeApplication(render, instance, files);
    case 'remove-directory': {
      const { directory } = instanceFiles(render.layout, instance.id);
      return [...files.keys()].filter((path) => isBelow(path, directory)).map((path) => ({ path, bytes: null }));
    }
    default:
      return null;
  }
}

/** Deletion, phase 1: the directory stays, because Argo CD renders the chart's deletion hooks from it. */
function removeApplication(
  { layout, storeId }: RenderContext,
  instance: Instance,
  files: Examination['files'],
): Change {
  const { application, tombstone } = instanceFiles(layout, instance.id);
  const after = new Map(files);
  after.delete(application);
  after.set(tombstone, renderTombstone(tombstoneOf(instance, storeId)));
  return diffTrees(files, after);
}
