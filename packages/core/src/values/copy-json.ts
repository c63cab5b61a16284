import { CaelusError, type ErrorCode } from '../errors.ts';
import { canonicalJson, type JsonValue } from '../json-value.ts';
import { toJsonPointer } from './json-pointer.ts';
import type { ValuesLimits } from './values-limits.ts';

/** Keys that JavaScript or a YAML 1.1 reader takes for something else than a key. */
const FORBIDDEN_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype', '<<']);

const LONE_SURROGATE = /\p{Surrogate}/u;

/** Throws one of the codes whose details are issues, for one place. */
export function refuse(
  code: Extract<ErrorCode, 'VALUES_NOT_JSON' | 'VALUES_KEY_FORBIDDEN'>,
  what: string,
  tokens: readonly PropertyKey[],
  problem: string,
): never {
  const path = toJsonPointer(tokens);
  throw new CaelusError({
    code,
    message: `${what} cannot be accepted: ${path === '' ? 'the whole' : path} ${problem}`,
    details: { issues: [{ path, message: `It ${problem}` }] },
  });
}

/** Throws one of the codes whose details are a limit. */
export function overLimit(
  code: Extract<ErrorCode, 'VALUES_TOO_DEEP' | 'VALUES_TOO_LARGE' | 'VALUES_ALIAS_LIMIT'>,
  message: string,
  limit: number,
  tokens?: readonly PropertyKey[],
): never {
  const details = tokens === undefined ? { limit } : { limit, path: toJsonPointer(tokens) };
  throw new CaelusError({ code, message, details });
}

/**
 * Copies an unknown value into a frozen tree of plain objects, lists and scalars, or refuses it. It reads every property
 * once, so that what was checked is what is kept; recursion ends at the depth limit.
 */
export function copyJson(input: unknown, what: string, limits: ValuesLimits): JsonValue {
  const path: PropertyKey[] = [];
  const ancestors: object[] = [];
  let nodes = 0;
  let characters = 0;

  const notJson = (problem: string): never => refuse('VALUES_NOT_JSON', what, path, problem);
  const measure = (text: string): string => {
    characters += text.length;
    if (characters > limits.bytes) tooLarge();
    if (LONE_SURROGATE.test(text)) notJson('holds half of a surrogate pair, which is no Unicode text; correct it.');
    return text;
  };
  const tooLarge = (): never =>
    overLimit(
      'VALUES_TOO_LARGE',
      `${what} are larger than ${limits.bytes} bytes of JSON; make them smaller.`,
      limits.bytes,
    );

  const copyKey = (key: string): string => {
    if (FORBIDDEN_KEYS.has(key)) {
      const why =
        key === '<<' ? 'is a YAML merge key; write the merged keys out.' : 'is a key that is not allowed; rename it.';
      refuse('VALUES_KEY_FORBIDDEN', what, [...path, key], why);
    }
    if (key === '') refuse('VALUES_KEY_FORBIDDEN', what, path, 'has an empty key; name it.');
    if (key.length > limits.keyLength) {
      refuse('VALUES_KEY_FORBIDDEN', what, path, `has a key of more than ${limits.keyLength} characters; shorten it.`);
    }
    return measure(key);
  };

  const copyMember = (token: PropertyKey, value: unknown): JsonValue => {
    path.push(token);
    const copied = copy(value);
    path.pop();
    return copied;
  };

  const copyContainer = (value: object): JsonValue => {
    if (ancestors.includes(value)) return notJson('contains itself; values are a tree.');
    if (ancestors.length >= limits.depth) {
      const message = `${what} are nested more than ${limits.depth} levels deep; flatten them.`;
      return overLimit('VALUES_TOO_DEEP', message, limits.depth, path);
    }
    ancestors.push(value);
    const copied = Array.isArray(value) ? copyList(value) : copyObject(value);
    ancestors.pop();
    return Object.freeze(copied);
  };

  const copyList = (list: readonly unknown[]): JsonValue[] => {
    const copied: JsonValue[] = [];
    for (let index = 0; index < list.length; index += 1) copied.push(copyMember(index, list[index]));
    return copied;
  };

  const copyObject = (value: object): Record<string, JsonValue> => {
    if (!isPlain(value)) return notJson('is an instance of a class; give a plain object.');
    if (Object.getOwnPropertySymbols(value).length > 0) notJson('has a symbol for a key; keys are strings.');
    const copied: Record<string, JsonValue> = {};
    for (const key of Object.keys(value)) {
      copied[copyKey(key)] = copyMember(key, (value as Record<string, unknown>)[key]);
    }
    return copied;
  };

  const copy = (value: unknown): JsonValue => {
    nodes += 1;
    if (nodes > limits.nodes) {
      const message = `${what} hold more than ${limits.nodes} objects, lists and scalars; make them smaller.`;
      overLimit('VALUES_TOO_LARGE', message, limits.nodes, path);
    }
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return measure(value);
    if (typeof value === 'number') {
      if (!Number.isFinite(value)) return notJson('is not a finite number; quote it or choose another.');
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return notJson('is a whole number past 2^53, which readers round; quote it.');
      }
      return value === 0 ? 0 : value; // -0 has no JSON of its own
    }
    if (typeof value === 'object') return copyContainer(value);
    if (value === undefined) return notJson('is undefined; leave it out or write null.');
    return notJson(`is a ${typeof value}, which JSON does not have.`);
  };

  const copied = copy(input);
  if (new TextEncoder().encode(canonicalJson(copied)).length > limits.bytes) tooLarge();
  return copied;
}

/** Plain objects of this realm and of others (another realm's `Object.prototype` has no prototype either). */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
}
