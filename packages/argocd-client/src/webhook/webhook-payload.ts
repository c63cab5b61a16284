import type { Change } from '@caelus/core';
import { hmac, toHex } from '../hmac.ts';

/** Whose format a webhook call has. Argo CD has one secret for each. */
export type WebhookProvider = 'github' | 'gitlab' | 'gitea' | 'bitbucket-server';

export const webhookProviders: readonly WebhookProvider[] = ['github', 'gitlab', 'gitea', 'bitbucket-server'];

/** What was pushed. */
export interface Push {
  /** The repository's page, as {@link toWebUrl} makes it. */
  readonly webUrl: string;
  readonly branch: string;
  /** The branch that `HEAD` of an Application means. */
  readonly defaultBranch: string;
  readonly commit: string;
}

export interface PushedFiles {
  readonly modified: readonly string[];
  readonly removed: readonly string[];
}

/**
 * The repository's page of a URL that Argo CD reads it by: what it looks for in a push event, whichever way its Applications write
 * the same repository (`https`, `ssh`, `git@host:path`, with or without `.git`).
 */
export function toWebUrl(repoURL: string): string {
  const [, host, path] = /^(?:[^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(repoURL) ?? [];
  const url = new URL(host === undefined ? repoURL : `https://${host}/${path}`);
  const scheme = url.protocol === 'http:' ? 'http' : 'https';
  return `${scheme}://${url.host}${url.pathname}`.replace(/\/+$/, '').replace(/\.git$/, '');
}

/** The body of a push event. It has no commit before: Argo CD would try to move the caches of every other Application. */
export function renderPush(provider: WebhookProvider, push: Push, { modified, removed }: PushedFiles): string {
  const { webUrl, branch, defaultBranch, commit } = push;
  const ref = `refs/heads/${branch}`;
  const commits = [{ id: commit, added: [], modified, removed }];
  switch (provider) {
    case 'github':
    case 'gitea':
      return JSON.stringify({
        ref,
        after: commit,
        repository: { html_url: webUrl, default_branch: defaultBranch },
        commits,
      });
    case 'gitlab':
      return JSON.stringify({
        object_kind: 'push',
        ref,
        after: commit,
        project: { web_url: webUrl, default_branch: defaultBranch },
        commits,
      });
    case 'bitbucket-server': {
      const clone = ['http', 'ssh'].map((name) => ({ name, href: webUrl }));
      const change = {
        ref: { id: ref, displayId: branch, type: 'BRANCH' },
        refId: ref,
        toHash: commit,
        type: 'UPDATE',
      };
      return JSON.stringify({ eventKey: 'repo:refs_changed', repository: { links: { clone } }, changes: [change] });
    }
  }
}

/** The headers by which Argo CD knows the format, and believes the sender. */
export async function webhookHeaders(
  provider: WebhookProvider,
  body: string,
  secret: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const signature = secret === undefined ? undefined : toHex(await hmac(secret, body));
  const signed = (header: string, prefix: string) => (signature === undefined ? {} : { [header]: prefix + signature });
  switch (provider) {
    case 'github':
      return { 'x-github-event': 'push', ...signed('x-hub-signature-256', 'sha256=') };
    case 'gitea':
      return { 'x-gogs-event': 'push', ...signed('x-gogs-signature', '') };
    case 'gitlab':
      // GitLab sends its secret as it is.
      return { 'x-gitlab-event': 'Push Hook', ...(secret === undefined ? {} : { 'x-gitlab-token': secret }) };
    case 'bitbucket-server':
      return { 'x-event-key': 'repo:refs_changed', ...signed('x-hub-signature', 'sha256=') };
  }
}

/**
 * Divides the files of a change into as few parts as fit into `mostBytes` each, of which `overhead` are taken. A part has a file at
 * least: an event that names none makes Argo CD refresh every Application of the repository.
 */
export function divideFiles(edits: Change, overhead: number, mostBytes: number): readonly PushedFiles[] {
  const parts: { modified: string[]; removed: string[] }[] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const { path, bytes } of edits) {
    // With its comma.
    const added = new TextEncoder().encode(JSON.stringify(path)).length + 1;
    if (length + added > mostBytes) {
      parts.push({ modified: [], removed: [] });
      length = overhead;
    }
    length += added;
    parts.at(-1)?.[bytes === null ? 'removed' : 'modified'].push(path);
  }
  return parts;
}
