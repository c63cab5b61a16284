import type { ApplicationEvent } from '@caelus/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubernetesStatusSourceOptions } from '../src/status/kubernetes-status-source.ts';
import { APPLICATIONS, fail, reply } from './fake-kubernetes-api.ts';
import { application, createSubject, type Subject } from './status-source-subject.ts';

/** Follows a watch, and knows what a reader of it knows. */
class Follower implements AsyncDisposable {
  readonly events: ApplicationEvent[] = [];
  readonly state: Map<string, string> = new Map();
  readonly ended: Promise<unknown>;
  private readonly stop = new AbortController();
  private wake: () => void = () => {};

  constructor(source: Subject['source']) {
    this.ended = this.follow(source).catch((error: unknown) => error);
  }

  private async follow(source: Subject['source']): Promise<undefined> {
    try {
      for await (const event of source.watch({ signal: this.stop.signal })) {
        this.events.push(event);
        if (event.type === 'present') {
          const { name } = event.application.metadata;
          this.state.set(name, event.application.status?.sync?.revisions?.[0] ?? '');
        } else if (event.type === 'absent') {
          this.state.delete(event.name);
        }
        this.wake();
      }
    } finally {
      this.wake();
    }
    return undefined;
  }

  /** Waits for a condition; fails where the watch ends before. */
  async until(condition: () => boolean): Promise<void> {
    let isOver: unknown = false;
    void this.ended.then((error) => {
      isOver = error ?? true;
      this.wake();
    });
    while (!condition()) {
      if (isOver !== false) throw isOver;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        // A condition may be about the server, of which nobody tells.
        setTimeout(resolve, 5);
      });
    }
  }

  async synced(): Promise<void> {
    await this.until(() => this.events.some(({ type }) => type === 'synced'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort(new Error('stopped by the test'));
    await this.ended;
  }
}

const watchesOf = ({ api }: Subject) => api.requests.filter(({ url }) => url.searchParams.get('watch') === 'true');
const listsOf = ({ api }: Subject) =>
  api.requests.filter(({ url }) => url.pathname === APPLICATIONS && url.searchParams.get('watch') !== 'true');

async function start(options: Partial<KubernetesStatusSourceOptions> = {}) {
  const subject = await createSubject(options);
  const follower = new Follower(subject.source);
  return {
    ...subject,
    subject,
    follower,
    async watching() {
      await follower.synced();
      await follower.until(() => subject.api.openWatches() === 1);
    },
    async [Symbol.asyncDispose]() {
      await follower[Symbol.asyncDispose]();
      await subject[Symbol.asyncDispose]();
    },
  };
}

describe('a watch of the Kubernetes API', () => {
  it('asks for what Caelus manages, with bookmarks, from the newest listed moment', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    const [list] = listsOf(watch.subject);
    expect(list?.url.searchParams.get('labelSelector')).toBe('app.kubernetes.io/managed-by=caelus,caelus.dev/instance');
    // Neither '' nor '0' is sent: the newest state, not what a cache has from some time before.
    expect(list?.url.searchParams.has('resourceVersion')).toBe(false);
    const [request] = watchesOf(watch.subject);
    expect(Object.fromEntries(request?.url.searchParams ?? [])).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'app.kubernetes.io/managed-by=caelus,caelus.dev/instance',
      resourceVersion: expect.stringMatching(/^\d+$/),
      timeoutSeconds: '300',
    });
  });

  it('leaves out Applications of others, and the roots', async () => {
    await using watch = await start();
    const foreign = application('foreign', 'a');
    watch.api.objects.put(`${APPLICATIONS}/foreign`, { ...foreign, metadata: { ...foreign.metadata, labels: {} } });
    await watch.put('one', 'a');
    await watch.watching();
    expect([...watch.follower.state.keys()]).toEqual(['one']);
  });

  it('does not carry what only the API server needs', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    expect(watch.follower.events[0]).not.toHaveProperty('application.metadata.managedFields');
  });

  it('goes on from a bookmark, and so needs no listing after a quiet time', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    // Others change what we do not watch: the moment moves on, and only a bookmark tells.
    for (let round = 0; round < 5; round++) {
      watch.api.objects.put('/api/v1/namespaces/x', { ...application('x', 'a'), kind: 'Namespace' });
    }
    watch.api.bookmark();
    watch.api.objects.compact();
    watch.api.endWatches();
    await watch.follower.until(() => watchesOf(watch.subject).length === 2);
    expect(watchesOf(watch.subject)[1]?.url.searchParams.get('resourceVersion')).toBe(
      String(watch.api.objects.version),
    );
    await watch.put('one', 'b');
    await watch.follower.until(() => watch.follower.state.get('one') === 'b');
    expect(listsOf(watch.subject)).toHaveLength(1);
  });

  it.each(['status', 'event'] as const)('lists anew when its moment is forgotten, told by a 410 as %s', async (how) => {
    await using watch = await start();
    watch.api.expiredAs = how;
    for (const name of ['one', 'two', 'three']) await watch.put(name, 'a');
    await watch.watching();
    watch.api.cutWatches();
    await watch.put('one', 'b');
    await watch.remove('two');
    watch.api.objects.compact();
    await watch.follower.until(() => watch.follower.state.get('one') === 'b' && !watch.follower.state.has('two'));
    expect([...watch.follower.state.keys()].sort()).toEqual(['one', 'three']);
    expect(watch.follower.events.filter(({ type }) => type === 'synced')).toHaveLength(1);
    // What did not change is not told again.
    const told = watch.follower.events.filter(
      (event) => event.type === 'present' && event.application.metadata.name === 'three',
    );
    expect(told).toHaveLength(1);
  });

  it('goes on where it was when the server ends it, and does not list again', async () => {
    await using watch = await start({ watchSeconds: 1 });
    await watch.put('one', 'a');
    await watch.watching();
    await watch.follower.until(() => watchesOf(watch.subject).length >= 2);
    await watch.put('one', 'b');
    await watch.follower.until(() => watch.follower.state.get('one') === 'b');
    // Beside the listing, only a look at the server's version.
    expect(listsOf(watch.subject).filter(({ url }) => url.searchParams.get('limit') !== '1')).toHaveLength(1);
  });

  it('tells of a deletion between the listing and the watch', async () => {
    await using subject = await createSubject();
    await subject.put('one', 'a');
    subject.api.interceptors.push(({ url }, response) => {
      if (url.pathname !== APPLICATIONS) return false;
      const [item] = subject.api.objects.below((path) => path.startsWith(APPLICATIONS));
      reply(response, 200, { metadata: { resourceVersion: String(subject.api.objects.version) }, items: [item] });
      // After the answer, before any watch.
      subject.api.objects.write(`${APPLICATIONS}/one`, undefined);
      return true;
    });
    await using follower = new Follower(subject.source);
    await follower.until(() => follower.events.at(-1)?.type === 'absent');
    expect(follower.events.map(({ type }) => type)).toEqual(['present', 'synced', 'absent']);
  });

  it('does not take the loss of a label for a deletion', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    const { metadata, ...rest } = application('one', 'b');
    watch.api.objects.put(`${APPLICATIONS}/one`, { ...rest, metadata: { ...metadata, labels: {} } });
    await watch.follower.until(() => watch.follower.state.get('one') === 'b');
    expect(watch.follower.events.map(({ type }) => type)).toEqual(['present', 'synced', 'present']);
  });

  it('tells the new one where an Application was deleted and made again', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    await watch.remove('one');
    await watch.put('one', 'b');
    await watch.follower.until(() => watch.follower.state.get('one') === 'b');
  });

  it('is not stopped by a server that is restarted, is overloaded, or ends each watch at once', async () => {
    await using watch = await start();
    await watch.watching();
    const { interceptors } = watch.api;
    interceptors.push(
      (_, response) => fail(response, 503, 'ServiceUnavailable') !== undefined,
      (_, response) => fail(response, 429, 'TooManyRequests') !== undefined,
      (_, response) => response.destroy() !== undefined,
      ({ url }, response) => url.searchParams.has('watch') && response.writeHead(200).end() !== undefined,
    );
    watch.api.cutWatches();
    await watch.follower.until(() => interceptors.length === 0 && watch.api.openWatches() === 1);
    await watch.put('one', 'a');
    await watch.follower.until(() => watch.follower.state.get('one') === 'a');
  });

  it('lists anew after its version failed twice', async () => {
    await using watch = await start();
    await watch.put('one', 'a');
    await watch.watching();
    // The cut is the first failure, this the second.
    watch.api.interceptors.push(
      ({ url }, response) => url.searchParams.has('watch') && fail(response, 504, 'Timeout') !== undefined,
    );
    watch.api.cutWatches();
    await watch.follower.until(() => watch.api.interceptors.length === 0 && watch.api.openWatches() === 1);
    expect(listsOf(watch.subject)).toHaveLength(2);
  });

  it('lists anew after a server was restored from before, which then waits for our version without a word', async () => {
    await using watch = await start({ watchSeconds: 2 });
    await watch.put('one', 'a');
    await watch.watching();
    // The restored server has another state, and a version of long ago.
    watch.api.objects.restore(50);
    await watch.put('one', 'older');
    await watch.follower.until(() => watch.follower.state.get('one') === 'older');
  });

  it('gives up after too many failures in a row', async () => {
    await using watch = await start({ retries: 2 });
    await watch.watching();
    // The cut is the first failure.
    for (let round = 0; round < 2; round++) {
      watch.api.interceptors.push((_, response) => fail(response, 503, 'ServiceUnavailable') !== undefined);
    }
    watch.api.cutWatches();
    expect(await watch.follower.ended).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(watch.api.interceptors).toHaveLength(0);
  });

  it.each([
    { what: 'watch applications', code: 'KUBERNETES_ACCESS_DENIED' },
    { what: 'list applications', code: 'KUBERNETES_ACCESS_DENIED' },
  ])('fails at once where it may not $what', async ({ what, code }) => {
    await using subject = await createSubject();
    subject.api.forbidden.add(what);
    await using follower = new Follower(subject.source);
    expect(await follower.ended).toMatchObject({ code, retryable: false });
  });

  it('fails at once where Argo CD is not installed', async () => {
    await using subject = await createSubject();
    subject.api.served.delete('applications');
    await using follower = new Follower(subject.source);
    expect(await follower.ended).toMatchObject({ code: 'KUBERNETES_RESOURCE_UNKNOWN' });
  });

  it('comes to the state of the server, whatever breaks on the way', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          put: fc.constantFrom(...names),
          revision: fc.string({ unit: fc.constantFrom(...'abcdef'), maxLength: 4 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ remove: fc.constantFrom(...names) }) },
      { weight: 2, arbitrary: fc.record({ cutAfter: fc.integer({ min: 1, max: 1500 }) }) },
      { weight: 1, arbitrary: fc.constantFrom('cut', 'end', 'bookmark', 'compact', 'compact-cut', 'look') },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom('status' as const, 'event' as const),
        fc.integer({ min: 1, max: 3 }),
        async (steps, expiredAs, pageSize) => {
          await using watch = await start({ pageSize, retries: 100 });
          watch.api.expiredAs = expiredAs;
          for (const action of steps) {
            if (action === 'cut') watch.api.cutWatches();
            else if (action === 'end') watch.api.endWatches();
            else if (action === 'bookmark') watch.api.bookmark();
            else if (action === 'compact') watch.api.objects.compact();
            else if (action === 'look') await watch.watching();
            else if (action === 'compact-cut') {
              watch.api.objects.compact();
              watch.api.cutWatches();
            } else if ('put' in action) await watch.put(action.put, action.revision);
            else if ('remove' in action) await watch.remove(action.remove);
            else watch.api.cutAfterBytes = action.cutAfter;
          }
          watch.api.cutAfterBytes = undefined;
          watch.api.cutWatches();
          // The last change of all: once it is known, so is everything before it.
          await watch.put('last', 'last');
          const wanted = new Map<string, string>();
          for (const each of watch.api.objects.below((path) => path.startsWith(APPLICATIONS))) {
            const { sync } = each.status as { sync: { revisions: readonly string[] } };
            wanted.set(each.metadata.name, sync.revisions[0] ?? '');
          }
          const isThere = () =>
            watch.follower.events.some(({ type }) => type === 'synced') &&
            watch.follower.state.size === wanted.size &&
            [...wanted].every(([name, revision]) => watch.follower.state.get(name) === revision);
          await watch.follower.until(isThere);
          expect(watch.follower.events.filter(({ type }) => type === 'synced').length).toBe(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});
