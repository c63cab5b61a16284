import * as z from 'zod';
import { isSafeSegment } from '../layout/repo-path.ts';
import { issue, parseInput } from '../schema/parse-input.ts';

/** A chart in a Helm repository (an `index.yaml` served over HTTP). */
export interface HelmChartSource {
  readonly type: 'helm';
  /** `https://` or `http://` URL of the repository, without credentials, query or fragment. */
  readonly repoURL: string;
  readonly chart: string;
  /** An exact version, `1.2.3`: Argo CD would read `1.2` as exact too, and `1.x` as a range that upgrades by itself. */
  readonly version: string;
}

/** A chart in an OCI registry. */
export interface OciChartSource {
  readonly type: 'oci';
  /** The registry and the path above the chart, `oci://registry.example.com/charts`. */
  readonly repoURL: string;
  readonly chart: string;
  /** An exact version (tag). */
  readonly version: string;
}

/** A chart in a directory of a Git repository. */
export interface GitChartSource {
  readonly type: 'git';
  /**
   * `https://`, `http://` or `ssh://` URL, or `user@host:path`. Left out: the GitOps repository itself; then `path` is
   * `charts/<name>/<version>` (a directory that never changes) and there is no `revision`, because Argo CD cannot read
   * two revisions of one repository in one Application.
   */
  readonly repoURL?: string | undefined;
  readonly path: string;
  /** A full commit SHA or `refs/tags/<tag>`. Branches move, so they are refused. */
  readonly revision?: string | undefined;
}

/** Where a template version's chart lies, pinned to one version. */
export type ChartSource = HelmChartSource | OciChartSource | GitChartSource;

/** A chart source as a host may give it where a {@link ChartResolver} is at hand: the version may be a range or missing. */
export type UnpinnedChartSource =
  | (Omit<HelmChartSource, 'version'> & { readonly version?: string | undefined })
  | (Omit<OciChartSource, 'version'> & { readonly version?: string | undefined })
  | GitChartSource;

/** An exact version of Semantic Versioning 2.0.0, as Helm requires of charts; a leading `v` is what some registries tag with. */
const EXACT_VERSION =
  /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*';
const REPOSITORY_HOST_PATH = `${HOST}(?::\\d{1,5})?(?:/[A-Za-z0-9._~%+-]+)*/?`;
/** A user of SSH. POSIX systems take 32 characters; the tokens that hosts of Git give out are longer. */
const SSH_USER = '[a-z_][a-z0-9_-]{0,31}';
const SCP_LIKE = new RegExp(`^${SSH_USER}@${HOST}:[A-Za-z0-9._~][A-Za-z0-9._~/+-]*$`);
/** Segments `.` and `..`, and percent-encoded dots, slashes, backslashes and control characters, which some servers decode. */
const TRAVERSAL = /[/:]\.{1,2}(?:\/|$)|%(?:2[ef]|5c|[01][0-9a-f]|7f)/i;

const floating = issue(
  'CHART_VERSION_FLOATING',
  'Pin one exact version such as 1.2.3: a range, a partial version or "latest" would upgrade instances without a commit.',
);

function isExactVersion(text: string | undefined): text is string {
  return text !== undefined && text.length <= 64 && EXACT_VERSION.test(text);
}

const chartName = z
  .string()
  .refine(
    (text) => /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(text) && !text.includes('..'),
    issue('NAME_INVALID', 'A chart name has 1 to 63 lower-case letters, digits, dots, underscores and hyphens.'),
  );

/** A repository URL of one of `schemes`; `gitUser` allows the user that SSH remotes carry, never a password. */
function repositoryUrl(schemes: readonly string[], allowed: string, gitUser: boolean): z.ZodType<string> {
  const plain = new RegExp(`^(?:${schemes.join('|')})://${REPOSITORY_HOST_PATH}$`);
  const withUser = new RegExp(`^ssh://${SSH_USER}@${REPOSITORY_HOST_PATH}$`);
  const isSshWithUser = (text: string) => gitUser && (withUser.test(text) || SCP_LIKE.test(text));
  return z.string().superRefine((text, context) => {
    const wellFormed = text.length <= 512 && !TRAVERSAL.test(text) && (plain.test(text) || isSshWithUser(text));
    // What the pattern lets through and is no URL all the same: a port past 65535, a number that is no address.
    if (wellFormed && (SCP_LIKE.test(text) || URL.canParse(text))) return;
    const found = /^[^/]*\/\/[^/]*@|^[^/@:]*:[^/@]*@/.test(text)
      ? issue(
          'REPOSITORY_URL_CREDENTIALS',
          'A repository URL must not carry credentials: give them to Argo CD as a repository secret.',
        )
      : issue('REPOSITORY_URL_INVALID', `Use ${allowed}, at most 512 characters, without query or fragment.`);
    context.addIssue({ code: 'custom', message: found.error, params: found.params });
  });
}

const helmRepository = repositoryUrl(['https', 'http'], 'an https:// or http:// URL', false);
const ociRegistry = repositoryUrl(['oci'], 'an oci:// reference', false);
/** The URL of a Git repository: the GitOps repository, or one that holds charts. */
export const gitRepositorySchema: z.ZodType<string> = repositoryUrl(
  ['https', 'http', 'ssh'],
  'an https://, http:// or ssh:// URL or user@host:path',
  true,
);

const chartPath = z.string().refine(
  (text) => {
    const segments = text.split('/');
    return segments.length <= 8 && segments.every((segment) => segment.length <= 64 && isSafeSegment(segment));
  },
  issue(
    'PATH_INVALID',
    'Use a relative path of at most 8 segments of 1 to 64 letters, digits, dots, underscores and hyphens; no name that Git or Windows reserves.',
  ),
);
/** A tag, by the rules of `git check-ref-format` for the characters that are let in. */
const TAG = /^refs\/tags\/(?!.*(?:\.\.|\/\/|\/\.|\.lock(?:\/|$)|[./]$))[A-Za-z0-9][A-Za-z0-9._+/-]{0,127}$/;
const pinnedRevision = z
  .string()
  .refine(
    (text) => /^[0-9a-f]{40}$/.test(text) || TAG.test(text),
    issue('CHART_VERSION_FLOATING', 'Pin a full commit SHA or refs/tags/<tag>: a branch moves without a commit here.'),
  );

const gitChartSourceSchema: z.ZodType<GitChartSource> = z
  .strictObject({
    type: z.literal('git'),
    repoURL: gitRepositorySchema.optional(),
    path: chartPath,
    revision: pinnedRevision.optional(),
  })
  .superRefine(({ repoURL, path, revision }, context) => {
    const problem =
      repoURL === undefined
        ? problemInGitOpsRepository(path, revision)
        : revision === undefined
          ? unpinnedRevision
          : undefined;
    if (problem) context.addIssue({ code: 'custom', message: problem.error, params: problem.params });
  });

const unpinnedRevision = issue('CHART_VERSION_FLOATING', 'Give the revision: a full commit SHA or refs/tags/<tag>.');

function problemInGitOpsRepository(path: string, revision: string | undefined): ReturnType<typeof issue> | undefined {
  if (revision !== undefined) {
    return issue(
      'INVALID_INPUT',
      'A chart in the GitOps repository has no revision of its own; its path names the version.',
    );
  }
  const [top, name, version, ...rest] = path.split('/');
  if (top !== 'charts' || rest.length > 0 || !chartName.safeParse(name).success) {
    return issue('PATH_INVALID', 'A chart in the GitOps repository lies in charts/<name>/<version>.');
  }
  return isExactVersion(version)
    ? undefined
    : issue(
        'CHART_VERSION_FLOATING',
        'A chart in the GitOps repository lies in charts/<name>/<version>, with an exact version.',
      );
}

/** A version that is left out floats as well, and is told so, which a required field could not. */
function pinnedChart<Type extends 'helm' | 'oci'>(type: Type, repoURL: z.ZodType<string>) {
  return z
    .strictObject({ type: z.literal(type), repoURL, chart: chartName, version: z.string().optional() })
    .superRefine(({ version }, context) => {
      if (isExactVersion(version)) return;
      context.addIssue({ code: 'custom', path: ['version'], message: floating.error, params: floating.params });
    });
}

export const chartSourceSchema: z.ZodType<ChartSource> = z.discriminatedUnion('type', [
  pinnedChart('helm', helmRepository),
  pinnedChart('oci', ociRegistry),
  gitChartSourceSchema as unknown as z.ZodObject<{ type: z.ZodLiteral<'git'> }>,
]) as unknown as z.ZodType<ChartSource>;

/**
 * Parses a pinned chart source.
 * @throws {CaelusError} `CHART_VERSION_FLOATING`, `REPOSITORY_URL_CREDENTIALS`, `REPOSITORY_URL_INVALID`, `PATH_INVALID`, `NAME_INVALID`, `INVALID_INPUT`
 */
export function parseChartSource(input: unknown): ChartSource {
  return parseInput(chartSourceSchema, input, 'The chart source');
}

/** Parses the URL of a Git repository. @throws {CaelusError} `REPOSITORY_URL_CREDENTIALS`, `REPOSITORY_URL_INVALID` */
export function parseGitRepositoryUrl(input: unknown): string {
  return parseInput(gitRepositorySchema, input, 'The Git repository URL');
}

/** The pinned version of a chart, for people: the chart's version, the tag, or the commit. */
export function chartVersionOf(chart: ChartSource): string {
  if (chart.type !== 'git') return chart.version;
  if (chart.revision !== undefined) return chart.revision.replace(/^refs\/tags\//, '');
  return chart.path.slice(chart.path.lastIndexOf('/') + 1);
}
