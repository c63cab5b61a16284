import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isCaelusError } from '../src/errors.ts';
import { below, isBelow, parseRepoPath, repoPath } from '../src/layout/repo-path.ts';

/** Text that tries: fragments that have meaning for Git, file systems or shells, glued in any order. */
const hostile = fc
  .array(
    fc.constantFrom(
      ...[
        '.',
        '..',
        '/',
        '\\',
        '.git',
        '.GIT',
        'git~1',
        'modules',
        '\0',
        '\n',
        ' ',
        ':',
        '$',
        '~',
        '*',
        '?',
        '"',
        '%2e',
      ],
      ...['\u200c', '\u200d', '\u202e', '\ufeff', '\u2215', '\u29f8', '\uff0e', '\u0130', '\u017f', '\u212a', '\ud800'],
      ...['a', 'A', '0', '-', '_', 'con', 'nul', 'com1', 'C:', 'instances'],
    ),
    { size: 'max', maxLength: 12 },
  )
  .map((parts) => parts.join(''));
const segment = fc.oneof(
  hostile,
  fc.string({ unit: 'binary', maxLength: 110 }),
  fc.stringMatching(/^[A-Za-z0-9._-]{1,110}$/),
);

/** What Git itself refuses (`verify_path`), on every file system it protects, and what leaves a directory. */
function expectSafe(path: string): void {
  expect(path).toMatch(/^[A-Za-z0-9._/-]+$/);
  expect(posix.isAbsolute(path) || win32.isAbsolute(path)).toBe(false);
  expect(posix.normalize(path)).toBe(path);
  expect(win32.join('C:\\base', path)).toBe(`C:\\base\\${path.replaceAll('/', '\\')}`);
  for (const part of path.split('/')) {
    expect(part).not.toMatch(/^\.*$/);
    // NTFS drops trailing dots and spaces, HFS+ drops characters that are invisible, both fold case.
    expect(part.replace(/[. ]+$/, '').toLowerCase()).not.toMatch(/^\.git(?:modules|attributes|ignore)?$/);
  }
}

function attempt(run: () => string): string | undefined {
  try {
    return run();
  } catch (error) {
    if (isCaelusError(error, 'PATH_INVALID')) return undefined;
    throw error;
  }
}

it('never makes a path that is unsafe, whatever the segments are', () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 18 }), (segments) => {
      const path = attempt(() => repoPath(...segments));
      if (path === undefined) return;
      accepted++;
      expectSafe(path);
      expect(path.split('/')).toEqual(segments);
    }),
    { numRuns: 2_000 },
  );
  expect(accepted).toBeGreaterThan(50);
});

it('never reads a path that is unsafe, whatever the text is', () => {
  fc.assert(
    fc.property(fc.oneof(hostile, segment), (text) => {
      const path = attempt(() => parseRepoPath(text));
      if (path === undefined) return;
      expectSafe(path);
      expect(path).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});

it('never leaves the directory that it is put below', () => {
  const prefix = repoPath('instances', 'a-1');
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (segments) => {
      const path = attempt(() => below(prefix, ...segments));
      if (path === undefined) return;
      expect(isBelow(path as typeof prefix, prefix)).toBe(true);
      expect(posix.relative(prefix, path)).toBe(segments.join('/'));
    }),
    { numRuns: 2_000 },
  );
});
