import { describe, expect, test } from 'vitest';
import { explainValues } from '../src/values/explain-values.ts';
import { assertUnlocked } from '../src/values/locked-values.ts';
import { mergeValues, type ValuesLayer } from '../src/values/merge-values.ts';
import type { Values } from '../src/values/values.ts';
import { thrown } from './thrown.ts';

function layers(template: Values, user: Values, platform: Values = {}): ValuesLayer[] {
  return [
    { name: 'template', values: template },
    { name: 'user', values: user },
    { name: 'platform', values: platform },
  ];
}

describe('mergeValues', () => {
  test.each<[string, Values, Values, Values]>([
    ['objects key by key', { a: { x: 1, y: 1 } }, { a: { y: 2, z: 2 } }, { a: { x: 1, y: 2, z: 2 } }],
    ['lists by replacing', { a: [1, 2, { x: 1 }] }, { a: [{ y: 2 }] }, { a: [{ y: 2 }] }],
    ['an empty list by replacing', { a: [1] }, { a: [] }, { a: [] }],
    ['scalars by replacing', { a: 1 }, { a: 'x' }, { a: 'x' }],
    ['null by keeping it', { a: { x: 1 } }, { a: null }, { a: null }],
    ['over null', { a: null }, { a: { x: 1 } }, { a: { x: 1 } }],
    ['{} over an object', { a: { x: 1 } }, { a: {} }, { a: { x: 1 } }],
    ['{} over a scalar', { a: 1 }, { a: {} }, { a: {} }],
    ['an object over a list', { a: [1] }, { a: { x: 1 } }, { a: { x: 1 } }],
    ['a list over an object', { a: { x: 1 } }, { a: [1] }, { a: [1] }],
  ])('merges %s', (_what, template, user, merged) => {
    expect(mergeValues(layers(template, user))).toEqual(merged);
  });

  test('takes two layers at a time: both objects over a scalar are kept', () => {
    expect(mergeValues(layers({ a: 0 }, { a: { x: 1 } }, { a: { y: 2 } }))).toEqual({ a: { x: 1, y: 2 } });
    expect(mergeValues(layers({ a: null }, { a: { x: 1 } }, { a: { y: 2 } }))).toEqual({ a: { x: 1, y: 2 } });
  });

  test('an object that layers share, or that holds another layer, is no cycle', () => {
    const template: Values = { x: { y: 1 } };
    expect(mergeValues(layers(template, { x: template }, { z: template }))).toEqual({
      x: { y: 1, x: { y: 1 } },
      z: { x: { y: 1 } },
    });
  });

  test('no layers make {}', () => {
    expect(mergeValues([])).toEqual({});
    expect(Object.isFrozen(mergeValues([]))).toBe(true);
  });

  test('does not touch a prototype, even given what parseValues refuses', () => {
    const hostile: Values = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}');
    const merged = mergeValues(layers(JSON.parse('{"__proto__": {"x": 1}}'), hostile));
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(JSON.stringify(merged)).toBe(
      '{"__proto__":{"x":1,"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
  });
});

describe('explainValues', () => {
  test('names the layer of each leaf, and those below it', () => {
    const explained = explainValues(
      layers(
        { image: { tag: '1', name: 'x' }, list: [1], host: null, empty: {} },
        { image: { tag: '2' }, list: [2], extra: { note: 'n' } },
        { image: { tag: '3' }, host: 'h' },
      ),
    );
    expect(explained).toEqual([
      { pointer: '/empty', value: {}, layer: 'template', overridden: [] },
      { pointer: '/extra/note', value: 'n', layer: 'user', overridden: [] },
      { pointer: '/host', value: 'h', layer: 'platform', overridden: ['template'] },
      { pointer: '/image/name', value: 'x', layer: 'template', overridden: [] },
      { pointer: '/image/tag', value: '3', layer: 'platform', overridden: ['template', 'user'] },
      { pointer: '/list', value: [2], layer: 'user', overridden: ['template'] },
    ]);
  });

  test('nothing stated is nothing to explain', () => {
    expect(explainValues([])).toEqual([]);
    expect(explainValues(layers({}, {}))).toEqual([]);
  });
});

describe('assertUnlocked', () => {
  const locked = ['/ingress/host', '/a~1b/c~0d'];
  const platform: Values = { quota: { storage: '1Gi', none: {} }, list: [1] };

  test.each<[string, Values, string[]]>([
    ['the place', { ingress: { host: 'x' } }, ['/ingress/host']],
    ['a place that needs escapes', { 'a/b': { 'c~d': 1 } }, ['/a~1b/c~0d']],
    ['below it', { ingress: { host: { x: 1 } } }, ['/ingress/host']],
    ['null above it', { ingress: null }, ['/ingress']],
    ['a list above it', { ingress: [] }, ['/ingress']],
    ['a scalar above it', { ingress: false }, ['/ingress']],
    ['an empty object at it', { ingress: { host: {} } }, ['/ingress/host']],
    ['a leaf of the platform', { quota: { storage: '9Gi' } }, ['/quota/storage']],
    ['an empty object of the platform', { quota: { none: { x: 1 } } }, ['/quota/none']],
    ['a list of the platform', { list: { '0': 2 } }, ['/list']],
    ['the reserved key', { caelus: {} }, ['/caelus']],
    ['below the reserved key', { caelus: { plan: { x: 1 } } }, ['/caelus']],
    [
      'all of them',
      { ingress: 1, quota: null, list: [], caelus: 1, fine: 1 },
      ['/ingress', '/quota', '/list', '/caelus'],
    ],
  ])('refuses %s', (_what, user, paths) => {
    const error = thrown('VALUES_LOCKED', () => assertUnlocked(user, locked, platform));
    expect(error.details.issues.map(({ path }) => path)).toEqual(paths);
    for (const path of paths) expect(error.message).toContain(path);
  });

  test.each<[string, Values]>([
    ['nothing', {}],
    ['an object above that leaves it out', { ingress: { path: '/' }, quota: { other: 1 } }],
    ['an empty object above it', { ingress: {}, quota: {} }],
    ['a name that begins alike', { ingressHost: 1, ingress: { hostname: 1, hos: 1 }, caelus2: 1 }],
    ['the reserved name elsewhere', { a: { caelus: 1 } }],
    ['names of Object.prototype', { toString: 1, hasOwnProperty: { valueOf: 1 } } as unknown as Values],
  ])('accepts %s', (_what, user) => {
    expect(() => assertUnlocked(user, locked, platform)).not.toThrow();
  });

  test('a pointer into a list locks the list, whatever stands there', () => {
    for (const user of [{ ports: [] }, { ports: { x: 1 } }, { ports: {} }]) {
      thrown('VALUES_LOCKED', () => assertUnlocked(user, ['/ports/0/name'], {}));
    }
    expect(() => assertUnlocked({ '1': 2 }, ['/0'], {})).not.toThrow();
  });

  test('a place above another locks it too, in either order', () => {
    for (const both of [
      ['/a', '/a/b'],
      ['/a/b', '/a'],
    ]) {
      thrown('VALUES_LOCKED', () => assertUnlocked({ a: { c: 1 } }, both, {}));
    }
  });

  test('the pointer of the whole locks every key', () => {
    thrown('VALUES_LOCKED', () => assertUnlocked({ a: 1 }, [''], {}));
    expect(() => assertUnlocked({}, [''], {})).not.toThrow();
  });
});
