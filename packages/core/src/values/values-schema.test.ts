import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCaelusError } from '../errors.ts';
import type { JsonObject } from '../json-value.ts';
import { arbitraryValues } from '../testing/arbitraries.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Values } from './values.ts';
import { assertNoSecrets, assertValuesValid, compileValuesSchema } from './values-schema.ts';

const DRAFT_07 = 'http://json-schema.org/draft-07/schema#';

function violations(schema: JsonObject, values: Values, layer: 'user' | 'merged' = 'merged'): string[] {
  return compileValuesSchema(schema)
    .validate(values, layer)
    .map(({ path, keyword, message }) => `${path} ${keyword}: ${message}`);
}

function issuesOf(run: () => unknown): readonly { path: string; message: string }[] {
  try {
    run();
  } catch (error) {
    if (isCaelusError(error, 'VALUES_SCHEMA_INVALID')) return error.details.issues;
    throw error;
  }
  throw new Error('The schema was accepted.');
}

describe('compileValuesSchema', () => {
  test('null accepts anything and finds no secret', () => {
    const any = compileValuesSchema(null);
    expect(any.validate({ a: 1 }, 'user')).toEqual([]);
    expect(any.validate({ a: 1 }, 'merged')).toEqual([]);
    expect(any.secretPointers({ a: 1 })).toEqual([]);
    expect(() => assertValuesValid(any, {}, 'user')).not.toThrow();
  });

  test('lists every violation, with pointer, keyword and message', () => {
    const schema: JsonObject = {
      required: ['host'],
      properties: {
        replicas: { type: 'integer', minimum: 1 },
        size: { enum: ['s', 'm'] },
        mode: { const: { a: [1] } },
        name: { pattern: '^[a-z]+$' },
        list: { items: { type: 'string' } },
        'a/b~c': { type: 'null' },
      },
    };
    expect(violations(schema, { replicas: 0.5, size: 'l', mode: 1, name: 'A', list: ['x', 1, 2], 'a/b~c': 1 })).toEqual(
      [
        " required: must have required property 'host'",
        '/a~1b~0c type: must be null',
        '/list/1 type: must be string',
        '/list/2 type: must be string',
        '/mode const: must be {"a":[1]}',
        '/name pattern: must match pattern "^[a-z]+$"',
        '/replicas type: must be integer',
        '/replicas minimum: must be >= 1',
        '/size enum: must be one of "s", "m"',
      ],
    );
  });

  test('does not print long lists of allowed values, or long patterns', () => {
    const long = 'x'.repeat(201);
    const schema = { properties: { a: { enum: [long] }, b: { const: long }, c: { pattern: long } } };
    expect(violations(schema, { a: 1, b: 1, c: 'y' })).toEqual([
      '/a enum: must be equal to one of the allowed values',
      '/b const: must be equal to constant',
      '/c pattern: must match the pattern of the schema',
    ]);
  });

  test('reads 2020-12 unless $schema says draft-07', () => {
    const tuple = { properties: { a: { items: [{ type: 'string' }], additionalItems: false } } };
    expect(violations({ $schema: DRAFT_07, ...tuple }, { a: [1, 2] })).toHaveLength(2);
    expect(issuesOf(() => compileValuesSchema(tuple)).map(({ path }) => path)).toContain('/properties/a/items');
    const prefix = { properties: { a: { prefixItems: [{ type: 'string' }], items: false } } };
    for (const $schema of [
      'https://json-schema.org/draft/2020-12/schema',
      'https://json-schema.org/draft/2020-12/schema#',
    ]) {
      expect(violations({ $schema, ...prefix }, { a: [1, 2] })).toHaveLength(2);
    }
    for (const $schema of ['http://json-schema.org/draft-04/schema#', 'https://example.org/mine', 7]) {
      expect(issuesOf(() => compileValuesSchema({ $schema })).map(({ path }) => path)).toEqual(['/$schema']);
    }
  });

  test.each<[string, JsonObject, string[]]>([
    ['a wrong type', { properties: { a: { minimum: 'x' } } }, ['/properties/a/minimum']],
    ['a remote reference', { properties: { a: { $ref: 'https://example.org/schema' } } }, ['/properties/a/$ref']],
    ['a reference to nothing', { $ref: '#/$defs/nothing' }, ['/$ref']],
    ['a pattern that is none', { properties: { a: { pattern: '(' } } }, ['/properties/a/pattern']],
    ['a key pattern that is none', { patternProperties: { 'a[': true } }, ['/patternProperties/a[']],
    ['a dynamic reference', { properties: { a: { $dynamicRef: '#s' } } }, ['/properties/a/$dynamicRef']],
    ['asynchrony', { $async: true }, ['/$async']],
    ['a reference to itself', { $ref: '#' }, ['']],
    ['itself in a branch', { anyOf: [{ type: 'string' }, { $ref: '#' }] }, ['']],
    ['itself by two steps', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, ['']],
  ])('refuses %s', (_what, schema, paths) => {
    expect(issuesOf(() => compileValuesSchema(schema)).map(({ path }) => path)).toEqual(paths);
  });

  test('refuses a schema past its limits, with the codes of values', () => {
    const nested = (depth: number): JsonObject => (depth === 1 ? {} : { not: nested(depth - 1) });
    expect(() => compileValuesSchema(nested(96))).not.toThrow();
    expect(() => compileValuesSchema(nested(97))).toThrow(expect.objectContaining({ code: 'VALUES_TOO_DEEP' }));
    expect(() => compileValuesSchema({ description: 'x'.repeat(1_048_576) })).toThrow(
      expect.objectContaining({ code: 'VALUES_TOO_LARGE' }),
    );
  });

  test('schemas do not see each other, whatever their $id', () => {
    const id = 'https://example.org/values';
    const inner = { $id: 'https://example.org/inner', type: 'string' };
    expect(violations({ $id: id, properties: { a: inner, b: { $ref: 'inner' } } }, { b: 1 })).toEqual([
      '/b type: must be string',
    ]);
    expect(violations({ $id: id, properties: { b: { type: 'null' } } }, { b: 1 })).toEqual(['/b type: must be null']);
    expect(issuesOf(() => compileValuesSchema({ properties: { a: { $ref: inner.$id } } }))).toHaveLength(1);
  });

  test('neither fills in defaults, nor converts, nor asserts formats', () => {
    const values: Values = Object.freeze({ n: '1', mail: 'no mail' });
    const schema = { properties: { d: { default: 1 }, n: { type: 'integer' }, mail: { format: 'email' } } };
    expect(violations(schema, values)).toEqual(['/n type: must be integer']);
    expect(values).toEqual({ n: '1', mail: 'no mail' });
  });

  test('compiles an equal schema once, whatever the order of its keys', () => {
    const one = compileValuesSchema({ type: 'object', properties: { a: { type: 'string' } } });
    expect(compileValuesSchema({ properties: { a: { type: 'string' } }, type: 'object' })).toBe(one);
    for (let index = 0; index < 64; index += 1)
      compileValuesSchema({ properties: { [`k${index}`]: { type: 'string' } } });
    expect(compileValuesSchema({ type: 'object', properties: { a: { type: 'string' } } })).not.toBe(one);
  });

  test('agrees with plain Ajv where nothing is layered', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'integer' },
        b: { type: ['string', 'null'] },
        c: { maxItems: 2 },
        image: { type: 'object' },
      },
      maxProperties: 4,
    };
    const plain = new Ajv2020({ strict: false }).compile(schema);
    const ours = compileValuesSchema(schema);
    fc.assert(
      fc.property(arbitraryValues(fc), (values) => {
        expect(ours.validate(values, 'merged').length === 0).toBe(plain(values));
        expect(ours.validate(values, 'user').length === 0).toBe(plain(values));
      }),
      { numRuns: 300 },
    );
  });
});

describe('layers', () => {
  const schema: JsonObject = {
    type: 'object',
    additionalProperties: false,
    required: ['host', 'size'],
    minProperties: 2,
    dependentRequired: { tls: ['host'] },
    properties: {
      host: { type: 'string' },
      size: { type: 'integer', maximum: 3 },
      tls: { type: 'boolean' },
      image: false,
      auth: {
        oneOf: [
          { additionalProperties: false, properties: { password: { type: 'string' } } },
          { additionalProperties: false, properties: { token: { type: 'string' } } },
        ],
      },
      mode: { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      cache: { not: { required: ['off', 'on'] }, properties: { off: {}, on: {} } },
    },
  };

  test.each<[string, Values]>([
    ['nothing', {}],
    ['what needs a default beside it', { tls: true }],
    ['part of what an anyOf asks for', { mode: { c: 1 } }],
    ['one branch of a oneOf', { auth: { token: 'x' } }],
    ['nothing of a oneOf', { auth: {} }],
    ['what a default may have to undo', { cache: { off: 1, on: 1 } }],
  ])('a user may set %s', (_what, values) => {
    expect(violations(schema, values, 'user')).toEqual([]);
  });

  test('a user may not set what the schema does not know, or forbids, or with the wrong type', () => {
    expect(
      violations(schema, { size: 4, tls: 1, image: {}, caelus: {}, auth: { key: 'x' }, mode: { a: 1 } }, 'user'),
    ).toEqual([
      '/auth/key additionalProperties: must not be set: the schema has no such key',
      '/caelus additionalProperties: must not be set: the schema has no such key',
      '/image additionalProperties: must not be set: the schema has no such key',
      '/size maximum: must be <= 3',
      '/tls type: must be boolean',
    ]);
  });

  test('the merged values are held to the whole schema', () => {
    expect(
      violations(schema, { size: 4, mode: {}, auth: { password: 'x', token: 'y' }, cache: { off: 1, on: 1 } }),
    ).toEqual([
      " required: must have required property 'host'",
      '/auth oneOf: must match exactly one schema in oneOf',
      '/auth/password additionalProperties: must not be set: the schema has no such key',
      '/auth/token additionalProperties: must not be set: the schema has no such key',
      '/cache not: must NOT be valid',
      "/mode required: must have required property 'a'",
      "/mode required: must have required property 'b'",
      '/mode anyOf: must match a schema in anyOf',
      '/size maximum: must be <= 3',
    ]);
  });

  test('keys of the template and of the platform do not make the merged values invalid', () => {
    const merged: Values = {
      host: 'h',
      size: 1,
      image: { tag: '1' },
      caelus: { plan: {} },
      auth: { password: 'x', internal: 1 },
    };
    expect(violations(schema, merged)).toEqual([]);
  });

  test.each<[string, JsonObject]>([
    ['unevaluatedProperties', { unevaluatedProperties: false, allOf: [{ properties: { a: true } }] }],
    ['a reference', { $ref: '#/$defs/s', $defs: { s: { properties: { a: true }, additionalProperties: false } } }],
    ['patterns', { patternProperties: { '^a$': true }, additionalProperties: false }],
    ['a pattern that forbids', { patternProperties: { '^b': false } }],
    ['draft-07', { $schema: DRAFT_07, properties: { a: true }, additionalProperties: false }],
  ])('closed by %s', (_what, closed) => {
    expect(violations(closed, { a: 1, b: 2 }, 'user').map((text) => text.split(' ')[0])).toEqual(['/b']);
    expect(violations(closed, { a: 1, b: 2 }, 'merged')).toEqual([]);
    expect(violations(closed, { a: 1 }, 'user')).toEqual([]);
  });

  test('conditions hold for the merged values only, and what they describe is known', () => {
    const conditional: JsonObject = {
      properties: { kind: { enum: ['a', 'b'] } },
      if: { properties: { kind: { const: 'a' } } },
      // biome-ignore lint/suspicious/noThenProperty: the keyword's name
      then: { properties: { a: { type: 'integer' } }, required: ['a'] },
      else: { properties: { b: { type: 'integer' } } },
      unevaluatedProperties: false,
    };
    expect(violations(conditional, { b: 1 }, 'user')).toEqual([]);
    expect(violations(conditional, { c: 1 }, 'user')).toHaveLength(1);
    expect(violations(conditional, { kind: 'b', b: 1, c: 1 }, 'merged')).toEqual([]);
    expect(violations(conditional, { kind: 'a' }, 'merged')).not.toEqual([]);
  });

  test('items of lists are the user’s alone, and are closed too', () => {
    const list: JsonObject = { properties: { l: { items: { properties: { x: {} }, additionalProperties: false } } } };
    expect(violations(list, { l: [{ x: 1 }, { y: 1 }] }, 'user').map((text) => text.split(' ')[0])).toEqual(['/l/1/y']);
  });

  test('assertValuesValid lists all of them and says whose they are', () => {
    const compiled = compileValuesSchema({ additionalProperties: { type: 'string' } });
    const values = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`k${index}`, index]));
    for (const layer of ['user', 'merged'] as const) {
      try {
        assertValuesValid(compiled, values, layer);
        expect.unreachable();
      } catch (error) {
        if (!isCaelusError(error, 'VALUES_INVALID')) throw error;
        expect(error.details.layer).toBe(layer);
        expect(error.details.violations).toHaveLength(12);
        expect(error.message).toContain('and 2 more');
      }
    }
  });

  test('a schema that meets itself without end in some values is the schema’s fault', () => {
    const schema = { properties: { a: { anyOf: [{ type: 'null' }, { $ref: '#/properties/a' }] } } };
    expect(issuesOf(() => compileValuesSchema(schema).validate({ a: 1 }, 'merged')).map(({ path }) => path)).toEqual([
      '',
    ]);
  });
});

describe('secrets', () => {
  const secret = { type: 'string', writeOnly: true };
  test.each<[string, JsonObject, Values, string[]]>([
    ['properties', { properties: { a: secret } }, { a: 'x', b: 'x' }, ['/a']],
    ['references', { properties: { a: { $ref: '#/$defs/s' } }, $defs: { s: secret } }, { a: 'x' }, ['/a']],
    [
      'a reference with siblings',
      { properties: { a: { $ref: '#/$defs/s', writeOnly: true } }, $defs: { s: {} } },
      { a: 1 },
      ['/a'],
    ],
    ['anchors', { properties: { a: { $ref: '#s' } }, $defs: { s: { $anchor: 's', ...secret } } }, { a: 'x' }, ['/a']],
    ['allOf', { allOf: [{ properties: { a: secret } }] }, { a: 'x' }, ['/a']],
    ['the second branch of anyOf', { anyOf: [{}, { properties: { a: secret } }] }, { a: 'x' }, ['/a']],
    [
      'a branch of oneOf that does not fit',
      { oneOf: [{}, { required: ['z'], properties: { a: secret } }] },
      { a: 'x' },
      ['/a'],
    ],
    [
      'if, then and else',
      // biome-ignore lint/suspicious/noThenProperty: the keyword's name
      { if: { properties: { a: secret } }, then: { properties: { b: secret } }, else: { properties: { c: secret } } },
      { a: 'x', b: 'x', c: 'x' },
      ['/a', '/b', '/c'],
    ],
    ['patternProperties', { patternProperties: { '^s': secret } }, { s1: 'x', t: 'x' }, ['/s1']],
    ['additionalProperties', { properties: { a: {} }, additionalProperties: secret }, { a: 'x', b: 'x' }, ['/b']],
    ['unevaluatedProperties', { properties: { a: {} }, unevaluatedProperties: secret }, { a: 'x', b: 'x' }, ['/b']],
    ['dependentSchemas', { dependentSchemas: { a: { properties: { b: secret } } } }, { a: 1, b: 'x' }, ['/b']],
    [
      'items',
      { properties: { l: { items: { properties: { k: secret } } } } },
      { l: [{ k: 'x' }, {}, { k: 'y' }] },
      ['/l/0/k', '/l/2/k'],
    ],
    ['prefixItems', { properties: { l: { prefixItems: [{}, secret] } } }, { l: ['x', 'y', 'z'] }, ['/l/1']],
    ['contains', { properties: { l: { contains: secret } } }, { l: ['x'] }, ['/l/0']],
    [
      'draft-07 items',
      { $schema: DRAFT_07, properties: { l: { items: [{}, secret], additionalItems: secret } } },
      { l: ['x', 'y', 'z'] },
      ['/l/1', '/l/2'],
    ],
    [
      'draft-07 dependencies',
      { $schema: DRAFT_07, dependencies: { a: { properties: { b: secret } } } },
      { a: 1, b: 'x' },
      ['/b'],
    ],
    [
      'a schema that nests',
      { properties: { a: secret, more: { $ref: '#' } } },
      { more: { more: { a: 'x' } } },
      ['/more/more/a'],
    ],
    ['a wrong type', { properties: { a: secret } }, { a: { deep: 1 } }, ['/a']],
    ['keys with escapes', { properties: { 'a/b~': secret } }, { 'a/b~': 'x' }, ['/a~1b~0']],
    ['no place in a not', { not: { properties: { a: secret } } }, { a: 'x' }, []],
    ['no place that holds nothing', { additionalProperties: secret }, { a: '', b: null }, []],
    [
      'no place where writeOnly is false, or a key',
      { properties: { a: { writeOnly: false }, writeOnly: {} } },
      { a: 'x', writeOnly: true },
      [],
    ],
    [
      'data named like schemas',
      { properties: { properties: secret, enum: secret } },
      { properties: 'x', enum: 'x' },
      ['/enum', '/properties'],
    ],
    ['no place where it is data', { properties: { a: { enum: [{ writeOnly: true }] } } }, { a: 'x' }, []],
  ])('are found through %s', (_what, schema, values, pointers) => {
    const compiled = compileValuesSchema(schema);
    expect(compiled.secretPointers(values)).toEqual(pointers);
    let refused: readonly string[] = [];
    try {
      assertNoSecrets(compiled, values);
    } catch (error) {
      if (!isCaelusError(error, 'VALUES_SECRET_REFUSED')) throw error;
      refused = error.details.issues.map(({ path }) => path);
    }
    expect(refused).toEqual(pointers);
  });
});

describe('BoundedCache', () => {
  test('keeps the entries used last, never more than its capacity', () => {
    const cache = new BoundedCache<number>(3);
    for (let index = 0; index < 10_000; index += 1) {
      cache.getOrCreate(`${index}`, () => index);
      expect(cache.size).toBeLessThanOrEqual(3);
      cache.getOrCreate('kept', () => -1);
    }
    expect(cache.getOrCreate('kept', () => 0)).toBe(-1);
    expect(cache.getOrCreate('9999', () => 0)).toBe(9999);
    expect(cache.getOrCreate('9997', () => 0)).toBe(0);
  });

  test('keeps nothing of what fails', () => {
    const cache = new BoundedCache<number>(3);
    const fail = (): number => {
      throw new Error('no');
    };
    expect(() => cache.getOrCreate('a', fail)).toThrow('no');
    expect(cache.size).toBe(0);
  });
});
