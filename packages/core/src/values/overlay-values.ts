import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../json-value.ts';
import type { Values } from './values.ts';

export interface OverlayInput {
  /** The layers below the user's, merged. */
  readonly lower: Values;
  /** What the user's layer says now. */
  readonly user: Values;
  /** The layers above the user's, merged. */
  readonly upper: Values;
  /** What the merge of all three is to give. */
  readonly wanted: Values;
}

/**
 * Finds the user's layer with which the merge (see {@link mergeValues}) gives `wanted`. Where the present layer does so
 * already, it stays as it is; elsewhere it says no more than is needed. `undefined` where no layer of the user's does: a
 * merge cannot take away what a lower layer has, nor set what an upper one sets.
 */
export function overlayValues({ lower, user, upper, wanted }: OverlayInput): Values | undefined {
  const found = overlay(lower, user, upper, wanted);
  return found === IMPOSSIBLE ? undefined : isJsonObject(found) ? found : {};
}

/** No user's value leads there. */
const IMPOSSIBLE: unique symbol = Symbol('impossible');
type Found = JsonValue | undefined | typeof IMPOSSIBLE;

/** What the user has to say at one place; `undefined`: nothing. */
function overlay(
  lower: JsonValue | undefined,
  user: JsonValue | undefined,
  upper: JsonValue | undefined,
  wanted: JsonValue | undefined,
): Found {
  if (equal(merged(merged(lower, user), upper), wanted)) return user;
  if (equal(merged(lower, upper), wanted)) return undefined;
  // What is there cannot be merged away, and an upper value that is no object replaces whatever the user says.
  if (wanted === undefined || (upper !== undefined && !isJsonObject(upper))) return IMPOSSIBLE;
  if (!isJsonObject(wanted)) return upper === undefined ? wanted : IMPOSSIBLE;

  const [below, own, above] = [lower, user, upper].map(membersOf) as [JsonObject, JsonObject, JsonObject];
  const members: [string, JsonValue][] = [];
  for (const key of new Set([below, own, above, wanted].flatMap((object) => Object.keys(object)))) {
    const found = overlay(member(below, key), member(own, key), member(above, key), member(wanted, key));
    if (found === IMPOSSIBLE) return IMPOSSIBLE;
    if (found !== undefined) members.push([key, found]);
  }
  return Object.fromEntries(members);
}

/** What two layers come to at one place. */
function merged(lower: JsonValue | undefined, upper: JsonValue | undefined): JsonValue | undefined {
  if (upper === undefined) return lower;
  if (!isJsonObject(lower) || !isJsonObject(upper)) return upper;
  const keys = new Set([...Object.keys(lower), ...Object.keys(upper)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(member(lower, key), member(upper, key)) as JsonValue]));
}

function membersOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function equal(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return canonicalJson(a) === canonicalJson(b);
}
