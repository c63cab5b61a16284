import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { JsonValue } from '../json-value.ts';
import { renderYaml } from './render-yaml.ts';

const text = (value: JsonValue) => new TextDecoder().decode(renderYaml({ value }));

const awkward = fc.oneof(
  fc.constantFrom(
    ...[
      'yes',
      'No',
      'on',
      'OFF',
      'y',
      'n',
      'true',
      'null',
      '~',
      '',
      '1:30',
      '017',
      '0o17',
      '0b1',
      '1_000',
      '.inf',
      'NaN',
      '1e3',
    ],
    ...[
      '2001-01-01',
      '<<',
      '=',
      '!!js',
      '&a',
      '*a',
      '- a',
      '? a',
      ': a',
      '# a',
      'a: b',
      'a #b',
      '%x',
      '@x',
      '`x',
      '|',
      '>',
      '{a}',
      '[a]',
    ],
    ...[
      '---',
      '...',
      'a\nb',
      'a\n',
      'a\n\n',
      '\na',
      ' a\nb',
      'a \nb',
      'a\n---\nb',
      'a\r\nb',
      '\u2028',
      '\u0085x',
      '\ufeffx',
      'é😀',
      '\u007f',
      'a:',
    ],
  ),
  fc.string({ unit: 'grapheme', size: 'medium' }),
  fc.string({ unit: 'binary' }).filter((value) => !/\p{Cs}/u.test(value)),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', '-', ':', '#', '"') }),
);
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    awkward,
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(awkward, tie('value'), { maxKeys: 4 }).map((value) => ({ ...value })),
  ),
})).value;

const normal = (value: JsonValue): unknown => JSON.parse(JSON.stringify(value));

describe('renderYaml', () => {
  it('is read back as the same value by YAML 1.2 and by YAML 1.1 readers', () => {
    fc.assert(
      fc.property(json, (value) => {
        const rendered = text(value);
        const options = { maxAliasCount: 0, logLevel: 'error' } as const;
        expect(parse(rendered, { ...options, version: '1.2' })).toEqual(normal({ value }));
        expect(parse(rendered, { ...options, version: '1.1', merge: false })).toEqual(normal({ value }));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives equal bytes for equal values, whatever the order of keys', () => {
    const shuffled = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(shuffled);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, inner]) => [key, shuffled(inner)]),
      );
    };
    fc.assert(
      fc.property(json, (value) => {
        expect(text(shuffled(value))).toBe(text(value));
      }),
    );
  });

  it('ends in one line break, has no tabs in indentation and no carriage return', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(text(value)).toMatch(/[^\n]\n$/);
        expect(text(value)).not.toMatch(/\r|^ *\t/m);
      }),
    );
  });

  it('looks like what a person would write', () => {
    const value = {
      image: { repository: 'docker.io/library/nginx', tag: '1.27.0' },
      hosts: ['a.example.com', 'b.example.com'],
      script: 'set -e\n\nexec "$@"\n',
      env: [
        { name: 'DEBUG', value: 'off' },
        { name: 'RATIO', value: 0.5 },
      ],
      extra: {},
      list: [[1, 2], []],
      nothing: null,
    };
    expect(new TextDecoder().decode(renderYaml(value))).toBe(`env:
  - name: DEBUG
    value: "off"
  - name: RATIO
    value: 0.5
extra: {}
hosts:
  - a.example.com
  - b.example.com
image:
  repository: docker.io/library/nginx
  tag: "1.27.0"
list:
  - - 1
    - 2
  - []
nothing: null
script: |
  set -e

  exec "$@"
`);
  });
});
