import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import type { ErrorCode } from '../errors.ts';
import {
  parseChangeId,
  parseCommitId,
  parseInstanceId,
  parseProductId,
  parseSlug,
  parseStoreId,
  parseTemplateVersionId,
  parseTenantId,
  parseTierName,
  timestampSchema,
  toTimestamp,
} from './identifier.ts';

interface Kind {
  readonly name: string;
  readonly parse: (input: unknown) => string;
  readonly code: ErrorCode;
  readonly max: number;
}

const labels: readonly Kind[] = [
  { name: 'instance id', parse: parseInstanceId, code: 'ID_INVALID', max: 63 },
  { name: 'tenant id', parse: parseTenantId, code: 'ID_INVALID', max: 63 },
  { name: 'tier name', parse: parseTierName, code: 'NAME_INVALID', max: 40 },
  { name: 'slug', parse: parseSlug, code: 'NAME_INVALID', max: 40 },
];
const rowIds: readonly Kind[] = [
  { name: 'product id', parse: parseProductId, code: 'ID_INVALID', max: 63 },
  { name: 'template version id', parse: parseTemplateVersionId, code: 'ID_INVALID', max: 63 },
];

describe.each([...labels, ...rowIds])('a $name', ({ parse, code, max }) => {
  it('has 1 to its greatest number of characters', () => {
    for (const length of [1, 2, max - 1, max]) expect(parse('a'.repeat(length))).toHaveLength(length);
    thrown(code, () => parse(''));
    thrown(code, () => parse('a'.repeat(max + 1)));
    thrown(code, () => parse('a'.repeat(1_000_000)));
  });

  it('starts and ends with a letter or digit', () => {
    for (const text of ['0', 'a1', '1a', 'a-b', 'a--b']) expect(parse(text)).toBe(text);
    for (const text of ['-', '-a', 'a-']) thrown(code, () => parse(text));
  });

  it.each(hostileTexts)('is not %s', (_why, text) => {
    const error = thrown(code, () => parse(text));
    expect(error.retryable).toBe(false);
    expect(error.details).toMatchObject({ issues: [{ path: '' }] });
  });

  it.each([[undefined], [null], [5], [['a']], [{ toString: () => 'a' }], [new String('a')]])(
    'is text, not %o',
    (input) => {
      thrown('INVALID_INPUT', () => parse(input));
    },
  );

  it('comes back as it went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 70 }), (text) => {
        let parsed: string;
        try {
          parsed = parse(text);
        } catch {
          return;
        }
        expect(parsed).toBe(text);
        expect(parsed).toMatch(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/);
      }),
    );
  });
});

describe.each(labels)('a $name is an RFC 1123 label', ({ parse, code }) => {
  it.each(['A', 'aB', 'a.b', 'a_b'])('and not %s', (text) => {
    thrown(code, () => parse(text));
  });
});

describe.each(rowIds)('a $name may be what databases give out', ({ parse }) => {
  it.each(['01HZX3J8', 'a.b_c-D', '42', '018f4e5a-7b6c-7d8e-9f00-112233445566'])('such as %s', (text) => {
    expect(parse(text)).toBe(text);
  });
});

describe('a tier name', () => {
  it('is not that of the root project', () => {
    thrown('NAME_INVALID', () => parseTierName('root'));
    expect(parseTierName('roots')).toBe('roots');
    expect(parseTierName('root-1')).toBe('root-1');
  });
});

describe.each([
  { name: 'change id', parse: parseChangeId as (input: unknown) => string },
  { name: 'store id', parse: parseStoreId as (input: unknown) => string },
])('a $name', ({ parse }) => {
  const uuid = '018f4e5a-7b6c-7d8e-9f00-112233445566';

  it('is a UUID in lower case', () => {
    expect(parse(uuid)).toBe(uuid);
    for (const text of [
      uuid.toUpperCase(),
      uuid.slice(1),
      `${uuid}0`,
      `{${uuid}}`,
      uuid.replaceAll('-', ''),
      `${uuid}\n`,
    ]) {
      thrown('ID_INVALID', () => parse(text));
    }
  });
});

describe('a commit id', () => {
  it('is 40 hexadecimal digits in lower case', () => {
    expect(parseCommitId('0123456789abcdef0123456789abcdef01234567')).toHaveLength(40);
    for (const text of [
      'a'.repeat(39),
      'a'.repeat(41),
      'A'.repeat(40),
      'g'.repeat(40),
      'HEAD',
      `${'a'.repeat(40)}\n`,
    ]) {
      thrown('ID_INVALID', () => parseCommitId(text));
    }
  });
});

describe('a timestamp', () => {
  const accepts = (text: unknown) => timestampSchema.safeParse(text).success;

  it('is what toTimestamp writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
        (date) => {
          expect(accepts(toTimestamp(date))).toBe(true);
        },
      ),
    );
  });

  it.each([
    '2026-02-30T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000+00:00',
    '2026-01-01',
    '+012026-01-01T00:00:00.000Z',
    '2026-01-01T00:00:00.000Z\n',
    'now',
    '',
  ])('is not %j', (text) => {
    expect(accepts(text)).toBe(false);
  });
});
