import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type ErrorCode, isCaelusError } from '../src/errors.ts';
import type { JsonObject } from '../src/json-value.ts';
import { assertUnlocked } from '../src/values/locked-values.ts';
import { parseValues } from '../src/values/parse-values.ts';
import { VALUES_LIMITS } from '../src/values/values-limits.ts';
import { assertNoSecrets, assertValuesValid, compileValuesSchema } from '../src/values/values-schema.ts';
import { thrown } from './thrown.ts';

const laughs = [
  'a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]',
  ...'bcdefghi'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(', ')}]`),
].join('\n');

/** Two aliases a level, so few aliases, and 2^30 nodes. */
const doubling = [
  'a0: &a0 [x, x]',
  ...Array.from({ length: 29 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
].join('\n');

const refused: readonly (readonly [what: string, code: ErrorCode, text: string, line: number | undefined])[] = (
  [
    ['billion laughs', 'VALUES_ALIAS_LIMIT', laughs],
    ['billion laughs of few aliases', 'VALUES_ALIAS_LIMIT', doubling],
    ['a large text by alias', 'VALUES_TOO_LARGE', `a: &a "${'x'.repeat(60_000)}"\nb: [*a, *a, *a, *a, *a]`],
    ['an alias of itself', 'VALUES_NOT_JSON', 'a: &a [*a]'],
    ['an alias of what it is in', 'VALUES_NOT_JSON', '&a b: {c: *a}'.replace('&a b', 'b: &a\n  x')],
    ['an alias that does not exist', 'VALUES_NOT_YAML', 'a: 1\nb: *a', 2],
    ['an alias before its anchor', 'VALUES_NOT_YAML', 'a: *b\nb: &b 1', 1],
    ['a JavaScript function', 'VALUES_NOT_YAML', 'a: !!js/function "function () {}"', 1],
    ['a Python object', 'VALUES_NOT_YAML', 'a:\n  - !!python/object/apply:os.system ["id"]', 2],
    ['a local tag', 'VALUES_NOT_YAML', 'a: !secret b', 1],
    ['a binary', 'VALUES_NOT_YAML', 'a: !!binary aGVsbG8=', 1],
    ['a set', 'VALUES_NOT_YAML', 'a: !!set {b, c}', 1],
    ['a tag on a list', 'VALUES_NOT_YAML', 'a: !!str [b]', 1],
    ['the tag of nothing in particular', 'VALUES_NOT_YAML', 'a: ! 12', 1],
    ['a merge key', 'VALUES_KEY_FORBIDDEN', 'base: &x {a: 1}\nz:\n  <<: *x'],
    ['a quoted merge key', 'VALUES_KEY_FORBIDDEN', '"<<": {a: 1}'],
    ['two documents', 'VALUES_NOT_YAML', 'a: 1\n---\nb: 2', 2],
    ['an empty second document', 'VALUES_NOT_YAML', 'a: 1\n---\n', 2],
    ['a directive of YAML 1.1', 'VALUES_NOT_YAML', '%YAML 1.1\n---\na: yes', 1],
    ['a tag directive', 'VALUES_NOT_YAML', '%TAG ! tag:example.org,2000:\n---\na: 1', 1],
    ['__proto__', 'VALUES_KEY_FORBIDDEN', 'a: {__proto__: {polluted: true}}'],
    ['__proto__ in JSON', 'VALUES_KEY_FORBIDDEN', '{"__proto__": {"polluted": true}}'],
    ['__proto__ by escapes', 'VALUES_KEY_FORBIDDEN', '{"\\u005f_proto__": 1}'],
    ['constructor', 'VALUES_KEY_FORBIDDEN', 'constructor: {prototype: {polluted: true}}'],
    ['prototype', 'VALUES_KEY_FORBIDDEN', 'prototype: 1'],
    ['an empty key', 'VALUES_KEY_FORBIDDEN', '"": 1'],
    ['a list for a key', 'VALUES_NOT_JSON', '? [complex]\n: key'],
    ['an object for a key', 'VALUES_NOT_JSON', '? {a: 1}\n: key'],
    ['null for a key', 'VALUES_NOT_JSON', '~: 1'],
    ['nothing for a key', 'VALUES_NOT_JSON', ': 1'],
    ['an alias for a key', 'VALUES_NOT_JSON', 'a: &a b\n*a : 1'],
    ['a number for a key that has another text', 'VALUES_AMBIGUOUS_SCALAR', 'a:\n  0x1F: 1', 2],
    ['a float for a key that has another text', 'VALUES_AMBIGUOUS_SCALAR', '1.10: 1', 1],
    ['a boolean for a key that has another text', 'VALUES_AMBIGUOUS_SCALAR', 'True: 1', 1],
    ['on for a key', 'VALUES_AMBIGUOUS_SCALAR', 'a: 1\non: 1', 2],
    ['the same key twice', 'VALUES_DUPLICATE_KEY', 'a: 1\nb:\n  c: 1\n  d: 2\n  c: 3', 5],
    ['the same key twice in JSON', 'VALUES_DUPLICATE_KEY', '{"a": 1,\n"a": 1}', 2],
    ['the same key twice, once quoted', 'VALUES_DUPLICATE_KEY', '1: a\n"1": b', 2],
    ['the same key twice, by escapes', 'VALUES_DUPLICATE_KEY', '{"a": 1, "\\u0061": 2}', 1],
    ['a tab for indentation', 'VALUES_NOT_YAML', 'a:\n\tb: 1', 2],
    ['NUL', 'VALUES_NOT_YAML', 'a: 1\nb: "\0"', 2],
    ['an escape character', 'VALUES_NOT_YAML', 'a: \u001b[31m', 1],
    ['a carriage return alone', 'VALUES_NOT_YAML', 'a: 1\rb: 2', 1],
    ['a lone surrogate', 'VALUES_NOT_YAML', 'a: "\ud800"', 1],
    ['a lone surrogate by escapes', 'VALUES_NOT_JSON', '{"a": "\\udc00"}'],
    ['a line separator in a plain scalar', 'VALUES_AMBIGUOUS_SCALAR', 'a: x\u2028y', 1],
    ['a next line in single quotes', 'VALUES_AMBIGUOUS_SCALAR', "a: 'x\u0085y'", 1],
    ['a paragraph separator in a block', 'VALUES_AMBIGUOUS_SCALAR', 'a: |\n  x\u2029y', 1],
    ['a quote that does not end', 'VALUES_NOT_YAML', 'a: "x', 1],
    ['a bracket that does not end', 'VALUES_NOT_YAML', 'a: [1', 1],
    ['commas', 'VALUES_NOT_YAML', `a: [${','.repeat(100_000)}]`, 1],
    ['infinity', 'VALUES_NOT_JSON', 'a: .inf'],
    ['not a number', 'VALUES_NOT_JSON', 'a: .nan'],
    ['1e400', 'VALUES_NOT_JSON', '{"a": 1e400}'],
    ['1e-400', 'VALUES_NOT_JSON', '{"a": 1e-400}'],
    ['1e300', 'VALUES_NOT_JSON', '{"a": 1e300}'],
    ['2^53', 'VALUES_NOT_JSON', '{"a": 9007199254740992}'],
    ['2^53 + 1', 'VALUES_NOT_JSON', 'a: 9007199254740993'],
    ['-2^53', 'VALUES_NOT_JSON', 'a: -9007199254740992'],
    ['2^53 in hexadecimal', 'VALUES_NOT_JSON', 'a: 0x20000000000000'],
    ['digits that a double loses', 'VALUES_NOT_JSON', 'a: 3.14159265358979323846'],
    ['a hundred digits', 'VALUES_NOT_JSON', `a: 0.${'1'.repeat(100)}`],
    ['many zeros', 'VALUES_NOT_JSON', `a: 1${'0'.repeat(200_000)}1`],
    ['a scalar', 'VALUES_NOT_JSON', 'hello'],
    ['a list', 'VALUES_NOT_JSON', '- a'],
    ['100,000 brackets', 'VALUES_TOO_DEEP', '['.repeat(100_000)],
    ['100,000 brackets, closed', 'VALUES_TOO_DEEP', `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['100,000 braces', 'VALUES_TOO_DEEP', '{a: '.repeat(50_000)],
    ['100,000 dashes', 'VALUES_TOO_DEEP', '- '.repeat(100_000)],
    ['100,000 dashes and an end', 'VALUES_TOO_DEEP', `${'- '.repeat(100_000)}\nx`],
    ['100,000 question marks', 'VALUES_TOO_DEEP', '? '.repeat(100_000)],
    ['100,000 colons', 'VALUES_TOO_DEEP', ': '.repeat(100_000)],
    ['nested pairs', 'VALUES_TOO_DEEP', `a: ${'[b: '.repeat(25)}${']'.repeat(25)}`],
    [
      'an alias that reaches too deep',
      'VALUES_TOO_DEEP',
      `a: &a ${'['.repeat(20)}${']'.repeat(20)}\nb: ${'['.repeat(20)}*a${']'.repeat(20)}`,
    ],
  ] as readonly (readonly [what: string, code: ErrorCode, text: string, line?: number])[]
).map(([what, code, text, line]) => [what, code, text, line] as const);

describe('hostile text', () => {
  test.each(refused)('%s is %s', (_what, code, text, line) => {
    const { details } = thrown(code, () => parseValues(text));
    if (line !== undefined) expect(details).toEqual({ line });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test.each([
    ['y', 'Y', 'yes', 'Yes', 'YES', 'n', 'N', 'no', 'No', 'NO', 'on', 'On', 'ON', 'off', 'Off', 'OFF'],
    [
      '017',
      '-017',
      '+017',
      '00',
      '08',
      '0b1',
      '-0b1',
      '+0b101',
      '0B1',
      '0o17',
      '-0o17',
      '0O17',
      '0X1f',
      '-0x1F',
      '+0x1',
    ],
    ['1_000', '1_000.5', '-1_0', '+1_0', '.5_0', '0x_1F', '0b_1', '1_', '1_0e3'],
  ])('%s and the like must be quoted', (...scalars) => {
    for (const scalar of scalars) {
      expect(thrown('VALUES_AMBIGUOUS_SCALAR', () => parseValues(`a: 1\nb: ${scalar}`)).details).toEqual({ line: 2 });
      thrown('VALUES_AMBIGUOUS_SCALAR', () => parseValues(`[${scalar}]`));
      for (const quoted of [`"${scalar}"`, `'${scalar}'`, `!!str ${scalar}`, `|-\n  ${scalar}`]) {
        expect(parseValues(`b: ${quoted}`)).toEqual({ b: scalar });
      }
    }
  });

  test('scalars that both versions read alike are accepted', () => {
    const text = `
      [true, True, TRUE, false, "yes", 0, -0, 1, -12, +3, 0x1F, 1.5, .5, 1., 1e3, 1.5E-7, 1.0, 0.10, ~, null, Null, NULL, ,
       ye, yess, On1, _1, 1_a, 12:30, 2001-01-01, 0b2, 0o8, 0x, 1.2.3, 10Gi, 9007199254740991, 0.1, 5e-324, "017"]
    `.replace(', ,', ',');
    expect(parseValues(`a: ${text.trim()}`).a).toEqual([
      ...[
        true,
        true,
        true,
        false,
        'yes',
        0,
        0,
        1,
        -12,
        3,
        31,
        1.5,
        0.5,
        1,
        1000,
        1.5e-7,
        1,
        0.1,
        null,
        null,
        null,
        null,
      ],
      ...['ye', 'yess', 'On1', '_1', '1_a', '12:30', '2001-01-01', '0b2', '0o8', '0x', '1.2.3', '10Gi'],
      ...[9007199254740991, 0.1, 5e-324, '017'],
    ]);
  });
});

describe('text', () => {
  test.each([
    ['nothing', '', {}],
    ['white space', ' \n\t', {}],
    ['a comment', '# nothing\n', {}],
    ['null', 'null', {}],
    ['a byte order mark', '\ufeffa: 1', { a: 1 }],
    ['CRLF', 'a: 1\r\nb: |\r\n  x\r\n  y\r\n', { a: 1, b: 'x\ny\n' }],
    ['one document with its marks', '---\na: 1\n...\n', { a: 1 }],
    ['JSON indented by tabs', '{\n\t"a": {\n\t\t"b": [\n\t\t\t1\n\t\t]\n\t}\n}', { a: { b: [1] } }],
    ['JSON escapes', '{"a": "\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000"}', { a: '"\\/\b\f\n\r\té😀\0' }],
    ['separators in double quotes', '{"a": "\u0085\u2028\u2029\u007f"}', { a: '\u0085\u2028\u2029\u007f' }],
    ['a key before a line break', '{"a"\n:\n1}', { a: 1 }],
    ['anchors and aliases', 'a: &a {x: [1]}\nb: *a\nc: [*a]', { a: { x: [1] }, b: { x: [1] }, c: [{ x: [1] }] }],
    ['an anchor given again', 'a: &a 1\nb: *a\nc: &a 2\nd: *a', { a: 1, b: 1, c: 2, d: 2 }],
    ['an anchor on a key', '&k a: 1\nb: *k', { a: 1, b: 'a' }],
    [
      'keys that are numbers or booleans',
      '8080: a\n-1: b\n1.5: c\ntrue: d',
      { '8080': 'a', '-1': 'b', '1.5': 'c', true: 'd' },
    ],
    [
      'payloads in quotes',
      `a: ["!!js/function x", "&a *a", "<<: *x", "---", "{{ .Values }}"]`,
      { a: ['!!js/function x', '&a *a', '<<: *x', '---', '{{ .Values }}'] },
    ],
    ['folded and literal blocks', 'a: >-\n  x\n  y\nb: |+\n  z\n\n', { a: 'x y', b: 'z\n\n' }],
  ])('with %s is read', (_what, text, expected) => {
    expect(parseValues(text)).toEqual(expected);
  });

  test('what an alias repeats is copied, so that the result is a tree', () => {
    const { a, b } = parseValues('a: &a {x: 1}\nb: *a');
    expect(a).toEqual(b);
    expect(a).not.toBe(b);
  });
});

describe('limits', () => {
  const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const block = (depth: number): string =>
    `${Array.from({ length: depth }, (_, i) => `${' '.repeat(i)}a:`).join('\n')} 1`;
  const dashes = (depth: number): string => `a:\n${'- '.repeat(depth - 1)} 1`;

  test.each([
    ['flow', nested],
    ['block', block],
    ['compact lists', dashes],
  ])('depth, in %s', (_style, text) => {
    for (const depth of [1, 7, 31, 32]) expect(() => parseValues(text(depth))).not.toThrow();
    expect(thrown('VALUES_TOO_DEEP', () => parseValues(text(33))).details).toMatchObject({ limit: 32 });
    expect(() => parseValues(text(128), { limits: { depth: 128 } })).not.toThrow();
    thrown('VALUES_TOO_DEEP', () => parseValues(text(129), { limits: { depth: 128 } }));
  });

  test('depth, of objects, tells where', () => {
    expect(() => parseValues(JSON.parse(nested(32)))).not.toThrow();
    const { details } = thrown('VALUES_TOO_DEEP', () => parseValues(JSON.parse(nested(33))));
    expect(details).toEqual({ limit: 32, path: '/a'.repeat(32) });
    const deep: unknown[] = [];
    let innermost = deep;
    for (let level = 0; level < 100_000; level += 1) {
      const next: unknown[] = [];
      innermost.push(next);
      innermost = next;
    }
    thrown('VALUES_TOO_DEEP', () => parseValues({ a: deep }));
  });

  test('nodes', () => {
    const list = (nodes: number): unknown => ({ a: Array(nodes - 2).fill(0) });
    for (const input of [list, (nodes: number) => JSON.stringify(list(nodes))]) {
      expect(() => parseValues(input(19_999))).not.toThrow();
      expect(() => parseValues(input(20_000))).not.toThrow();
      expect(thrown('VALUES_TOO_LARGE', () => parseValues(input(20_001))).details).toEqual({
        limit: 20_000,
        path: '/a/19998',
      });
    }
  });

  test('bytes, in UTF-8 and with JSON escapes', () => {
    const frame = '{"a":""}'.length;
    for (const [unit, bytes] of [
      ['x', 1],
      ['é', 2],
      ['😀', 4],
      ['\n', 2],
      ['\u0001', 6],
    ] as const) {
      const most = Math.floor((VALUES_LIMITS.bytes - frame) / bytes);
      expect(() => parseValues({ a: unit.repeat(most) })).not.toThrow();
      expect(thrown('VALUES_TOO_LARGE', () => parseValues({ a: unit.repeat(most + 1) })).details).toEqual({
        limit: 262_144,
      });
    }
  });

  test('bytes of the text', () => {
    const padded = (bytes: number): string => `a: é # ${'x'.repeat(bytes - 8)}`;
    expect(parseValues(padded(VALUES_LIMITS.textBytes))).toEqual({ a: 'é' });
    expect(thrown('VALUES_TOO_LARGE', () => parseValues(padded(VALUES_LIMITS.textBytes + 1))).details).toEqual({
      limit: 262_144,
    });
  });

  test('key length', () => {
    expect(() => parseValues({ ['k'.repeat(317)]: 1 })).not.toThrow();
    const { details } = thrown('VALUES_KEY_FORBIDDEN', () => parseValues({ a: { ['k'.repeat(318)]: 1 } }));
    expect(details.issues).toEqual([{ path: '/a', message: 'It has a key of more than 317 characters; shorten it.' }]);
  });

  test('aliases', () => {
    const text = (aliases: number): string => `a: &a 1\nb: [${Array(aliases).fill('*a').join(', ')}]`;
    expect(() => parseValues(text(64))).not.toThrow();
    expect(thrown('VALUES_ALIAS_LIMIT', () => parseValues(text(65))).details).toEqual({ limit: 64, path: '/b/64' });
  });

  test('what aliases expand to', () => {
    // a: list of 98; b: 64 aliases of it. Root, a's list and items, b's list, and the copies.
    const text = (extra: number): string =>
      `a: &a [${Array(98).fill('0').join(',')}]\nb: [${Array(64).fill('*a').join(', ')}]\nc: [${Array(extra).fill('0').join(',')}]`;
    const limits = { nodes: 1 + 99 + 1 + 64 * 99 + 1 + 5 };
    expect(() => parseValues(text(5), { limits })).not.toThrow();
    thrown('VALUES_TOO_LARGE', () => parseValues(text(6), { limits }));
    thrown('VALUES_ALIAS_LIMIT', () => parseValues(text(0), { limits: { nodes: 101 + 64 * 99 - 1 } }));
  });

  test.each([
    { depth: 0 },
    { depth: 129 },
    { bytes: -1 },
    { nodes: 1.5 },
    { aliases: Number.NaN },
    { textBytes: Infinity },
  ])('limits of %o are refused', (limits) => {
    thrown('INVALID_INPUT', () => parseValues({}, { limits }));
  });
});

describe('objects', () => {
  class Service {
    readonly port = 80;
  }
  const cyclic: Record<string, unknown> = {};
  cyclic.self = { again: [cyclic] };
  const sparse = [1, 2, 3];
  delete sparse[1];

  test.each([
    ['a class instance', new Service(), '/a'],
    ['a date', new Date(0), '/a'],
    ['a map', new Map(), '/a'],
    ['a set', new Set(), '/a'],
    ['bytes', new Uint8Array(1), '/a'],
    ['a boxed string', new String('x'), '/a'],
    ['an error', new Error('x'), '/a'],
    ['a promise', Promise.resolve(), '/a'],
    ['a function', () => 1, '/a'],
    ['a symbol', Symbol('x'), '/a'],
    ['a bigint', 1n, '/a'],
    ['undefined', undefined, '/a'],
    ['undefined in a list', [1, undefined], '/a/1'],
    ['a sparse list', sparse, '/a/1'],
    ['a list of a billion holes', new Array(1e9), '/a/0'],
    ['NaN', Number.NaN, '/a'],
    ['infinity', [Number.NEGATIVE_INFINITY], '/a/0'],
    ['2^53', 2 ** 53, '/a'],
    ['a lone surrogate', 'x\udfff', '/a'],
    ['a lone surrogate in a key', { 'x\ud800': 1 }, '/a'],
    ['a symbol for a key', { [Symbol('x')]: 1 }, '/a'],
    ['a cycle', cyclic, '/a/self/again/0'],
    ['a member with toJSON', { toJSON: () => ({}) }, '/a/toJSON'],
  ])('with %s are refused', (_what, value, path) => {
    const { details } = thrown('VALUES_NOT_JSON', () => parseValues({ a: value }));
    expect(details.issues.map((issue) => issue.path)).toEqual([path]);
  });

  test.each([[[]], [1], [true], [new Map()], [() => 1], [new Uint8Array(2)]])('%o is no set of values', (input) => {
    const { details } = thrown('VALUES_NOT_JSON', () => parseValues(input));
    expect(details.issues.map(({ path }) => path)).toEqual(['']);
  });

  test.each([null, undefined, {}, Object.create(null)])('%o is {}', (input) => {
    expect(parseValues(input)).toEqual({});
  });

  test('an own __proto__ is refused and sets nothing', () => {
    thrown('VALUES_KEY_FORBIDDEN', () => parseValues(JSON.parse('{"a": {"__proto__": {"polluted": 1}}}')));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  test('each property is read once, and what was read is what is kept', () => {
    let reads = 0;
    const input = {
      get port() {
        reads += 1;
        return reads === 1 ? 80 : new Date();
      },
    };
    expect(parseValues(input)).toEqual({ port: 80 });
    expect(reads).toBe(1);
  });

  test('the same object in two places is no cycle, and is copied', () => {
    const shared = { x: 1 };
    const { a, b } = parseValues({ a: shared, b: [shared] });
    shared.x = 2;
    expect([a, b]).toEqual([{ x: 1 }, [{ x: 1 }]]);
    expect(Object.isFrozen(a) && Object.isFrozen(b)).toBe(true);
  });

  test('-0 is 0', () => {
    expect(Object.is(parseValues({ a: -0 }).a, 0)).toBe(true);
    expect(Object.is(parseValues('a: -0.0').a, 0)).toBe(true);
  });

  test('objects of another realm are plain', async () => {
    const { runInNewContext } = await import('node:vm');
    expect(parseValues(runInNewContext('({ a: [{ b: 1 }] })'))).toEqual({ a: [{ b: 1 }] });
  });
});

describe('no error carries what users wrote', () => {
  const CANARY = 'c4n4ry-hunter2';
  const schema = compileValuesSchema({
    type: 'object',
    additionalProperties: false,
    properties: {
      type: { type: 'integer' },
      enum: { enum: ['a', 'b'] },
      const: { const: 'a' },
      pattern: { type: 'string', pattern: '^[0-9]+$' },
      length: { type: 'string', maxLength: 3, minLength: 100 },
      any: { anyOf: [{ type: 'integer' }, { const: 1 }] },
      one: { oneOf: [{ type: 'string' }, { minLength: 1 }] },
      not: { not: { type: 'string' } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword's name
      when: { if: { type: 'string' }, then: { type: 'integer' } },
      unique: { uniqueItems: true },
      contains: { contains: { type: 'integer' } },
      names: { propertyNames: { maxLength: 1 } },
      never: false,
      secret: { writeOnly: true },
    },
  });
  const invalid: JsonObject[] = [
    ...['type', 'enum', 'const', 'pattern', 'length', 'any', 'one', 'not', 'when', 'never', 'unknown'].map((key) => ({
      [key]: CANARY,
    })),
    { unique: [CANARY, CANARY] },
    { contains: [CANARY] },
    { names: { long: CANARY } },
  ];
  const runs: readonly (readonly [string, () => unknown])[] = [
    ...refused.map(([what, , text]) => [`text with ${what}`, () => parseValues(`x: "${CANARY}"\n${text}`)] as const),
    ...[
      `a: [${CANARY}`,
      `a: "${CANARY}`,
      `a: !${CANARY} 1`,
      `a: *${CANARY}`,
      `${CANARY}`,
      `a: ${CANARY}: ${CANARY}`,
      `{"a": ${CANARY}`,
      `%${CANARY}\n---\na: 1`,
      `\t${CANARY}: x\n y`,
      `a: "\\q${CANARY}"`,
      `a: ${CANARY}\0`,
      `a: '${CANARY}\u2028'`,
      `? [${CANARY}]\n: 1`,
    ].map((text) => [JSON.stringify(text), () => parseValues(text)] as const),
    ...[
      Symbol(CANARY),
      new Error(CANARY),
      new String(CANARY),
      () => CANARY,
      `${CANARY}\ud800`,
      [CANARY, undefined],
    ].map((value) => [`an object with ${typeof value}`, () => parseValues({ a: value })] as const),
    ['too large', () => parseValues({ a: CANARY.repeat(30_000) })],
    ['locked', () => assertUnlocked({ caelus: CANARY, a: CANARY, b: [CANARY] }, ['/a/x', '/b'], {})],
    ['secret', () => assertNoSecrets(schema, { secret: CANARY })],
    ...invalid.flatMap((values) => {
      const key = Object.keys(values).join();
      const layers =
        key === 'unknown'
          ? (['user'] as const)
          : key === 'not' || key === 'when' || key === 'one'
            ? (['merged'] as const)
            : (['user', 'merged'] as const);
      if (key === 'never') return [[`user: ${key}`, () => assertValuesValid(schema, values, 'user')] as const];
      return layers.map((layer) => [`${layer}: ${key}`, () => assertValuesValid(schema, values, layer)] as const);
    }),
  ];

  test.each(runs)('%s', (_what, run) => {
    let error: unknown;
    try {
      run();
    } catch (caught) {
      error = caught;
    }
    if (!isCaelusError(error)) throw new Error('Nothing, or no CaelusError, was thrown.');
    const { stack: _stack, ...own } = { ...error, stack: undefined };
    const shown = [
      error.message,
      JSON.stringify(own),
      inspect({ ...error, cause: error.cause, message: error.message }, { depth: Infinity, showHidden: true }),
      error.stack?.replaceAll(/\n\s+at .*/g, ''),
    ].join('\n');
    expect(shown).not.toContain(CANARY);
    expect(shown).not.toContain('hunter2');
    expect(error.cause).toBeUndefined();
  });
});
