import { git } from './git-command.ts';
import type { Place } from './place.ts';
import { filesOf } from './workload.ts';

/** Sizes in bytes of the trees that lead to the files of one instance, which each commit makes anew. */
export async function changedTreeBytes({ template, layout }: Place): Promise<readonly number[]> {
  const parents = filesOf(layout, 0, '').map(([path]) => path.split('/').slice(0, -1));
  const directories = new Set(
    parents.flatMap((names) => ['', ...names].map((_, length) => names.slice(0, length).join('/'))),
  );
  const input = [...directories].map((each) => `main:${each}\n`).join('');
  const sizes = await git(template, ['cat-file', '--batch-check=%(objectsize)'], { input });
  return sizes.trim().split('\n').map(Number);
}
