import { formatPatch, OMIT_HEADERS, structuredPatch } from 'diff';
import type { RepoPath } from '../layout/repo-path.ts';
import { diffTrees, type RepoTree } from '../layout/repo-tree.ts';

/** One file that a change adds, modifies or removes. */
export interface PlannedFile {
  readonly path: RepoPath;
  readonly action: 'add' | 'modify' | 'remove';
  /** Unified diff with three lines of context, from its first `@@` line on; `null` where it is not shown. */
  readonly diff: string | null;
  /** Why there is no diff. `too-large`: past {@link PLAN_LIMITS}. */
  readonly omitted: 'binary' | 'too-large' | null;
  /** 0 where there is no diff. */
  readonly linesAdded: number;
  readonly linesRemoved: number;
}

/** What a change would do to the GitOps repository. */
export interface Plan {
  /** Ordered by path; empty where nothing would change. */
  readonly files: readonly PlannedFile[];
}

/** The largest file whose diff is shown, in bytes on either side, and the most lines that a diff may add and remove. */
export const PLAN_LIMITS: { readonly fileBytes: number; readonly changedLines: number } = {
  fileBytes: 1024 * 1024,
  changedLines: 2000,
};

/** Plans what leads from one tree to another, for people to look at before it is done. Equal trees give equal plans. */
export function planChange(before: RepoTree, after: RepoTree): Plan {
  return {
    files: diffTrees(before, after).map(({ path, bytes }) => plannedFile(path, before.get(path) ?? null, bytes)),
  };
}

function plannedFile(path: RepoPath, before: Uint8Array | null, after: Uint8Array | null): PlannedFile {
  const action = before === null ? 'add' : after === null ? 'remove' : 'modify';
  const omitted = (reason: 'binary' | 'too-large'): PlannedFile => ({
    path,
    action,
    diff: null,
    omitted: reason,
    linesAdded: 0,
    linesRemoved: 0,
  });
  if ([before, after].some((bytes) => bytes !== null && bytes.length > PLAN_LIMITS.fileBytes))
    return omitted('too-large');
  const [from, to] = [textOf(before), textOf(after)];
  if (from === undefined || to === undefined) return omitted('binary');
  const patch = structuredPatch('', '', from, to, undefined, undefined, {
    context: 3,
    maxEditLength: PLAN_LIMITS.changedLines,
  });
  if (patch === undefined) return omitted('too-large');
  const lines = patch.hunks.flatMap((hunk) => hunk.lines);
  const diff = lines.length === 0 ? '' : formatPatch(patch, OMIT_HEADERS);
  const count = (sign: string) => lines.filter((line) => line.startsWith(sign)).length;
  return { path, action, diff, omitted: null, linesAdded: count('+'), linesRemoved: count('-') };
}

/** The text of a file; `undefined` for bytes that are no UTF-8 text. */
function textOf(bytes: Uint8Array | null): string | undefined {
  if (bytes === null) return '';
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
