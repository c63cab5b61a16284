import { setTimeout as wait } from 'node:timers/promises';
import { type ApplicationEvent, isCaelusError, type StatusSource } from '@caelus/core';
import { createManualClock } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import { type ArgoCdClientOptions, createArgoCdClient, createArgoCdStatusSource } from '../src/index.ts';
import { collectGarbageUntil } from './collect-garbage.ts';
import { createFakeArgoCd, type FakeArgoCd } from './fake-argo-cd.ts';

const DEADLINE = 30_000;

/** A source over a fake Argo CD and a clock that stands still, and somebody who listens to it. */
async function setUp({ token = 'secret-token-1', ...rest }: Partial<ArgoCdClientOptions> = {}) {
  const fake = await createFakeArgoCd();
  const clock = createManualClock();
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (message: string) => void warnings.push(message) };
  const client = createArgoCdClient({ baseUrl: fake.url, token, clock, retries: 0, ...rest });
  const source = createArgoCdStatusSource({ client, projects: ['caelus-stable', 'caelus-beta'], clock, logger });
  const listener = listen(source);

  /** Lets the clock run, until something is so. */
  async function until(condition: () => boolean, step = 100): Promise<void> {
    const deadline = Date.now() + DEADLINE;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`It did not become so: ${condition}`);
      clock.advance(step);
      await wait(1);
    }
  }

  return {
    fake,
    clock,
    source,
    warnings,
    ...listener,
    until,
    /** Until everything was listed that the stream may have missed at its start. */
    async settled() {
      const lists = () => fake.requests.filter(({ path }) => path === '/api/v1/applications').length;
      await until(
        () => listener.events.some(({ type }) => type === 'synced') && fake.openStreams === 1 && lists() >= 2,
      );
    },
    async [Symbol.asyncDispose]() {
      await listener.stop();
      await source[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

function listen(source: StatusSource) {
  const events: ApplicationEvent[] = [];
  const view = new Map<string, string | undefined>();
  const stopping = new AbortController();
  const failure: { error?: unknown } = {};
  const done = (async () => {
    for await (const event of source.watch({ signal: stopping.signal })) {
      events.push(event);
      if (event.type === 'present') {
        view.set(event.application.metadata.name, event.application.status?.sync?.revision);
      } else if (event.type === 'absent') view.delete(event.name);
    }
  })().catch((error: unknown) => {
    failure.error = error;
  });
  return {
    events,
    view,
    failure,
    async stop() {
      stopping.abort(new Error('stopped'));
      await done;
    },
  };
}

const streamsOf = ({ requests }: FakeArgoCd) => requests.filter(({ path }) => path.includes('stream')).length;
const absences = (events: readonly ApplicationEvent[]) =>
  events.flatMap((event) => (event.type === 'absent' ? [event.name] : []));

describe('the watch', () => {
  it('finds what the stream lost because it was read too slowly, and lists sooner from then on', async () => {
    // The clock runs much faster than the keep-alives come.
    await using watched = await setUp({ streamIdleMilliseconds: 3_600_000 });
    const { fake, view, warnings, until } = watched;
    for (const name of ['one', 'two', 'three']) fake.put({ name, revision: 'first' });
    await watched.settled();
    fake.bufferSize = 1;
    fake.setStalled(true);
    for (const name of ['one', 'two']) fake.put({ name, revision: 'second' });
    fake.remove('three');
    fake.setStalled(false);
    await until(() => view.get('one') === 'second');
    expect(view.get('two')).toBe('first');
    await until(() => view.get('two') === 'second' && !view.has('three'), 10_000);
    await until(() => warnings.length > 0, 10_000);
    expect(warnings[0]).toContain('loses events');
  });

  it('finds what happened between the snapshot of the stream and its subscription', async () => {
    await using watched = await setUp();
    const { fake, view, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    fake.put({ name: 'two', revision: 'first' });
    await until(() => watched.events.some(({ type }) => type === 'synced') && fake.openStreams === 1, 0);
    fake.loseEvents(true);
    fake.put({ name: 'one', revision: 'second' });
    fake.remove('two');
    fake.put({ name: 'three', revision: 'first' });
    fake.loseEvents(false);
    const started = watched.clock.now().getTime();
    await until(() => view.get('one') === 'second' && !view.has('two') && view.has('three'));
    expect(watched.clock.now().getTime() - started).toBeLessThan(60_000);
  });

  it.each(['end', 'reset', 'half-frame'] as const)('goes on after %s, with what changed meanwhile', async (how) => {
    await using watched = await setUp();
    const { fake, view, until } = watched;
    for (const name of ['one', 'two']) fake.put({ name, revision: 'first' });
    await watched.settled();
    fake.cutStreams(how);
    fake.put({ name: 'one', revision: 'second' });
    fake.remove('two');
    fake.put({ name: 'three', revision: 'first' });
    await until(() => view.get('one') === 'second' && !view.has('two') && view.has('three'));
    await until(() => fake.openStreams === 1);
    fake.put({ name: 'one', revision: 'third' });
    await until(() => view.get('one') === 'third', 0);
    expect(watched.events.filter(({ type }) => type === 'synced')).toHaveLength(1);
    expect(absences(watched.events)).toEqual(['two']);
  });

  it('goes on after an error that passes, and fails with one that does not', async () => {
    await using watched = await setUp();
    const { fake, failure, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    const errorFrame = (code: number, status: number) =>
      `data: ${JSON.stringify({ error: { grpc_code: code, http_code: status, message: 'no', http_status: '' } })} \n\n`;
    fake.sendRaw(errorFrame(14, 503));
    await until(() => fake.openStreams === 1 && streamsOf(fake) === 2);
    expect(failure.error).toBeUndefined();
    fake.sendRaw(errorFrame(7, 403));
    await until(() => failure.error !== undefined);
    expect(isCaelusError(failure.error, 'ARGOCD_ACCESS_DENIED')).toBe(true);
  });

  it('takes a connection that brings nothing for 45 seconds, not even a keep-alive, for dead', async () => {
    await using watched = await setUp();
    const { fake, clock, view, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    const streams = () => streamsOf(fake);
    const before = streams();
    fake.setStalled(true);
    fake.put({ name: 'one', revision: 'second' });
    clock.advance(44_000);
    await wait(20);
    expect(streams()).toBe(before);
    await until(() => streams() > before);
    await until(() => fake.openStreams === 1 && view.get('one') === 'second');
  });

  it('asks for another token when the old one ends', async () => {
    let number = 1;
    await using watched = await setUp({ token: async () => `secret-token-${number++}` });
    const { fake, view, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    fake.token = 'secret-token-2';
    fake.cutStreams('end');
    fake.put({ name: 'one', revision: 'second' });
    await until(() => view.get('one') === 'second' && fake.openStreams === 1);
    expect(number).toBe(3);
  });

  it('never takes what it may no longer see for gone', async () => {
    await using watched = await setUp();
    const { fake, failure, events, until } = watched;
    for (const name of ['one', 'two']) fake.put({ name, revision: 'first' });
    await watched.settled();
    fake.deniedProjects.add('caelus-stable');
    fake.cutStreams('end');
    await until(() => failure.error !== undefined, 1000);
    expect(isCaelusError(failure.error, 'ARGOCD_ACCESS_DENIED')).toBe(true);
    expect(absences(events)).toEqual([]);
  });

  it('never takes what a listing lacks for gone before Argo CD says so of that one', async () => {
    await using watched = await setUp();
    const { fake, events, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    let lists = 0;
    fake.intercept = ({ path }, response) => {
      if (path !== '/api/v1/applications') return false;
      lists += 1;
      response.setHeader('content-type', 'application/json');
      response.end('{"items":[],"metadata":{"resourceVersion":"1"}}');
      return true;
    };
    await until(() => lists >= 2, 10_000);
    expect(absences(events)).toEqual([]);
  });

  it('is not led back by a listing that is older than the stream', async () => {
    await using watched = await setUp();
    const { fake, events, view, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    fake.put({ name: 'two', revision: 'first' });
    const old = JSON.stringify({ items: [fake.get('one'), fake.get('two')], metadata: {} });
    await watched.settled();
    fake.put({ name: 'one', revision: 'second' });
    fake.remove('two');
    await until(() => view.get('one') === 'second' && !view.has('two'), 0);
    const before = events.length;
    let lists = 0;
    fake.intercept = ({ path }, response) => {
      if (path !== '/api/v1/applications') return false;
      lists += 1;
      response.setHeader('content-type', 'application/json');
      response.end(old);
      return true;
    };
    await until(() => lists >= 2, 10_000);
    expect(events.slice(before)).toEqual([]);
  });

  it('reads frames that are cut at every byte, with characters of every length', async () => {
    await using watched = await setUp();
    const { fake, view, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    const { metadata, spec } = fake.get('one') ?? { metadata: { name: '' }, spec: {} };
    const revision = 'ä€😀\u2028"\\n';
    const application = { metadata: { ...metadata, resourceVersion: '900' }, spec, status: { sync: { revision } } };
    fake.sendRaw(`:\n:\ndata: ${JSON.stringify({ result: { type: 'MODIFIED', application } })} \n\n:\n`, 1);
    await until(() => view.get('one') === revision, 0);
  });

  it('reads a frame of many megabytes', async () => {
    await using watched = await setUp();
    const { fake, view, until } = watched;
    await watched.settled();
    fake.put({ name: 'one', revision: 'x'.repeat(5_000_000) });
    await until(() => view.get('one')?.length === 5_000_000, 0);
  });

  it('fails after ten failures in a row', async () => {
    await using watched = await setUp();
    const { fake, failure, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    fake.intercept = (_request, response) => {
      response.writeHead(503).end();
      return true;
    };
    const before = fake.requests.length;
    fake.cutStreams('reset');
    await until(() => failure.error !== undefined, 1000);
    expect(isCaelusError(failure.error, 'UNAVAILABLE')).toBe(true);
    const streams = fake.requests.slice(before).filter(({ path }) => path.includes('stream'));
    expect(streams.length).toBeLessThanOrEqual(9);
  });

  it('lets go of its connection when nobody listens any more, and when the source is closed', async () => {
    await using watched = await setUp();
    const { fake, source, failure, until } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    for await (const event of source.watch()) {
      if (event.type === 'synced') break;
    }
    await until(() => fake.openStreams === 1, 0);
    await source[Symbol.asyncDispose]();
    await until(() => failure.error !== undefined && fake.openStreams === 0, 0);
  });

  it('stops while nothing arrives, whatever the garbage collector did', async () => {
    await using watched = await setUp();
    const { fake, stop, failure } = watched;
    fake.put({ name: 'one', revision: 'first' });
    await watched.settled();
    await collectGarbageUntil(wait(100));
    await stop();
    expect(failure.error).toEqual(new Error('stopped'));
    await watched.until(() => fake.openStreams === 0, 0);
  });

  it('asks for what Caelus manages, without leaving out fields', async () => {
    await using watched = await setUp();
    watched.fake.put({ name: 'other', labels: {} });
    watched.fake.put({ name: 'mine' });
    await watched.settled();
    expect([...watched.view.keys()]).toEqual(['mine']);
    for (const { query, headers, path } of watched.fake.requests) {
      expect(query.get('selector')).toBe('app.kubernetes.io/managed-by=caelus,caelus.dev/instance');
      expect(query.getAll('projects')).toEqual(['caelus-stable', 'caelus-beta']);
      expect(query.has('fields') || query.has('resourceVersion')).toBe(false);
      expect(headers.accept).toBe(path.includes('stream') ? 'text/event-stream' : 'application/json');
    }
  });
});

describe('the status source', () => {
  const sourceOf = (fake: FakeArgoCd, projects: readonly string[] = ['caelus-stable', 'caelus-beta']) =>
    createArgoCdStatusSource({
      client: createArgoCdClient({ baseUrl: fake.url, token: fake.token, retries: 0 }),
      projects,
    });

  it('finds an Application in each of its projects, and asks the one where it was last first', async () => {
    await using fake = await createFakeArgoCd();
    const source = sourceOf(fake);
    fake.put({ name: 'one', project: 'caelus-beta' });
    for (let round = 0; round < 2; round++) expect((await source.get('one'))?.metadata.name).toBe('one');
    fake.put({ name: 'one', project: 'caelus-stable' });
    expect((await source.get('one'))?.spec.project).toBe('caelus-stable');
    expect(fake.requests.map(({ query }) => query.get('projects'))).toEqual([
      'caelus-stable',
      'caelus-beta',
      'caelus-beta',
      'caelus-beta',
      'caelus-stable',
    ]);
  });

  it('says that there is none only where every project says so', async () => {
    await using fake = await createFakeArgoCd();
    const source = sourceOf(fake);
    expect(await source.get('one')).toBeUndefined();
    fake.deniedProjects.add('caelus-beta');
    await expect(source.get('one')).rejects.toMatchObject({ code: 'ARGOCD_ACCESS_DENIED' });
    fake.deniedProjects.clear();
    fake.intercept = (_request, response) => {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404</h1>');
      return true;
    };
    await expect(source.get('one')).rejects.toMatchObject({ code: 'ARGOCD_ANSWER_INVALID' });
  });

  it('refuses an Application without a name', async () => {
    await using fake = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"items":[{"metadata":{}}]}');
      return true;
    };
    await expect(sourceOf(fake).list()[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'ARGOCD_ANSWER_INVALID',
    });
  });

  it('leaves out what only the API server needs', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    const found = fake.get('one');
    if (found) Object.assign(found.metadata, { managedFields: [{ manager: 'argocd' }] });
    expect(await sourceOf(fake).get('one')).not.toHaveProperty('metadata.managedFields');
  });

  it('ends the sync that runs, and is content where none does', async () => {
    await using fake = await createFakeArgoCd();
    const source = sourceOf(fake);
    await source.control.terminateOperation('none');
    fake.put({ name: 'one', project: 'caelus-beta', status: { operationState: { phase: 'Running' } } });
    await source.control.terminateOperation('one');
    expect(fake.get('one')?.status?.operationState?.phase).toBe('Terminating');
    fake.put({ name: 'one', project: 'caelus-beta', status: {} });
    await source.control.terminateOperation('one');
    fake.intercept = ({ method }, response) => {
      if (method === 'GET') return false;
      response.writeHead(400).end(JSON.stringify({ code: 3, message: 'another reason' }));
      return true;
    };
    await expect(source.control.terminateOperation('one')).rejects.toMatchObject({ code: 'ARGOCD_REQUEST_REFUSED' });
  });

  const client = createArgoCdClient({ baseUrl: 'https://argocd.example.com' });
  const names = (count: number) => Array.from({ length: count }, (_, index) => `p${index}`);
  it.each([
    [{ projects: [] }, '/projects'],
    [{ projects: names(51) }, '/projects'],
    [{ projects: [''] }, '/projects'],
    [{ projects: ['p'], relistMilliseconds: 999 }, '/relistMilliseconds'],
    [{ projects: ['p'], relistMilliseconds: 86_400_001 }, '/relistMilliseconds'],
    [{ projects: ['p'], client: {} }, '/client'],
    [{ projects: ['p'], project: 'p' }, '/project'],
  ])('refuses the options %j at %s', (options, path) => {
    const make = () =>
      createArgoCdStatusSource({ client, ...options } as Parameters<typeof createArgoCdStatusSource>[0]);
    expect(make).toThrow(expect.objectContaining({ details: { issues: [expect.objectContaining({ path })] } }));
  });

  it('accepts the options at their edges', () => {
    for (const options of [
      { projects: names(1), relistMilliseconds: 1000 },
      { projects: names(50), relistMilliseconds: 86_400_000 },
    ]) {
      expect(createArgoCdStatusSource({ client, ...options }).name).toBe('Argo CD at https://argocd.example.com');
    }
  });
});
