import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { below, isBelow, isSafeSegment, parseRepoPath, REPO_PATH_LIMITS, repoPath } from './repo-path.ts';

const deep = (count: number) => Array.from({ length: count }, (_, index) => `d${index}`);

describe('a path in the repository', () => {
  it('is its segments, joined', () => {
    expect(repoPath('instances', 'a-1', 'values.yaml')).toBe('instances/a-1/values.yaml');
    expect(parseRepoPath('.caelus/layout.yaml')).toBe('.caelus/layout.yaml');
    expect(below(repoPath('instances'), 'a', 'manifests')).toBe('instances/a/manifests');
  });

  it('has 1 to 16 segments', () => {
    expect(REPO_PATH_LIMITS.segments).toBe(16);
    for (const count of [1, 15, 16]) expect(repoPath(...deep(count)).split('/')).toHaveLength(count);
    thrown('PATH_INVALID', () => repoPath());
    thrown('PATH_INVALID', () => repoPath(...deep(17)));
    thrown('PATH_INVALID', () => below(repoPath(...deep(16)), 'x'));
  });

  it('has segments of 1 to 100 characters', () => {
    expect(REPO_PATH_LIMITS.segmentLength).toBe(100);
    for (const length of [1, 99, 100]) expect(repoPath('a'.repeat(length))).toHaveLength(length);
    thrown('PATH_INVALID', () => repoPath('a'.repeat(101)));
  });

  it.each(hostileTexts)('has no segment that is %s, and the error does not repeat it', (_why, text) => {
    for (const run of [() => repoPath(text), () => repoPath('instances', text), () => below(repoPath('a'), text)]) {
      const error = thrown('PATH_INVALID', run);
      if (text.trim().length > 1) expect(error.message).not.toContain(text);
    }
    expect(isSafeSegment(text)).toBe(false);
  });

  it.each(['.git', '.GIT', '.Git', '.git.', '.git...', '.gitmodules', '.gitattributes', '.gitignore', '.GitModules'])(
    'has no segment that Git reserves, such as %s',
    (segment) => {
      thrown('PATH_INVALID', () => repoPath(segment));
    },
  );

  it.each(['con', 'CON', 'prn', 'aux', 'nul', 'nul.txt', 'com1', 'COM9.yaml', 'lpt1', 'a.', 'values.yaml.'])(
    'has no segment that Windows reserves, such as %s',
    (segment) => {
      thrown('PATH_INVALID', () => repoPath(segment));
    },
  );

  it.each(['.gitkeep', '.git-blame', 'git', 'a.git', 'console', 'com', 'com10', 'nullable', 'a..b', '...a', '-a', '_'])(
    'may have the segment %s',
    (segment) => {
      expect(repoPath(segment)).toBe(segment);
    },
  );

  it.each(['', '/', '/a', 'a/', 'a//b', './a', 'a/.', 'a/..', '../a', 'a/../b', 'C:/a', '\\\\host\\a', 'a\0/b'])(
    'is not read from %j',
    (text) => {
      thrown('PATH_INVALID', () => parseRepoPath(text));
    },
  );

  it('lies below a directory by segments, not by letters', () => {
    const directory = repoPath('instances', 'a');
    expect(isBelow(repoPath('instances', 'a', 'values.yaml'), directory)).toBe(true);
    expect(isBelow(repoPath('instances', 'ab', 'values.yaml'), directory)).toBe(false);
    expect(isBelow(directory, directory)).toBe(false);
  });
});
