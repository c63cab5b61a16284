import { isCaelusError } from '../errors.ts';
import { canonicalJson, type JsonValue } from '../json-value.ts';
import { instanceFiles, type Layout } from '../layout/layout.ts';
import { bytesEqual, type RepoTree } from '../layout/repo-tree.ts';
import type { InstanceDesired } from '../model/instance.ts';
import type { Marker, MarkerFacts } from '../render/marker.ts';
import { type ValuesLayersInput, valuesLayers } from '../render/values-layers.ts';
import { mergeValues } from '../values/merge-values.ts';
import { overlayValues } from '../values/overlay-values.ts';
import { parseValues } from '../values/parse-values.ts';

export interface ExpressEditInput extends ValuesLayersInput {
  readonly layout: Layout;
  /** What Caelus would write now, and wrote before the edit. */
  readonly rendered: { readonly tree: RepoTree; readonly marker: Marker };
  /** What lies in Git. */
  readonly found: { readonly files: RepoTree; readonly marker: Marker };
}

/** What an edit by hand comes to as a change of the row. */
export type ExpressedEdit = Partial<Pick<InstanceDesired, 'userValues' | 'hostname' | 'labels' | 'deletionPolicy'>>;

/**
 * Says which change of the row has the effect of an edit by hand: of `values.yaml`, the user's layer that merges to what it
 * says; of the marker, the user's values, the hostname, the labels and the deletion policy. `undefined` where the edit is of
 * anything else, or no row would be rendered so, or the row has moved on since the files were written. Whether a user
 * may make that change is for the commands to say, which check it as any other.
 */
export function expressEdit(input: ExpressEditInput): ExpressedEdit | undefined {
  const { rendered, found, layout } = input;
  const { marker } = rendered;
  const isBase = (['storeId', 'generation', 'changeId', 'contentHash'] as const).every(
    (field) => found.marker[field] === marker[field],
  );
  if (!isBase || !FIXED_FACTS.every((fact) => same(found.marker[fact], marker[fact]))) return undefined;
  const places = instanceFiles(layout, marker.id);
  const edited = editedPaths(rendered.tree, found.files);
  edited.delete(places.marker);
  edited.delete(places.tombstone);
  const valuesEdited = edited.delete(places.values);
  if (edited.size > 0) return undefined;

  const facts = Object.fromEntries(
    FREE_FACTS.filter((fact) => !same(found.marker[fact], marker[fact])).map((fact) => [fact, found.marker[fact]]),
  ) as ExpressedEdit;
  if (!valuesEdited) return facts;
  const wanted = readValues(found.files.get(places.values));
  if (wanted === undefined) return undefined;
  const [template, user, platform] = valuesLayers({ ...input, instance: { ...input.instance, ...facts } });
  const userValues = overlayValues({
    lower: mergeValues(template ? [template] : []),
    user: user?.values ?? {},
    upper: platform?.values ?? {},
    wanted,
  });
  return userValues && { ...facts, userValues };
}

const FREE_FACTS = ['userValues', 'hostname', 'labels', 'deletionPolicy'] as const;
const FIXED_FACTS = [
  'id',
  'tenant',
  'tier',
  'destination',
  'names',
  'product',
  'templateVersion',
  'platformValues',
  'createdAt',
] as const satisfies readonly (keyof MarkerFacts)[];

function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a as JsonValue) === canonicalJson(b as JsonValue);
}

function editedPaths(wanted: RepoTree, found: RepoTree): Set<string> {
  const paths = new Set<string>([...wanted.keys(), ...found.keys()]);
  for (const [path, bytes] of wanted) {
    const there = found.get(path);
    if (there !== undefined && bytesEqual(there, bytes)) paths.delete(path);
  }
  return paths;
}

function readValues(bytes: Uint8Array | undefined): ReturnType<typeof parseValues> | undefined {
  if (bytes === undefined) return undefined;
  try {
    return parseValues(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (isCaelusError(error) || error instanceof TypeError) return undefined;
    throw error;
  }
}
