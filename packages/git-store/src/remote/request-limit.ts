/** How long a request and its answer may take, and the caller's own wish to stop. */
export interface RequestLimit extends Disposable {
  /** For `fetch`. */
  readonly signal: AbortSignal;
  /** Gives the next request its whole time. */
  restart(): void;
  /** Lets time pass that is not the server's. */
  pause(): void;
  /** Throws what the caller stopped with, where it did. */
  throwIfStopped(): void;
  /** Waits for `promise`, or throws once the limit is reached. `promise` goes on. */
  race<T>(promise: Promise<T>): Promise<T>;
}

/**
 * Makes a limit that holds until it is disposed of. Not `AbortSignal.any` and `AbortSignal.timeout`: on Node.js 20 the garbage
 * collector takes the one out of the other, and then a body that stalls is read for ever.
 */
export function createRequestLimit(milliseconds: number, signal: AbortSignal | undefined): RequestLimit {
  const reached = new AbortController();
  const late = () => reached.abort(new DOMException(`No answer within ${milliseconds} ms.`, 'TimeoutError'));
  const stop = () => reached.abort(signal?.reason);
  let timer: NodeJS.Timeout | undefined;
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  return {
    signal: reached.signal,
    restart() {
      clearTimeout(timer);
      timer = setTimeout(late, milliseconds);
    },
    pause() {
      clearTimeout(timer);
    },
    throwIfStopped: () => signal?.throwIfAborted(),
    // Not Promise.race with one promise for the whole answer, which would keep every part of it.
    race: (promise) =>
      new Promise((resolve, reject) => {
        const fail = () => reject(reached.signal.reason);
        if (reached.signal.aborted) fail();
        reached.signal.addEventListener('abort', fail, { once: true });
        promise.then(resolve, reject).finally(() => reached.signal.removeEventListener('abort', fail));
      }),
    [Symbol.dispose]() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    },
  };
}
