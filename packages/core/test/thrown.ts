import { expect } from 'vitest';
import { type CaelusError, type ErrorCode, isCaelusError } from '../src/errors.ts';

/** The error that `run` throws, which must be a CaelusError of `code`. */
export function thrown<Code extends ErrorCode>(code: Code, run: () => unknown): CaelusError<Code> {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    if (!isCaelusError(error)) throw error;
    expect(error.code, error.message).toBe(code);
    if (isCaelusError(error, code)) return error;
  }
  throw new Error(`Expected ${code}, got ${JSON.stringify(result)}.`);
}

/** Texts that are no identifier, name, hostname or path of anything, with why. */
export const hostileTexts: readonly (readonly [why: string, text: string])[] = [
  ['nothing', ''],
  ['a space', ' '],
  ['the parent directory', '..'],
  ['this directory', '.'],
  ["Git's own directory", '.git'],
  ["Git's own directory in capitals", '.GIT'],
  ['a path', 'a/b'],
  ['a path upwards', '../a'],
  ['an absolute path', '/etc'],
  ['a backslash', 'a\\b'],
  ['an encoded slash', 'a%2fb'],
  ['a short name of NTFS', 'git~1'],
  ['a stream of NTFS', 'a::$DATA'],
  ['a trailing newline', 'a\n'],
  ['a leading newline', '\na'],
  ['a carriage return', 'a\rb'],
  ['a NUL', 'a\0'],
  ['an escape', 'a\u001b[31m'],
  ['a delete', 'a\u007f'],
  ['a C1 control', 'a\u0085b'],
  ['a line separator', 'a\u2028b'],
  ['a right-to-left override', 'a\u202eb'],
  ['a right-to-left isolate', 'a\u2067b'],
  ['a zero-width joiner', 'a\u200db'],
  ['a byte order mark', '\ufeffa'],
  ['a soft hyphen', 'a\u00adb'],
  ['a lone surrogate', 'a\ud800'],
  ['a Cyrillic look-alike', 'p\u0430ypal'],
  ['a full-width look-alike', '\uff41bc'],
  ['a Kelvin sign, which folds to k', '\u212aube'],
  ['a long s, which folds to s', '\u017flug'],
  ['an ideographic full stop', 'a\u3002b'],
  ['a combining mark', 'e\u0301'],
];
