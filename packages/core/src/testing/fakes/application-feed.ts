import type { CallOptions } from '../../call-options.ts';
import type { ApplicationEvent, StatusSource } from '../../ports/status-source.ts';
import type { Application } from '../../status/application.ts';

/** Applications that a test puts and removes, and the status source that reports them. */
export interface ApplicationFeed {
  readonly source: StatusSource;
  put(application: Application): void;
  remove(name: string): void;
}

/** Makes an empty feed. A watcher that reads slowly gets the last state of each Application, not every one. */
export function createApplicationFeed(name: string): ApplicationFeed {
  const applications = new Map<string, Application>();
  const watchers = new Set<{ readonly changed: Set<string>; wake(): void }>();

  function changed(application: string): void {
    for (const watcher of watchers) {
      watcher.changed.add(application);
      watcher.wake();
    }
  }

  const eventOf = (application: string): ApplicationEvent => {
    const found = applications.get(application);
    return found ? { type: 'present', application: found } : { type: 'absent', name: application };
  };

  async function* watch({ signal }: CallOptions = {}): AsyncGenerator<ApplicationEvent> {
    signal?.throwIfAborted();
    const watcher = { changed: new Set<string>(), wake: (): void => {} };
    watchers.add(watcher);
    try {
      for (const application of [...applications.values()]) yield { type: 'present', application };
      yield { type: 'synced' };
      for (;;) {
        signal?.throwIfAborted();
        const [next] = watcher.changed;
        if (next === undefined) {
          await new Promise<void>((resolve, reject) => {
            const stop = () => reject(signal?.reason);
            watcher.wake = () => {
              signal?.removeEventListener('abort', stop);
              resolve();
            };
            signal?.addEventListener('abort', stop, { once: true });
          });
        } else {
          watcher.changed.delete(next);
          yield eventOf(next);
        }
      }
    } finally {
      watchers.delete(watcher);
    }
  }

  return {
    put(application) {
      applications.set(application.metadata.name, structuredClone(application));
      changed(application.metadata.name);
    },
    remove(application) {
      applications.delete(application);
      changed(application);
    },
    source: {
      name,
      async get(application, { signal } = {}) {
        signal?.throwIfAborted();
        return applications.get(application);
      },
      async *list({ signal } = {}) {
        for (const application of [...applications.values()]) {
          signal?.throwIfAborted();
          yield application;
        }
        signal?.throwIfAborted();
      },
      watch,
      async [Symbol.asyncDispose]() {},
    },
  };
}
