import type fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import type { JsonObject, JsonValue } from '../json-value.ts';
import type { ValuesLayer, ValuesLayerName } from '../values/merge-values.ts';
import type { Values } from '../values/values.ts';

/**
 * fast-check as the test imports it: `import fc from 'fast-check'`. Arbitraries take it as their first argument, so that
 * it need not be installed by those who use the other parts of this entry point.
 */
export type FastCheck = typeof fc;

export interface ArbitraryValuesOptions {
  /** Objects and lists inside each other, at most. Default 6. */
  readonly depth?: number;
  /** Members of one object or items of one list, at most. Default 5. */
  readonly width?: number;
}

/** Keys that charts use, so that layers meet, and keys that readers of YAML, JSON or JavaScript get wrong. */
const KEYS = ['a', 'b', 'c', 'image', 'replicas', 'prometheus.io/scrape'];
const HOSTILE_KEYS = [
  '0',
  '10',
  '-1',
  'toString',
  'hasOwnProperty',
  'yes',
  'null',
  '~',
  'a/b',
  'm~n',
  '#',
  ' ',
  '\u2028',
  '😀',
  'é',
];
const HOSTILE_STRINGS = [
  '',
  'yes',
  'off',
  '017',
  '1_000',
  '0x1F',
  '~',
  '<<',
  '---',
  '- a',
  'a: b',
  '{{ .Values }}',
  '\u0000',
  '\r\n',
  '\t',
  '\u0085\u2028\u2029',
  '\ufeff',
  '!!str x',
  '&a',
  '*a',
  '😀',
];

/** Keys that `parseValues` accepts: usual ones, ones that are easily misread, and any others. */
export function arbitraryValuesKey(check: FastCheck): Arbitrary<string> {
  const any = check
    .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    .filter((key) => !['__proto__', 'constructor', 'prototype', '<<'].includes(key));
  return check.oneof(
    { weight: 6, arbitrary: check.constantFrom(...KEYS) },
    { weight: 2, arbitrary: check.constantFrom(...HOSTILE_KEYS) },
    { weight: 1, arbitrary: any },
  );
}

/** Scalars that JSON carries without loss, and that `parseValues` accepts. */
export function arbitraryScalar(check: FastCheck): Arbitrary<JsonValue> {
  return check.oneof(
    check.constant(null),
    check.boolean(),
    check.maxSafeInteger(),
    check.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    check.string({ unit: 'grapheme' }),
    check.constantFrom(...HOSTILE_STRINGS),
  );
}

/** Values that `parseValues` accepts as they are, nested and with empty objects and lists among them. */
export function arbitraryValues(check: FastCheck, options: ArbitraryValuesOptions = {}): Arbitrary<Values> {
  const { depth = 6, width = 5 } = options;
  const { object } = check.letrec<{ value: JsonValue; object: JsonObject }>((tie) => ({
    value: check.oneof(
      { maxDepth: depth - 1, depthIdentifier: 'values' },
      arbitraryScalar(check),
      tie('object'),
      check.array(tie('value'), { maxLength: width, depthIdentifier: 'values' }),
    ),
    object: check.dictionary(arbitraryValuesKey(check), tie('value'), {
      maxKeys: width,
      depthIdentifier: 'values',
      noNullPrototype: true,
    }),
  }));
  return object;
}

/** Layers in the order of their strength, with names that may come more than once. */
export function arbitraryValuesLayers(
  check: FastCheck,
  options: ArbitraryValuesOptions = {},
): Arbitrary<readonly ValuesLayer[]> {
  const layersOf = (name: ValuesLayerName): Arbitrary<ValuesLayer[]> =>
    check.array(
      arbitraryValues(check, options).map((values) => ({ name, values })),
      { maxLength: 2 },
    );
  return check.tuple(layersOf('template'), layersOf('user'), layersOf('platform')).map((layers) => layers.flat());
}
