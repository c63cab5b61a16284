/** What `promise` gives, or the signal's reason as soon as it is aborted. `promise` goes on, and what it throws later is nobody's. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  // Not Promise.race with a promise of the signal's own, which would keep the result of every call for as long as the signal lives.
  return new Promise<T>((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
