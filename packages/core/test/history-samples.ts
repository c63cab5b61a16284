import {
  type Actor,
  type ChangeId,
  type CommitId,
  changeTrailer,
  createLayout,
  diffTrees,
  type Edit,
  type InstanceId,
  instanceFiles,
  type LayoutName,
  type ProposedChange,
  parseChangeId,
  parseInstanceId,
  parseRepoPath,
  type RepoTree,
  readInstance,
  renderInstance,
  renderRepository,
  renderTombstone,
  type StateStore,
  type Trailer,
  tombstoneOf,
} from '@caelus/core';
import { inputOf } from './render-samples.ts';

export const instanceId = (number: number): InstanceId =>
  parseInstanceId(`0198c0de-1111-7222-8333-4444555566${number.toString(16).padStart(2, '0')}`);
export const changeId = (number: number, generation: number): ChangeId =>
  parseChangeId(
    `0198c0de-aaaa-7bbb-8c${number.toString(16).padStart(2, '0')}-dddd${generation.toString(16).padStart(8, '0')}`,
  );
export const trailerOf = (number: number, generation: number): Trailer =>
  changeTrailer({ instanceId: instanceId(number), generation, changeId: changeId(number, generation) });

export interface SampleChange {
  readonly number: number;
  readonly generation: number;
  readonly values?: object;
  readonly actor?: Actor;
  readonly summary?: string;
  readonly layout?: LayoutName;
}

/** Every file of a sample instance. */
export function treeOfChange({ number, generation, values = {}, layout = 'flat' }: SampleChange): RepoTree {
  const instance = {
    id: instanceId(number),
    generation,
    changeId: changeId(number, generation),
    userValues: values,
  };
  return renderInstance(inputOf({ layout, instance })).tree;
}

/** A change of one instance, as the engine proposes it. */
export function change(sample: SampleChange): ProposedChange {
  const { number, generation, layout = 'flat', actor = null } = sample;
  const id = instanceId(number);
  return {
    subject: id,
    async propose(snapshot) {
      const { files } = await readInstance(snapshot, createLayout(layout), id);
      return {
        edits: diffTrees(files, treeOfChange(sample)),
        summary: sample.summary ?? `update ${number} to ${generation}`,
        trailers: [trailerOf(number, generation)],
        actor,
      };
    },
  };
}

/** A phase of a deletion, as the engine proposes it: first the Application goes, then the directory. */
export function deletion(number: number, generation: number, phase: 'application' | 'directory'): ProposedChange {
  const id = instanceId(number);
  const layout = createLayout('flat');
  const places = instanceFiles(layout, id);
  const { context, instance } = inputOf({ instance: { id, generation, changeId: changeId(number, generation) } });
  const tombstone = renderTombstone(tombstoneOf(instance, context.storeId));
  return {
    subject: id,
    async propose(snapshot) {
      const { files } = await readInstance(snapshot, layout, id);
      const after = new Map(files);
      if (phase === 'application') {
        after.delete(places.application);
        after.set(places.tombstone, tombstone);
      } else for (const path of files.keys()) if (path.startsWith(places.directory)) after.delete(path);
      const trailers = [trailerOf(number, generation)];
      return { edits: diffTrees(files, after), summary: `delete ${number}`, trailers, actor: null };
    },
  };
}

/** An edit by somebody else: texts of files, or what to make of the text that is there. */
export function byHand(
  edits: Readonly<Record<string, string | null | ((text: string) => string)>>,
  parts: { readonly summary?: string; readonly trailers?: readonly Trailer[] } = {},
): ProposedChange {
  return {
    subject: 'by hand',
    async propose(snapshot) {
      const made: Edit[] = [];
      for (const [name, edit] of Object.entries(edits)) {
        const path = parseRepoPath(name);
        const bytes = await snapshot.readFile(path);
        const text = typeof edit === 'function' ? edit(new TextDecoder().decode(bytes)) : edit;
        made.push({ path, bytes: text === null ? null : new TextEncoder().encode(text) });
      }
      const { summary = 'by hand', trailers = [] } = parts;
      return { edits: made, summary, trailers, actor: { name: 'Mallory', email: 'mallory@example.com' } };
    },
  };
}

/** The file of the merged values of an instance. */
export function valuesFile(number: number, layout: LayoutName = 'flat'): string {
  return instanceFiles(createLayout(layout), instanceId(number)).values;
}

/** The file that says which layout a repository has. */
export function layoutFile(layout: LayoutName): ReadonlyMap<string, Uint8Array> {
  const { context, tier } = inputOf({ layout });
  return new Map([...renderRepository({ context, tiers: [tier] })].filter(([path]) => path === '.caelus/layout.yaml'));
}

/** Writes changes as one commit. */
export async function commit(store: StateStore, ...changes: readonly ProposedChange[]): Promise<CommitId> {
  const receipts = await store.write(changes);
  for (const receipt of receipts) {
    if (receipt.outcome === 'written') return receipt.commit;
    if (receipt.outcome === 'failed') throw receipt.error;
  }
  throw new Error('Nothing was written.');
}
