import type { Clock, Logger, Repository, RepositoryNews } from '@caelus/core';
import type { Timings } from './caelus-options.ts';
import { messageOf } from './message-of.ts';
import { retryDelay } from './retry-delay.ts';

/** Hears what other processes commit, for as long as somebody in this process waits for it. */
export interface NewsFeed {
  /** Begins to listen, or goes on. Call what it returns, once, when one no longer waits. */
  hold(): () => Promise<void>;
}

export interface NewsFeedParts {
  /** Left out where the database cannot tell, or is not to be asked. */
  readonly onNews: Repository['onNews'];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timings: Pick<Timings, 'retry' | 'retryLimit'>;
  readonly random: () => number;
  readonly hear: (news: RepositoryNews) => void;
}

/** Where it cannot listen, it tries again from time to time; those who wait look for themselves meanwhile. */
export function createNewsFeed(parts: NewsFeedParts): NewsFeed {
  let holders = 0;
  let listening: { readonly end: AbortController; readonly ended: Promise<void> } | undefined;
  return {
    hold() {
      holders += 1;
      if (listening === undefined) {
        const end = new AbortController();
        listening = { end, ended: listen(parts, end.signal) };
      }
      const mine = listening;
      let isHeld = true;
      return async () => {
        if (isHeld) holders -= 1;
        isHeld = false;
        if (holders > 0) return;
        if (listening === mine) listening = undefined;
        mine.end.abort(new Error('Nobody waits for news.'));
        await mine.ended;
      };
    },
  };
}

async function listen(parts: NewsFeedParts, signal: AbortSignal): Promise<void> {
  const { onNews, clock, logger, timings, random, hear } = parts;
  for (let failures = 0; onNews !== undefined && !signal.aborted; failures++) {
    try {
      const stop = await onNews((news) => {
        if (!signal.aborted) hear(news);
      });
      await aborted(signal);
      await stop().catch((error: unknown) => logger.debug('A listener was lost.', { message: messageOf(error) }));
      return;
    } catch (error) {
      logger.warn('The database does not tell its news; looking from time to time.', { message: messageOf(error) });
      await clock.sleep(retryDelay(failures, timings, random()), { signal }).catch(() => {});
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
