/** Something that can be stopped by itself, and is stopped with others. */
export interface LinkedAbort extends Disposable {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

/**
 * Makes an abort that follows the given signals until it is disposed of. Unlike `AbortSignal.any` and the signal of a `Request`, it
 * is held by what it follows: on Node.js 20 the garbage collector takes a timeout out of the one, and the source of the other, and
 * then a body that never ends is read for ever.
 */
export function createLinkedAbort(...signals: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController();
  const links = signals.flatMap((signal) => {
    if (signal === undefined) return [];
    const follow = () => controller.abort(signal.reason);
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    return [() => signal.removeEventListener('abort', follow)];
  });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]() {
      for (const unlink of links) unlink();
    },
  };
}
