/** What `promise` gives, or `signal.reason` as soon as the signal is aborted while `isWaiting` says so. */
export function abortable<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  isWaiting: () => boolean = () => true,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const stop = () => {
      if (isWaiting()) reject(signal.reason);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Runs one body at a time, in the order of the calls; one that is stopped while it waits never runs. */
export type Exclusive = <T>(body: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return async (body, signal) => {
    const before = last;
    const { promise, leave } = turn();
    last = before.then(() => promise);
    try {
      await abortable(before, signal);
      return await body();
    } finally {
      leave();
    }
  };
}

function turn(): { readonly promise: Promise<void>; leave(): void } {
  let leave = () => {};
  const promise = new Promise<void>((resolve) => {
    leave = resolve;
  });
  return { promise, leave: () => leave() };
}
