import { CaelusError } from '../errors.ts';

declare const brand: unique symbol;
/**
 * A file or directory in the GitOps repository: segments joined by `/`, relative, made only by {@link repoPath} or
 * {@link parseRepoPath}. No segment is empty, `.`, `..`, or anything that Git, HFS+ or NTFS would take for `.git`.
 */
export type RepoPath = string & { readonly [brand]: 'RepoPath' };

/** How deep a path may be, and how long each segment. */
export const REPO_PATH_LIMITS = { segments: 16, segmentLength: 100 } as const;

const SEGMENT = /^[A-Za-z0-9._-]+$/;
// With the alphabet of SEGMENT these are all the names that alias `.git` or carry meaning for Git on some file system.
const RESERVED = /^(?:\.\.?|\.git(?:modules|attributes|ignore)?|(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?)$/i;

/**
 * Joins segments into a path.
 * @throws {CaelusError} `PATH_INVALID` for a segment that is not safe on every file system Git runs on
 */
export function repoPath(...segments: readonly string[]): RepoPath {
  const problem = problemOf(segments);
  if (problem !== undefined) {
    throw new CaelusError({
      code: 'PATH_INVALID',
      message: `A path in the repository cannot be accepted. ${problem}`,
      details: { issues: [{ path: '', message: problem }] },
    });
  }
  return segments.join('/') as RepoPath;
}

/** Parses a path that was read from outside, such as a Git tree. @throws {CaelusError} `PATH_INVALID` */
export function parseRepoPath(text: string): RepoPath {
  return repoPath(...text.split('/'));
}

/** Tells whether `path` lies below the directory `prefix`. */
export function isBelow(path: RepoPath, prefix: RepoPath): boolean {
  return path.startsWith(`${prefix}/`);
}

/** Joins segments onto a path. @throws {CaelusError} `PATH_INVALID` */
export function below(prefix: RepoPath, ...segments: readonly string[]): RepoPath {
  return repoPath(...prefix.split('/'), ...segments);
}

/**
 * Where `path` lies once everything is moved into the directory `prefix`; `null` is the root.
 * @throws {CaelusError} `PATH_INVALID` where that is too deep
 */
export function underPrefix(prefix: RepoPath | null, path: RepoPath): RepoPath {
  return prefix === null ? path : below(prefix, ...path.split('/'));
}

/** Tells whether a name is safe as a segment of a path on every file system that Git runs on. */
export function isSafeSegment(segment: string): boolean {
  const { segmentLength } = REPO_PATH_LIMITS;
  return segment.length <= segmentLength && SEGMENT.test(segment) && !RESERVED.test(segment) && !segment.endsWith('.');
}

function problemOf(segments: readonly string[]): string | undefined {
  const { segments: depth, segmentLength } = REPO_PATH_LIMITS;
  if (segments.length === 0 || segments.length > depth) return `Use 1 to ${depth} segments.`;
  const bad = segments.findIndex((segment) => !isSafeSegment(segment));
  if (bad === -1) return undefined;
  return `Segment ${bad + 1} must have 1 to ${segmentLength} letters, digits, dots, underscores and hyphens, must not end with a dot and must not be a name that Git or Windows reserves.`;
}
