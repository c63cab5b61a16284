import {
  type Actor,
  CaelusError,
  type InputIssue,
  type Logger,
  parseActor,
  parseGitRepositoryUrl,
  parseRepoPath,
} from '@caelus/core';
import { integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import type { GitSigner } from './commit-signature.ts';
import type { GitFileSystem } from './file-access.ts';
import type { GitTransport } from './git-backend.ts';
import { DEFAULT_PROTECTED_PATHS, MOST_PREFIX_SEGMENTS, type PathRules } from './path-rules.ts';
import { DEFAULT_TOPIC_BRANCH, type PullRequestSettings } from './pull-request/pull-request.ts';
import type { GitCredentialsCallback } from './remote/git-credentials.ts';

export interface GitStoreOptions {
  /** The bare repository; made where there is none. Several processes may share it. */
  readonly directory: string;
  /** Default: the disk. Another one, such as memfs, makes the store `durable: false`. */
  readonly fs?: GitFileSystem | undefined;
  /** Default `main`. */
  readonly branch?: string | undefined;
  /**
   * The directory of the repository that the store reads and writes, and takes for its root: several stores may share one
   * branch. At most 8 segments. Default: the root of the repository.
   */
  readonly pathPrefix?: string | undefined;
  /**
   * Files and directories, relative to `pathPrefix`, that the store refuses to touch: such a change fails with
   * `GIT_PATH_PROTECTED`. At most 1,000. Default {@link DEFAULT_PROTECTED_PATHS}.
   */
  readonly protectedPaths?: readonly string[] | undefined;
  /**
   * Writes to a topic branch, for people to merge into `branch`; reads what is there to be merged, so that nothing is written
   * twice. Default: the branch itself is written.
   */
  readonly pullRequest?: PullRequestSettings | undefined;
  /** Where the branch really lives; the directory is then a cache of it that never runs ahead. */
  readonly remote?: GitRemoteSettings | undefined;
  /** Who reads, writes, fetches and pushes. Default: code of this package. */
  readonly transport?: GitTransport | undefined;
  /** Who commits, and is the author where nobody asked. Default `Caelus <caelus@localhost>`. */
  readonly committer?: Actor | undefined;
  /** Signs every commit and annotated tag. Where it fails, nothing is written. Default: none is signed. */
  readonly sign?: GitSigner | undefined;
  /** Time of the commits. Default: the system's. */
  readonly now?: (() => Date) | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
  /** How often changes are asked again after a lost race before `STORE_CONFLICT`: 0 to 1,000. Default 30. */
  readonly retries?: number | undefined;
  /** The most changes that one `write` takes, and one commit holds: 1 to 10,000. Default 1,000. */
  readonly maxBatch?: number | undefined;
  /** The most changes that wait for a commit; a `write` beyond fails with `UNAVAILABLE`: 1 to 1,000,000. Default 10,000. */
  readonly maxWaiting?: number | undefined;
  /** How long to wait for another process to let go of the branch's lock file: 0 to 60,000 ms. Default 2,000. */
  readonly lockWaitMilliseconds?: number | undefined;
  /**
   * What a write waits for before it is acknowledged. `strict`: that the disk has it, so a power cut takes nothing away.
   * `relaxed`: that the operating system has it. Then `kill -9` takes nothing away, but a power cut may take the newest
   * commits, or leave a branch or an object that is reported as damaged; a cache of a remote is then removed, and another
   * directory put right with `git fsck`. Default `strict`.
   */
  readonly durability?: 'strict' | 'relaxed' | undefined;
}

export interface GitRemoteSettings {
  /** An `http` or `https` URL without credentials; with {@link nativeGit} also an `ssh` URL, or `user@host:path`. */
  readonly url: string;
  readonly credentials?: GitCredentialsCallback | undefined;
  /** Default: the runtime's. Give one with a dispatcher of its own for a proxy or a private CA. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Of each request: 1 to 3,600,000 ms. Default 60,000. */
  readonly timeoutMilliseconds?: number | undefined;
}

const KEYS = [
  'directory',
  'fs',
  'branch',
  'pathPrefix',
  'protectedPaths',
  'pullRequest',
  'remote',
  'transport',
  'committer',
  'sign',
  'now',
  'logger',
  'retries',
  'maxBatch',
  'maxWaiting',
  'lockWaitMilliseconds',
  'durability',
];
const MOST_PROTECTED_PATHS = 1000;
const REMOTE_KEYS = ['url', 'credentials', 'fetch', 'timeoutMilliseconds'];
// The part of git check-ref-format that nobody misses the rest of.
const BRANCH =
  /^(?!.*(?:\.\.|\.lock(?:\/|$)|\/\.|\.\/|\.$))[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

/**
 * Checks everything that does not need the disk or the network.
 * @throws {CaelusError} `INVALID_INPUT`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`, `NAME_INVALID`
 */
export function checkGitStoreOptions(options: GitStoreOptions): void {
  const {
    directory,
    branch = 'main',
    pathPrefix,
    protectedPaths = [],
    pullRequest,
    remote,
    transport,
    committer,
  } = options;
  const issues: InputIssue[] = [
    ...unknownKeys('', options, KEYS),
    ...unknownKeys('/remote', remote ?? {}, REMOTE_KEYS),
    ...issueUnless(
      '/directory',
      typeof directory === 'string' && directory !== '' && !directory.includes('\0'),
      'Give a path.',
    ),
    ...issueUnless('/branch', isBranch(branch), 'Give a branch name of plain segments.'),
    ...issueUnless(
      '/pathPrefix',
      pathPrefix === undefined || pathPrefix.split('/').length <= MOST_PREFIX_SEGMENTS,
      `Give at most ${MOST_PREFIX_SEGMENTS} segments.`,
    ),
    ...issueUnless(
      '/protectedPaths',
      Array.isArray(protectedPaths) && protectedPaths.length <= MOST_PROTECTED_PATHS,
      `Give a list of at most ${MOST_PROTECTED_PATHS} paths.`,
    ),
    ...(pullRequest === undefined ? [] : pullRequestIssues(pullRequest, branch)),
    ...issueUnless(
      '/transport',
      transport === undefined || typeof transport.open === 'function',
      'Give what nativeGit returns.',
    ),
    ...issueUnless('/fs', transport === undefined || options.fs === undefined, 'It does not go with a transport.'),
    ...issueUnless(
      '/remote/fetch',
      transport === undefined || remote?.fetch === undefined,
      'It does not go with a transport.',
    ),
    ...issueUnless('/sign', options.sign === undefined || typeof options.sign === 'function', 'Give a function.'),
    ...integerIssues('/retries', options.retries, 0, 1000),
    ...integerIssues('/maxBatch', options.maxBatch, 1, 10_000),
    ...integerIssues('/maxWaiting', options.maxWaiting, 1, 1_000_000),
    ...integerIssues('/lockWaitMilliseconds', options.lockWaitMilliseconds, 0, 60_000),
    ...issueUnless(
      '/durability',
      options.durability === undefined || ['strict', 'relaxed'].includes(options.durability),
      "Use 'strict' or 'relaxed'.",
    ),
    ...integerIssues('/remote/timeoutMilliseconds', remote?.timeoutMilliseconds, 1, 3_600_000),
  ];
  refuseInput('The options of the Git store', issues);
  if (committer !== undefined) parseActor(committer);
  if (remote === undefined) return;
  parseGitRepositoryUrl(remote.url);
  if (/^https?:\/\//.test(remote.url) || transport?.hasSsh) return;
  const message =
    transport === undefined
      ? 'Use an https:// or http:// URL, or the transport nativeGit.'
      : 'Give nativeGit its option ssh for this URL.';
  throw new CaelusError({
    code: 'REPOSITORY_URL_INVALID',
    message: `The remote of the Git store cannot be accepted. ${message}`,
    details: { issues: [{ path: '/remote/url', message }] },
  });
}

/** @throws {CaelusError} `PATH_INVALID` */
export function pathRulesOf({ pathPrefix, protectedPaths = DEFAULT_PROTECTED_PATHS }: GitStoreOptions): PathRules {
  return {
    pathPrefix: pathPrefix === undefined ? null : parseRepoPath(pathPrefix),
    protectedPaths: protectedPaths.map(parseRepoPath),
  };
}

function pullRequestIssues(settings: PullRequestSettings, branch: string): readonly InputIssue[] {
  const { topicBranch = DEFAULT_TOPIC_BRANCH, host } = settings;
  // Git keeps a branch as a file, so none can lie below another one.
  const isApart = !`${topicBranch}/`.startsWith(`${branch}/`) && !`${branch}/`.startsWith(`${topicBranch}/`);
  return [
    ...unknownKeys('/pullRequest', settings, ['topicBranch', 'host']),
    ...issueUnless('/pullRequest/host', typeof host?.ensureOpen === 'function', 'Give an object with ensureOpen.'),
    ...issueUnless('/pullRequest/topicBranch', isBranch(topicBranch), 'Give a branch name of plain segments.'),
    ...issueUnless('/pullRequest/topicBranch', isApart, 'Give one that is not the branch, nor below it or above it.'),
  ];
}

function isBranch(name: string): boolean {
  return name.length <= 200 && BRANCH.test(name);
}
