import { isJsonObject, type JsonValue } from '../json-value.ts';
import { toJsonPointer } from './json-pointer.ts';
import { mergeValues, type ValuesLayer, type ValuesLayerName } from './merge-values.ts';
import type { Values } from './values.ts';

/** Where one leaf of merged values comes from. */
export interface LeafProvenance {
  /** JSON pointer of the leaf: a scalar, `null`, a list, or an empty object. */
  readonly pointer: string;
  readonly value: JsonValue;
  /** The layer that won. */
  readonly layer: ValuesLayerName;
  /** The other layers that state something at the same place, weakest first. */
  readonly overridden: readonly ValuesLayerName[];
}

/**
 * Explains what {@link mergeValues} makes of the same layers, leaf by leaf, ordered by pointer. The leaves put back at
 * their pointers are the merged values.
 */
export function explainValues(layers: readonly ValuesLayer[]): readonly LeafProvenance[] {
  const leaves: LeafProvenance[] = [];
  collect(mergeValues(layers), [], layers, leaves);
  return leaves.sort((a, b) => (a.pointer < b.pointer ? -1 : 1));
}

function collect(
  value: JsonValue,
  tokens: readonly string[],
  layers: readonly ValuesLayer[],
  leaves: LeafProvenance[],
): void {
  if (isJsonObject(value) && (tokens.length === 0 || Object.keys(value).length > 0)) {
    for (const [key, member] of Object.entries(value)) collect(member, [...tokens, key], layers, leaves);
    return;
  }
  const stating = layers.filter(({ values }) => states(values, tokens)).map(({ name }) => name);
  // A leaf survives only if no later layer states anything in its place, so the last that states it has won.
  const layer = stating.pop();
  if (layer !== undefined) leaves.push({ pointer: toJsonPointer(tokens), value, layer, overridden: stating });
}

function states(values: Values, tokens: readonly string[]): boolean {
  let at: JsonValue | undefined = values;
  for (const token of tokens) {
    if (!isJsonObject(at) || !Object.hasOwn(at, token)) return false;
    at = at[token];
  }
  return true;
}
