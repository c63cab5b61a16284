import { CaelusError } from '../errors.ts';
import { isJsonObject, type JsonValue } from '../json-value.ts';
import { fromJsonPointer, toJsonPointer } from './json-pointer.ts';
import type { Values } from './values.ts';

/** The top-level key that only the platform sets. */
export const PLATFORM_KEY = 'caelus';

/** Keys on the way to locked places; an empty map is a locked place. */
type Locks = Map<string, Locks>;

/**
 * Refuses user values that reach what users cannot set: `locked` places, every leaf of `platformValues`, and the key
 * `caelus`. A user may not state anything at or below such a place, nor a scalar, `null` or a list above it, which would
 * replace it; an object above it that leaves it out is fine. So a merge with the user's layer has the same values in the
 * locked places as one without.
 *
 * A pointer into a list locks the whole list, because lists are replaced as one; `/ports/0` therefore locks `/ports`.
 *
 * @param locked JSON pointers.
 * @throws {CaelusError} `VALUES_LOCKED` with every place that the user may not state.
 */
export function assertUnlocked(userValues: Values, locked: readonly string[], platformValues: Values): void {
  const locks: Locks = new Map();
  lock(locks, [PLATFORM_KEY]);
  for (const pointer of locked) {
    if (pointer === '') for (const key of Object.keys(userValues)) lock(locks, [key]);
    else lock(locks, withoutListItem(fromJsonPointer(pointer)));
  }
  lockLeaves(locks, platformValues, []);

  const touched: string[] = [];
  findTouched(userValues, locks, [], touched);
  if (touched.length === 0) return;
  throw new CaelusError({
    code: 'VALUES_LOCKED',
    message: `Only the platform sets ${touched.join(', ')}. Leave these values out.`,
    details: { issues: touched.map((path) => ({ path, message: 'Only the platform sets it. Leave it out.' })) },
  });
}

/** Locks a place, unless one above it is locked. */
function lock(locks: Locks, tokens: readonly string[]): void {
  let at = locks;
  for (const [index, token] of tokens.entries()) {
    let next = at.get(token);
    if (next?.size === 0) return;
    if (next === undefined) {
      next = new Map();
      at.set(token, next);
    }
    if (index === tokens.length - 1) next.clear();
    at = next;
  }
}

function lockLeaves(locks: Locks, value: JsonValue, tokens: readonly string[]): void {
  if (isJsonObject(value) && (tokens.length === 0 || Object.keys(value).length > 0)) {
    for (const [key, member] of Object.entries(value)) lockLeaves(locks, member, [...tokens, key]);
  } else {
    lock(locks, tokens);
  }
}

/** The root of values is an object, so the first token is never a list's. */
function withoutListItem(tokens: readonly string[]): readonly string[] {
  const item = tokens.findIndex((token, index) => index > 0 && /^(?:0|[1-9][0-9]*)$/.test(token));
  return item === -1 ? tokens : tokens.slice(0, item);
}

function findTouched(value: JsonValue, locks: Locks, tokens: readonly string[], touched: string[]): void {
  if (locks.size === 0 || !isJsonObject(value)) {
    touched.push(toJsonPointer(tokens));
    return;
  }
  for (const [key, member] of Object.entries(value)) {
    const below = locks.get(key);
    if (below !== undefined) findTouched(member, below, [...tokens, key], touched);
  }
}
