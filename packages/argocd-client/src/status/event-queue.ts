import type { ApplicationEvent } from '@caelus/core';

/** What waits for whoever reads. Of each Application it keeps the last event only, so a slow reader costs no memory. */
export interface EventQueue {
  put(event: ApplicationEvent): void;
  /** Makes the reader fail, before what still waits. */
  fail(error: unknown): void;
  /** The next event, as soon as there is one. Rejects with the reason of the signal. */
  next(signal: AbortSignal): Promise<ApplicationEvent>;
}

export function createEventQueue(): EventQueue {
  // An event that replaces another keeps its place.
  const waiting = new Map<string, ApplicationEvent>();
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  return {
    put(event) {
      const name =
        event.type === 'present' ? event.application.metadata.name : event.type === 'absent' ? event.name : '';
      waiting.set(name, event);
      wake();
    },
    fail(error) {
      failure ??= { error };
      wake();
    },
    async next(signal) {
      for (;;) {
        signal.throwIfAborted();
        if (failure !== undefined) throw failure.error;
        for (const [name, event] of waiting) {
          waiting.delete(name);
          return event;
        }
        await new Promise<void>((resolve) => {
          wake = () => {
            // The signal may live as long as the host.
            signal.removeEventListener('abort', wake);
            resolve();
          };
          signal.addEventListener('abort', wake);
        });
      }
    },
  };
}
