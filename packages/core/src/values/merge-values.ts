import { deepmergeCustom } from 'deepmerge-ts';
import { isJsonObject, type JsonValue } from '../json-value.ts';
import type { Values } from './values.ts';

/** Who states values, from the weakest to the strongest. */
export type ValuesLayerName = 'template' | 'user' | 'platform';

export interface ValuesLayer {
  readonly name: ValuesLayerName;
  readonly values: Values;
}

/**
 * Two at a time: given more, deepmerge-ts looks at all of them at once, so that a scalar below two objects would hide the
 * first of the two. Without its metadata: to find cycles, it takes an object that two layers share for one.
 */
const mergeTwo: (lower: Values, upper: Values) => unknown = deepmergeCustom<Values>({
  mergeArrays: false,
  filterValues: false,
  metaDataUpdater: () => undefined,
});

/**
 * Merges layers of values, each over those before it: objects merge key by key; lists and scalars replace; `null` stays
 * (Helm then drops the key); `{}` over an object keeps it; an object over a scalar or a list replaces it. The result is
 * new and deeply frozen. Layers must have passed {@link parseValues}.
 *
 * The merge is from the first layer to the last. Merging `b` and `c` first and then over `a` gives the same unless `b`
 * replaces an object of `a` by something else and `c` brings an object back.
 */
export function mergeValues(layers: readonly ValuesLayer[]): Values {
  const merged = layers.reduce<Values>((lower, { values }) => mergeTwo(lower, values) as Values, {});
  return frozenCopy(merged) as Values;
}

function frozenCopy(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy));
  if (!isJsonObject(value)) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, member]) => [key, frozenCopy(member)])));
}
