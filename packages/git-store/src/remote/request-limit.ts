import { abortable, createLinkedAbort } from '@caelus/core/adapter';

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

/** Makes a limit that holds until it is disposed of. */
export function createRequestLimit(milliseconds: number, signal: AbortSignal | undefined): RequestLimit {
  const reached = createLinkedAbort(signal);
  const late = () => reached.abort(new DOMException(`No answer within ${milliseconds} ms.`, 'TimeoutError'));
  let timer: NodeJS.Timeout | undefined;
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
    race: (promise) => abortable(promise, reached.signal),
    [Symbol.dispose]() {
      clearTimeout(timer);
      reached[Symbol.dispose]();
    },
  };
}
