import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { thrown } from '../../test/thrown.ts';
import { ISSUES_LIMIT, issue, parseInput } from './parse-input.ts';

const name = z.string().refine((text) => text === 'ok', issue('NAME_INVALID', 'Say ok.'));
const schema = z.strictObject({ count: z.int(), name, list: z.array(z.int()).optional() });

describe('parsing an input', () => {
  it('gives what the schema gives', () => {
    expect(parseInput(schema, { count: 1, name: 'ok' }, 'The thing')).toEqual({ count: 1, name: 'ok' });
  });

  it('lists everything that is wrong, with JSON pointers, under the first code that an issue has', () => {
    const error = thrown('NAME_INVALID', () =>
      parseInput(schema, { count: 'x', name: 'no', list: [1, 'x'] }, 'The thing'),
    );
    expect(error.details.issues.map(({ path }) => path)).toEqual(['/count', '/name', '/list/1']);
    expect(error.message).toMatch(/^The thing cannot be accepted\. \/count: .*; \/name: Say ok\.; \/list\/1: /);
    expect(error.retryable).toBe(false);
  });

  it('never repeats a value, nor a key that is no name of a field', () => {
    const input = {
      count: 'canary-7f3a',
      name: 'canary-7f3a',
      list: 'canary-7f3a',
      'canary 7f3a': 1,
      naem: 'canary-7f3a',
    };
    const error = thrown('NAME_INVALID', () => parseInput(schema, input, 'The thing'));
    expect(JSON.stringify([error.message, error.details, error.cause])).not.toContain('canary');
    expect(error.message).toContain('Unknown field "…", "naem".');
  });

  it('lists at most 50 issues, so that a huge input gives no huge error', () => {
    const wrong = (count: number) => () =>
      parseInput(schema, { count: 1, name: 'ok', list: Array.from({ length: count }, () => 'x') }, 'The thing');
    expect(ISSUES_LIMIT).toBe(50);
    expect(thrown('INVALID_INPUT', wrong(49)).details.issues).toHaveLength(49);
    expect(thrown('INVALID_INPUT', wrong(50)).details.issues).toHaveLength(50);
    expect(thrown('INVALID_INPUT', wrong(51)).details.issues).toHaveLength(50);
    const keys = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`key-${index}`, 1]));
    expect(thrown('INVALID_INPUT', () => parseInput(schema, keys, 'The thing')).message.length).toBeLessThan(2_000);
  });
});
