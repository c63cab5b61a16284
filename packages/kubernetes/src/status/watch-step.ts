/** What a watch knows of itself between two requests. */
export interface WatchProgress {
  /** The moment up to which changes are known; `undefined` where everything has to be listed anew. */
  readonly resourceVersion: string | undefined;
  /** Requests that brought nothing, one after the other. */
  readonly failures: number;
}

/** What became of one request. */
export type WatchOutcome =
  /** Everything was listed, as of this moment. */
  | { readonly type: 'listed'; readonly resourceVersion: string }
  /** The watch told of something, and is now at this moment. */
  | { readonly type: 'advanced'; readonly resourceVersion: string }
  /** The watch ended as it should, after a while. */
  | { readonly type: 'ended' }
  /** The server no longer knows what happened since. */
  | { readonly type: 'expired' }
  /** The connection broke, the server is overloaded, or the watch ended as soon as it had begun. */
  | { readonly type: 'failed'; readonly waitSeconds?: number | undefined };

/** How long to wait after failures, and how many of them are too many. */
export interface WatchPatience {
  readonly baseMilliseconds: number;
  readonly mostMilliseconds: number;
  readonly failures: number;
}

/** What to do next. */
export type WatchStep =
  | { readonly type: 'list' | 'watch'; readonly progress: WatchProgress; readonly wait: WaitBounds }
  | { readonly type: 'give-up' };

/** In milliseconds: at least the first, and a random part of the second besides. */
export interface WaitBounds {
  readonly least: number;
  readonly random: number;
}

const NO_WAIT: WaitBounds = { least: 0, random: 0 };

/** Where every watch begins. */
export const WATCH_START: WatchProgress = { resourceVersion: undefined, failures: 0 };

/**
 * Decides what a watch does after a request: goes on from where it was, lists everything anew, waits before that, or gives up.
 * A moment that failed twice is given up for a new listing: the server may have been restored from before it.
 */
export function nextWatchStep(before: WatchProgress, outcome: WatchOutcome, patience: WatchPatience): WatchStep {
  switch (outcome.type) {
    case 'listed':
    case 'advanced': {
      const { resourceVersion } = outcome;
      // A listing is no proof that watching works, so it forgives nothing.
      const failures = outcome.type === 'listed' ? before.failures : 0;
      return { type: 'watch', progress: { resourceVersion, failures }, wait: NO_WAIT };
    }
    case 'ended':
      return stepAfter({ ...before, failures: 0 }, NO_WAIT);
    case 'expired':
      return before.failures === 0
        ? stepAfter({ resourceVersion: undefined, failures: 1 }, NO_WAIT)
        : failed({ ...before, resourceVersion: undefined }, 0, patience);
    case 'failed':
      return failed(before, outcome.waitSeconds ?? 0, patience);
  }
}

function failed(before: WatchProgress, waitSeconds: number, patience: WatchPatience): WatchStep {
  const failures = before.failures + 1;
  if (failures > patience.failures) return { type: 'give-up' };
  const random = Math.min(patience.mostMilliseconds, patience.baseMilliseconds * 2 ** (failures - 1));
  const least = Math.min(patience.mostMilliseconds, waitSeconds * 1000);
  const resourceVersion = failures >= 2 ? undefined : before.resourceVersion;
  return stepAfter({ resourceVersion, failures }, { least, random });
}

function stepAfter(progress: WatchProgress, wait: WaitBounds): WatchStep {
  return { type: progress.resourceVersion === undefined ? 'list' : 'watch', progress, wait };
}
