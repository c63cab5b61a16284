import type { CallOptions, CommitId, CommitRecord } from '@caelus/core';

/** Writing to a topic branch that people merge, in place of the branch itself. */
export interface PullRequestSettings {
  /** Where the store writes; made from the branch, and again once it was merged. Default `caelus/changes`. */
  readonly topicBranch?: string | undefined;
  readonly host: PullRequestHost;
}

/** The service where requests are opened and merged: GitHub, GitLab, Gitea, or a person with a mailbox. */
export interface PullRequestHost {
  /**
   * Opens the request, or brings the open one of the same topic branch up to date. Called in the background after the topic
   * branch has moved, and when a store finds one open; called again for the same commit after a failure or a new start. So
   * look for an open request first. What it throws is logged, and it is called again half a minute later at the earliest.
   */
  ensureOpen(request: PullRequest, options?: CallOptions): Promise<void>;
}

/** What a host needs to open a request. */
export interface PullRequest {
  /** `null` where the branch lives in the store's own directory. */
  readonly remoteUrl: string | null;
  readonly base: BranchTip;
  readonly topic: BranchTip;
  /** One line. */
  readonly title: string;
  /** The messages of the commits, newest first, as blocks that Markdown leaves alone. At most 60,000 characters. */
  readonly body: string;
  /** What the request adds to the base, newest first; at most 100 commits. */
  readonly commits: readonly CommitRecord[];
}

export interface BranchTip {
  /** The short name: `main`. */
  readonly branch: string;
  readonly commit: CommitId;
}

export const DEFAULT_TOPIC_BRANCH = 'caelus/changes';
/** The most commits that are shown. */
export const MOST_SHOWN_COMMITS = 100;
/** GitHub takes 65,536 characters. */
const BODY_LENGTH = 60_000;

/** Puts commits, newest first, into words. */
export function describeCommits(commits: readonly CommitRecord[]): Pick<PullRequest, 'title' | 'body'> {
  const subjects = commits.map(({ message }) => message.split('\n', 1)[0] ?? '');
  const [newest = ''] = subjects;
  const others = commits.length - 1;
  const least = commits.length < MOST_SHOWN_COMMITS ? '' : 'at least ';
  const title = others <= 0 ? newest : `${newest}, and ${least}${others} more`;
  let body = '';
  for (const { commit, message } of commits) {
    // Indented, so that what a user named something cannot mention people or make links.
    const block = [commit, '', ...message.trimEnd().split('\n')].map((line) => `    ${line}`.trimEnd()).join('\n');
    if (body.length + block.length + 2 > BODY_LENGTH) break;
    body += `${block}\n\n`;
  }
  return { title, body };
}
