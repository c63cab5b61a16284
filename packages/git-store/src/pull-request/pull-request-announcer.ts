import type { CommitId, Logger } from '@caelus/core';
import type { PullRequest, PullRequestHost } from './pull-request.ts';

export interface PullRequestAnnouncer {
  /** Has the host know of what there is to merge, unless it does. Does not wait for it. */
  announce(base: CommitId, topic: CommitId): void;
  /** Ends when the host is not being asked. */
  settled(): Promise<void>;
}

export interface PullRequestAnnouncerOptions {
  readonly host: PullRequestHost;
  readonly logger: Logger;
  describe(base: CommitId, topic: CommitId): Promise<PullRequest>;
  /** In milliseconds. */
  readonly retryAfter: number;
}

/** Asks the host once for each commit of the topic branch, one at a time, the newest that is known. */
export function createPullRequestAnnouncer(options: PullRequestAnnouncerOptions): PullRequestAnnouncer {
  const { host, logger, describe, retryAfter } = options;
  let wanted: { readonly base: CommitId; readonly topic: CommitId } | undefined;
  let announced: CommitId | undefined;
  let notBefore = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    while (wanted !== undefined && wanted.topic !== announced) {
      const { base, topic } = wanted;
      try {
        await host.ensureOpen(await describe(base, topic));
        announced = topic;
      } catch (error) {
        notBefore = performance.now() + retryAfter;
        logger.warn('the pull request could not be opened or brought up to date; it is tried again', {
          topic,
          error: String(error),
        });
        return;
      }
    }
  }

  return {
    announce(base, topic) {
      wanted = { base, topic };
      if (running !== undefined || topic === announced || performance.now() < notBefore) return;
      running = run().finally(() => {
        running = undefined;
      });
    },
    async settled() {
      await running;
    },
  };
}
