import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson, isJsonObject, type JsonValue } from '../src/json-value.ts';
import { arbitraryValues, arbitraryValuesLayers } from '../src/testing/arbitraries.ts';
import { explainValues } from '../src/values/explain-values.ts';
import { fromJsonPointer } from '../src/values/json-pointer.ts';
import { assertUnlocked } from '../src/values/locked-values.ts';
import { mergeValues, type ValuesLayer } from '../src/values/merge-values.ts';
import { parseValues } from '../src/values/parse-values.ts';
import type { Values } from '../src/values/values.ts';

const values = arbitraryValues(fc);
const layers = arbitraryValuesLayers(fc);
const RUNS = { numRuns: 300 } as const;

function merge(...parts: Values[]): Values {
  return mergeValues(parts.map((part) => ({ name: 'user', values: part })));
}

/** The rules, said as plainly as they can be. */
function oracle(lower: JsonValue | undefined, upper: JsonValue): JsonValue {
  if (!isJsonObject(upper)) return upper;
  const base = isJsonObject(lower) ? lower : {};
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(upper)) result.set(key, oracle(result.get(key), value));
  return Object.fromEntries(result);
}

function assertFrozen(value: JsonValue): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value)).toBe(true);
  for (const member of Object.values(value)) assertFrozen(member);
}

function containers(value: JsonValue): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(containers)];
}

function reversed(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

function valueAt(value: JsonValue | undefined, tokens: readonly string[]): JsonValue | undefined {
  const [token, ...rest] = tokens;
  if (token === undefined) return value;
  if (Array.isArray(value)) return Object.hasOwn(value, token) ? valueAt(value[Number(token)], rest) : undefined;
  return isJsonObject(value) && Object.hasOwn(value, token) ? valueAt(value[token], rest) : undefined;
}

function states(value: JsonValue | undefined, tokens: readonly string[]): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return true;
  return isJsonObject(value) && Object.hasOwn(value, token) && states(value[token], rest);
}

/** Every place in values, also within lists. */
function pointers(value: JsonValue, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, member]: [string, JsonValue]) =>
    pointers(member, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
  return path === '' ? below : [path, ...below];
}

/** Whether two values are an object and something else at the same place. */
function conflict(a: JsonValue, b: JsonValue): boolean {
  if (isJsonObject(a) !== isJsonObject(b)) return true;
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  return Object.keys(a).some((key) => Object.hasOwn(b, key) && conflict(a[key] as JsonValue, b[key] as JsonValue));
}

describe('mergeValues', () => {
  test('is what the rules say', () => {
    fc.assert(
      fc.property(layers, (given) => {
        const expected = given.reduce<JsonValue>((lower, layer) => oracle(lower, layer.values), {});
        expect(canonicalJson(mergeValues(given))).toBe(canonicalJson(expected));
      }),
      { numRuns: 1000 },
    );
  });

  test('has {} for identity', () => {
    fc.assert(
      fc.property(values, (a) => {
        expect(merge(a)).toEqual(a);
        expect(merge({}, a)).toEqual(a);
        expect(merge(a, {})).toEqual(a);
      }),
      RUNS,
    );
  });

  test('is idempotent, and the last layer stays as it is where no object meets an object', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(merge(a, a)).toEqual(a);
        expect(merge(merge(a, b), b)).toEqual(merge(a, b));
        const merged = merge(a, b);
        for (const [key, value] of Object.entries(b)) if (!isJsonObject(value)) expect(merged[key]).toEqual(value);
      }),
      RUNS,
    );
  });

  test('is associative as long as the same place is an object in all layers or in none', () => {
    let checked = 0;
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        if (conflict(a, b) || conflict(b, c) || conflict(a, c)) return;
        checked += 1;
        expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      }),
      { numRuns: 1000 },
    );
    expect(checked).toBeGreaterThan(100);
  });

  test('is not associative otherwise: it goes from the first layer to the last', () => {
    const [a, b, c] = [{ x: { a: 1 } }, { x: 0 }, { x: { c: 3 } }];
    expect(merge(a, b, c)).toEqual({ x: { c: 3 } });
    expect(merge(a, merge(b, c))).toEqual({ x: { a: 1, c: 3 } });
  });

  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(layers, (given) => {
        const turned = given.map(({ name, values: part }) => ({ name, values: reversed(part) as Values }));
        expect(canonicalJson(mergeValues(turned))).toBe(canonicalJson(mergeValues(given)));
      }),
      RUNS,
    );
  });

  test('returns a frozen tree that shares nothing with its input', () => {
    fc.assert(
      fc.property(layers, (given) => {
        const merged = mergeValues(given);
        assertFrozen(merged);
        const theirs = new Set(given.flatMap((layer) => containers(layer.values)));
        expect(containers(merged).filter((container) => theirs.has(container))).toEqual([]);
        expect(new Set(containers(merged)).size).toBe(containers(merged).length);
      }),
      RUNS,
    );
  });
});

describe('explainValues', () => {
  test('its leaves are the merged values', () => {
    fc.assert(
      fc.property(layers, (given) => {
        const leaves = explainValues(given);
        const rebuilt: Record<string, unknown> = {};
        for (const { pointer, value } of leaves) {
          const tokens = fromJsonPointer(pointer);
          let at = rebuilt;
          for (const token of tokens.slice(0, -1)) {
            if (!Object.hasOwn(at, token)) at[token] = {};
            at = at[token] as Record<string, unknown>;
          }
          Object.defineProperty(at, tokens.at(-1) ?? '', {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        }
        expect(canonicalJson(rebuilt as Values)).toBe(canonicalJson(mergeValues(given)));
        expect(leaves.map(({ pointer }) => pointer)).toEqual(leaves.map(({ pointer }) => pointer).toSorted());
      }),
      RUNS,
    );
  });

  test('the layer it names is the last that has this value there, and those above it state nothing there', () => {
    const named = fc.tuple(values, values, values).map(([template, user, platform]): ValuesLayer[] => [
      { name: 'template', values: template },
      { name: 'user', values: user },
      { name: 'platform', values: platform },
    ]);
    fc.assert(
      fc.property(named, (given) => {
        for (const { pointer, value, layer, overridden } of explainValues(given)) {
          const tokens = fromJsonPointer(pointer);
          const stating = given.filter((one) => states(one.values, tokens)).map(({ name }) => name);
          expect([...overridden, layer]).toEqual(stating);
          expect(valueAt(given.find(({ name }) => name === layer)?.values, tokens)).toEqual(value);
        }
      }),
      RUNS,
    );
  });
});

describe('assertUnlocked', () => {
  test('a user layer that it accepts changes nothing in a locked place', () => {
    let accepted = 0;
    const small = arbitraryValues(fc, { depth: 4, width: 3 });
    const scenario = fc.tuple(small, small, small).chain(([template, user, platform]) => {
      const places = [...pointers(template), ...pointers(user), '/a/b', '/a/0'];
      const locked = fc.array(fc.constantFrom(...places), { maxLength: 3 });
      return fc.record({
        template: fc.constant(template),
        user: fc.constant(user),
        platform: fc.constant(platform),
        locked,
      });
    });
    fc.assert(
      fc.property(scenario, ({ template, user, platform, locked }) => {
        try {
          assertUnlocked(user, locked, platform);
        } catch {
          return;
        }
        if (Object.keys(user).length > 0) accepted += 1;
        const withUser = merge(template, user, platform);
        const without = merge(template, platform);
        const leaves = explainValues([{ name: 'platform', values: platform }]).map(({ pointer }) => pointer);
        for (const pointer of [...locked, ...leaves, '/caelus']) {
          const tokens = fromJsonPointer(pointer);
          expect(valueAt(withUser, tokens), pointer).toEqual(valueAt(without, tokens));
        }
      }),
      { numRuns: 3000 },
    );
    expect(accepted).toBeGreaterThan(300);
  });
});

describe('parseValues', () => {
  test('accepts what the arbitraries make, as it is, from objects and from JSON in any layout', () => {
    fc.assert(
      fc.property(values, fc.constantFrom(undefined, 1, 2, '\t'), fc.constantFrom('\n', '\r\n'), (a, space, end) => {
        expect(parseValues(a)).toEqual(a);
        const text = JSON.stringify(a, null, space).replaceAll('\n', end);
        expect(parseValues(text)).toEqual(a);
        expect(parseValues(`\ufeff${text}${end}`)).toEqual(a);
      }),
      RUNS,
    );
  });
});
