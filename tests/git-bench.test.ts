import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { benchGit } from '../bench/src/git/git-bench.ts';

describe('the benchmark of the Git store', () => {
  it('measures each arm, on the same trees, and leaves nothing behind', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'caelus-git-bench-'));
    vi.stubEnv('TMPDIR', directory);
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(directory, { recursive: true });
    });
    const results = await benchGit({ sizes: [20], layouts: ['sharded'], short: true });

    expect(results.filter(({ median, runs }) => !(median > 0 && runs > 0))).toEqual([]);
    expect(results.map(({ name, against }) => `${name}: ${against?.split(/[:,]/)[0]}`)).toEqual([
      'git-commit: git add + git commit in a work tree',
      'git-commit: isomorphic-git add + commit',
      'git-commit: the Git store with nativeGit',
      'git-commit: floor',
      'git-commit: undefined',
      'git-commit: undefined',
      'git-push: work tree',
      'git-push: isomorphic-git objects + push',
      'git-push: the Git store with nativeGit',
      'git-push: floor',
      'git-push: git push --thin',
      ...Array.from({ length: 3 }, () => 'git-group: one writer'),
      'git-memory: git CLI',
      'git-memory: undefined',
      'git-memory: git CLI',
    ]);
    // Two files, the seven directories that lead to them, and the commit.
    expect(results.find(({ unit }) => unit === 'objects')?.median).toBe(10);
    expect(await readdir(directory)).toEqual([]);
  });
});
