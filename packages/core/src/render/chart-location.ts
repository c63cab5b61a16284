import { CaelusError } from '../errors.ts';
import { parseRepoPath, type RepoPath, underPrefix } from '../layout/repo-path.ts';
import type { ChartSource } from '../model/chart-source.ts';
import type { RenderContext } from './render-context.ts';

/** A chart as Argo CD's sources name it. */
export type ChartLocation =
  | { readonly kind: 'registry'; readonly repoURL: string; readonly chart: string; readonly targetRevision: string }
  | { readonly kind: 'git'; readonly repoURL: string; readonly path: string; readonly targetRevision: string }
  /** In the GitOps repository, at the commit that the instance's values are read from. */
  | { readonly kind: 'gitops'; readonly path: RepoPath };

/** A path as Argo CD finds it in the GitOps repository. */
export function gitOpsPath({ gitOps }: RenderContext, path: RepoPath): RepoPath {
  return underPrefix(gitOps.pathPrefix, path);
}

/** The revision that every source in the GitOps repository has: fully qualified, so that no tag can take its place. */
export function gitOpsRevision({ gitOps }: RenderContext): string {
  return `refs/heads/${gitOps.branch}`;
}

/**
 * Where Argo CD finds a chart.
 * @throws {CaelusError} `INVALID_INPUT` for a revision of its own in the GitOps repository
 */
export function chartLocation(chart: ChartSource, context: RenderContext): ChartLocation {
  if (chart.type !== 'git') {
    // Argo CD takes a repository without a scheme for a registry of Helm charts; oci:// is its other, native OCI source.
    const repoURL = chart.type === 'oci' ? withoutScheme(chart.repoURL) : chart.repoURL;
    return { kind: 'registry', repoURL, chart: chart.chart, targetRevision: chart.version };
  }
  if (chart.repoURL === undefined || chart.revision === undefined)
    return { kind: 'gitops', path: parseRepoPath(chart.path) };
  if (repositoryIdentity(chart.repoURL) === repositoryIdentity(context.gitOps.repoURL)) throw secondRevision();
  return { kind: 'git', repoURL: chart.repoURL, path: chart.path, targetRevision: chart.revision };
}

/** An OCI repository as Argo CD's Helm sources and AppProjects name it. */
export function withoutScheme(repoURL: string): string {
  return repoURL.replace(/^oci:\/\//, '');
}

/** What Argo CD takes for one repository: it disregards case, the `.git` suffix and how SSH is written. */
function repositoryIdentity(repoURL: string): string {
  const scpLike = /^([^/:]+@[^/:]+):(?!\d*\/)(.*)$/.exec(repoURL);
  const url = scpLike === null ? repoURL : `ssh://${scpLike[1]}/${scpLike[2]}`;
  return url
    .toLowerCase()
    .replace(/\/$/, '')
    .replace(/\.git$/, '');
}

function secondRevision(): CaelusError {
  const message =
    'A chart in the GitOps repository cannot have a revision of its own, because Argo CD reads one revision of a repository in an Application. Leave out its repoURL and revision, and keep it in charts/<name>/<version>.';
  const details = { issues: [{ path: '/templateVersion/chart/repoURL', message }] };
  return new CaelusError({ code: 'INVALID_INPUT', message, details });
}
