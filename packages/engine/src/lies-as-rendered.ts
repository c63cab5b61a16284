import { type CallOptions, instanceFiles, isRecorded, isWanted, renderInstance, type Snapshot } from '@caelus/core';
import { type EngineContext, tierOf } from './engine-context.ts';
import { findParts, type KnownRows } from './examine-instance.ts';

/**
 * Whether Git has an instance exactly as it is rendered now, and the rows know it: then `decide` says `none`, and nothing that
 * lies in Git needs to be read. `false` says nothing: the instance has to be examined.
 */
export async function liesAsRendered(
  context: EngineContext,
  snapshot: Snapshot,
  { instance, gitState, parts }: KnownRows,
  options: CallOptions = {},
): Promise<boolean> {
  if (snapshot.holds === undefined || instance === undefined || gitState === undefined) return false;
  if (!isWanted(instance)) return false;
  const { render } = context;
  const found = await findParts(parts, instance, options);
  const { tree, marker } = renderInstance({
    context: render,
    instance,
    tier: tierOf(context, instance.tier),
    ...found,
  });
  if (!isRecorded(marker, gitState)) return false;
  const { application, directory, tombstone } = instanceFiles(render.layout, instance.id);
  const files = new Map(tree);
  files.delete(application);
  return (
    (await snapshot.holds(directory, files, options)) &&
    (await snapshot.holds(application, tree.get(application) ?? new Uint8Array(), options)) &&
    (await snapshot.readFile(tombstone, options)) === undefined
  );
}
