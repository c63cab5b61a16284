import { describe, expect, it } from 'vitest';
import { parseJsonPointer, toJsonPointer, valueAt } from './json-pointer.ts';

// The examples of RFC 6901, section 5.
const document = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};

describe('a JSON pointer', () => {
  it.each<[string, unknown]>([
    ['', document],
    ['/foo', document.foo],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j leads to what RFC 6901 says', (pointer, value) => {
    const tokens = parseJsonPointer(pointer);
    expect(valueAt(document, tokens)).toEqual(value);
    expect(toJsonPointer(tokens)).toBe(pointer);
  });

  it.each([
    '/foo/2',
    '/foo/-',
    '/foo/00',
    '/foo/length',
    '/foo/0/0',
    '/toString',
    '/constructor',
    '/__proto__',
    '/x/y',
  ])('%j leads nowhere', (pointer) => {
    expect(valueAt(document, parseJsonPointer(pointer))).toBeUndefined();
  });

  it.each(['foo', 'foo/bar', '/~', '/~2', '/a~', '#/foo'])('%j is none', (pointer) => {
    expect(() => parseJsonPointer(pointer)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});
