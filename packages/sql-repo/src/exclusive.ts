import { abortable } from '@caelus/core/adapter';

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
