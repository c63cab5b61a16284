import { CaelusError, isBelow, type ProposedChange, parseRepoPath, type RepoPath, underPrefix } from '@caelus/core';

/** Which part of a repository a store writes. */
export interface PathRules {
  /** All its files lie below; `null`: anywhere. */
  readonly pathPrefix: RepoPath | null;
  /** Files and directories that it never touches, relative to the prefix like every path of the store. */
  readonly protectedPaths: readonly RepoPath[];
}

/**
 * What hosts of Git repositories run, or take rights from, when it is pushed. A change of an instance has no business
 * there, whoever thinks of a way to make one.
 */
export const DEFAULT_PROTECTED_PATHS: readonly string[] = [
  '.circleci',
  '.forgejo',
  '.gitea',
  '.github',
  '.gitlab',
  '.gitlab-ci.yml',
  '.woodpecker',
  '.woodpecker.yml',
  'azure-pipelines.yml',
  'bitbucket-pipelines.yml',
  'CODEOWNERS',
  'Jenkinsfile',
];

/** Leaves room for the deepest path of a layout below it. */
export const MOST_PREFIX_SEGMENTS = 8;

/**
 * Lets a change propose only what the rules allow; otherwise it fails, and its neighbours do not.
 */
export function withPathRules(change: ProposedChange, rules: PathRules): ProposedChange {
  return {
    subject: change.subject,
    generation: change.generation,
    async propose(snapshot) {
      const proposal = await change.propose(snapshot);
      for (const { path, bytes } of proposal?.edits ?? []) checkEdit(parseRepoPath(path), bytes !== null, rules);
      return proposal;
    },
  };
}

/** @throws {CaelusError} `GIT_PATH_PROTECTED`, and `PATH_INVALID` where the path is too deep below the prefix */
function checkEdit(path: RepoPath, isFile: boolean, { pathPrefix, protectedPaths }: PathRules): void {
  underPrefix(pathPrefix, path);
  const touched = protectedPaths.find((each) => isTouched(each, path, isFile));
  if (touched === undefined) return;
  throw new CaelusError({
    code: 'GIT_PATH_PROTECTED',
    message: `The change touches ${path}, and ${touched} is protected in this store. Leave it out, or change protectedPaths.`,
    details: { path, protectedPath: touched },
  });
}

/** Hosts read some of these names in any case, and a work tree may not tell cases apart. */
function isTouched(protectedPath: RepoPath, edited: RepoPath, isFile: boolean): boolean {
  // Lower case of a path is one.
  const [own, path] = [protectedPath.toLowerCase() as RepoPath, edited.toLowerCase() as RepoPath];
  return path === own || isBelow(path, own) || (isFile && isBelow(own, path));
}
