import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isCaelusError } from '@caelus/core';
import { describe, expect, it } from 'vitest';
import { type ArgoCdClientOptions, createArgoCdClient } from '../src/index.ts';
import { collectGarbageUntil } from './collect-garbage.ts';
import { createFakeArgoCd, type FakeArgoCd } from './fake-argo-cd.ts';

const ONE = { name: 'one', project: 'caelus-stable' };
/** Waits for nothing, so that retries are quick. */
const impatient = { now: () => new Date(), sleep: async () => {} };

const clientOf = (fake: FakeArgoCd, options: Partial<ArgoCdClientOptions> = {}) =>
  createArgoCdClient({ baseUrl: fake.url, token: 'secret-token-1', clock: impatient, ...options });

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'none',
    (error: unknown) => (isCaelusError(error) ? error.code : error),
  );

describe('the token', () => {
  it('is asked for once, by all who call at the same time', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    let asked = 0;
    const token = async () => `secret-token-${++asked}`;
    const client = clientOf(fake, { token });
    await Promise.all(Array.from({ length: 10 }, () => client.applications.get(ONE)));
    expect(asked).toBe(1);
    fake.token = 'secret-token-2';
    await Promise.all(Array.from({ length: 10 }, () => client.applications.get(ONE)));
    expect(asked).toBe(2);
  });

  it('is renewed for a request that must not be repeated, because a 401 carried nothing out', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    const tokens = ['old', 'secret-token-1'];
    const client = clientOf(fake, { token: async () => tokens.shift() ?? '' });
    await client.applications.sync(ONE);
    expect(fake.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer secret-token-1']);
    expect(new Set(fake.requests.map(({ body }) => body)).size).toBe(1);
  });

  it('that stays the same after a 401 is not tried again', async () => {
    await using fake = await createFakeArgoCd();
    for (const token of ['wrong', async () => 'wrong']) {
      expect(await codeOf(clientOf(fake, { token }).applications.list())).toBe('ARGOCD_AUTH_FAILED');
    }
    expect(fake.requests).toHaveLength(2);
  });

  it('comes from a login where there is one, and again when the session ends', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    const client = clientOf(fake, { token: undefined, login: { username: 'admin', password: async () => 'right' } });
    await client.applications.get(ONE);
    fake.token = 'secret-token-2';
    await client.applications.get(ONE);
    const paths = fake.requests.map(({ path }) => path.replace('/api/v1/', ''));
    expect(paths).toEqual(['session', 'applications/one', 'applications/one', 'session', 'applications/one']);
  });

  it('of a refused login is not asked for again at once, because Argo CD locks accounts', async () => {
    await using fake = await createFakeArgoCd();
    let time = 0;
    const clock = { ...impatient, now: () => new Date(time) };
    const client = clientOf(fake, { token: undefined, login: { username: 'admin', password: 'wrong' }, clock });
    for (const at of [0, 59_999, 60_000]) {
      time = at;
      expect(await codeOf(client.applications.list())).toBe('ARGOCD_AUTH_FAILED');
    }
    expect(fake.requests).toHaveLength(2);
  });

  it('is in no error: not in the message, the details or the cause', async () => {
    await using fake = await createFakeArgoCd();
    const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhcmdvY2QifQ.c2lnbmF0dXJl';
    const password = 'a password that must not leak';
    fake.intercept = ({ headers }, response) => {
      const message = `bad token ${headers.authorization} of https://user:${token}@example.com, ${token}\nand more`;
      response.writeHead(500).end(JSON.stringify({ code: 2, message }));
      return true;
    };
    const leaky = () => Promise.reject(new Error(password));
    const errors = await Promise.all(
      [
        clientOf(fake, { token: 'opaque-token' }).applications.list(),
        clientOf(fake, { token }).applications.list(),
        clientOf(fake, { token: leaky }).applications.list(),
        clientOf(fake, { token: undefined, login: { username: 'a', password: leaky } }).applications.list(),
        clientOf(fake, { fetch: () => Promise.reject(new Error(`cannot reach with ${token}`)) }).applications.list(),
      ].map((call) => call.catch((error: unknown) => error)),
    );
    for (const error of errors) {
      expect(isCaelusError(error)).toBe(true);
      expect(everythingOf(error)).not.toMatch(/opaque-token|eyJ|must not leak/);
    }
  });
});

describe('a redirect', () => {
  it('within the origin is followed, with the token, the method and the body', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    fake.intercept = ({ path, query }, response) => {
      if (query.has('moved')) return false;
      response.writeHead(307, { location: `${path}?moved=1&${query}` }).end();
      return true;
    };
    await clientOf(fake).applications.sync(ONE);
    expect(fake.requests.map(({ method }) => method)).toEqual(['POST', 'POST']);
    expect(fake.requests[0]?.body).toBe(fake.requests[1]?.body);
  });

  it('to another origin is refused, and nothing is sent there', async () => {
    await using fake = await createFakeArgoCd();
    await using other = await createFakeArgoCd();
    fake.intercept = ({ path }, response) => {
      response.writeHead(302, { location: `${other.url}${path}` }).end();
      return true;
    };
    const error = await clientOf(fake)
      .applications.list()
      .catch((caught: unknown) => caught);
    expect(isCaelusError(error, 'ARGOCD_REDIRECT_REFUSED') && error.details.location).toBe(other.url);
    expect(other.requests).toEqual([]);
  });

  it.each([
    ['that would make a GET of a POST', 302, '/api/v1/applications'],
    ['without an end', 307, '/api/v1/applications/one/sync'],
    ['to nowhere', 307, 'http://['],
  ])('%s is refused', async (_, status, location) => {
    await using fake = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      response.writeHead(status, { location }).end();
      return true;
    };
    expect(await codeOf(clientOf(fake).applications.sync(ONE))).toBe('ARGOCD_REDIRECT_REFUSED');
    expect(fake.requests.length).toBeLessThanOrEqual(6);
  });
});

describe('trying again', () => {
  /** Fails the first `times` requests. */
  const failing = (fake: FakeArgoCd, times: number, status: number | 'reset', headers = {}) => {
    fake.intercept = (_request, response) => {
      if (fake.requests.length > times) return false;
      if (status === 'reset') response.destroy();
      else response.writeHead(status, headers).end();
      return true;
    };
  };

  it.each([408, 429, 502, 503, 504, 'reset'] as const)('gets over %s where reading', async (status) => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    failing(fake, 2, status);
    expect((await clientOf(fake).applications.get(ONE)).metadata.name).toBe('one');
    expect(fake.requests).toHaveLength(3);
  });

  it.each([502, 503, 504, 'reset'] as const)('does not sync twice after %s', async (status) => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    failing(fake, 1, status);
    expect(await codeOf(clientOf(fake).applications.sync(ONE))).toBe('UNAVAILABLE');
    expect(fake.requests).toHaveLength(1);
  });

  it('syncs after a 429, which carried nothing out, and waits as long as was asked', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    failing(fake, 1, 429, { 'retry-after': '7' });
    const slept: number[] = [];
    const clock = { ...impatient, sleep: async (milliseconds: number) => void slept.push(milliseconds) };
    await clientOf(fake, { clock }).applications.sync(ONE);
    expect(slept).toEqual([7000]);
  });

  it.each([0, 1, 3])('ends after %s retries', async (retries) => {
    await using fake = await createFakeArgoCd();
    failing(fake, 100, 503);
    expect(await codeOf(clientOf(fake, { retries }).applications.list())).toBe('UNAVAILABLE');
    expect(fake.requests).toHaveLength(retries + 1);
  });

  it('syncs where the first connection was refused', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one' });
    let calls = 0;
    const fetch: typeof globalThis.fetch = (url, init) =>
      globalThis.fetch(++calls === 1 ? String(url).replace(/:\d+/, ':2') : url, init);
    await clientOf(fake, { fetch }).applications.sync(ONE);
    expect(calls).toBe(2);
  });

  it('stops with the reason of the signal, also while it waits', async () => {
    await using fake = await createFakeArgoCd();
    failing(fake, 100, 503);
    const stop = new AbortController();
    const reason = new Error('enough');
    const clock = {
      now: () => new Date(),
      sleep: async () => {
        stop.abort(reason);
        stop.signal.throwIfAborted();
      },
    };
    await expect(clientOf(fake, { clock }).applications.list({}, { signal: stop.signal })).rejects.toBe(reason);
    await expect(clientOf(fake).applications.list({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

describe('an answer', () => {
  const answering = async (body: string | Buffer, headers: Record<string, string>, status = 200) => {
    const fake = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      response.writeHead(status, headers).end(body);
      return true;
    };
    return fake;
  };
  const json = { 'content-type': 'application/json' };

  it.each([
    ['a page of a proxy', '<html>log in</html>', { 'content-type': 'text/html' }, 200],
    ['half a JSON text', '{"items":', json, 200],
    ['nothing', '', json, 200],
    ['a scalar', '7', json, 200],
    // Whoever takes this for "there is no such Application" removes files.
    ['a page that says 404', 'default backend - 404', { 'content-type': 'text/plain' }, 404],
  ])('that is %s is not Argo CD’s', async (_, body, headers, status) => {
    await using fake = await answering(body, headers, status);
    expect(await codeOf(clientOf(fake).applications.get(ONE))).toBe('ARGOCD_ANSWER_INVALID');
  });

  it.each([
    [1023, 'none'],
    [1024, 'none'],
    [1025, 'ARGOCD_ANSWER_INVALID'],
  ])('of %s bytes, where 1,024 are the most, gives %s', async (length, code) => {
    await using fake = await answering(JSON.stringify({ items: [] }).padEnd(length), json);
    expect(await codeOf(clientOf(fake, { maxAnswerBytes: 1024 }).applications.list())).toBe(code);
  });

  it('that takes too long is unavailable', async () => {
    await using fake = await createFakeArgoCd();
    fake.intercept = () => true;
    const error = await clientOf(fake, { timeoutMilliseconds: 20, retries: 0 })
      .applications.list()
      .catch((caught: unknown) => caught);
    expect(isCaelusError(error, 'UNAVAILABLE') && error.message).toContain('no answer within 20 ms');
  });

  it.each(['ends in time', 'is stopped'])(
    'that begins and never ends %s, whatever the garbage collector does',
    async (how) => {
      await using fake = await createFakeArgoCd();
      const stop = new AbortController();
      const reason = new Error('enough');
      fake.intercept = (_request, response) => {
        response.writeHead(200, json).write('{"items":[');
        if (how === 'is stopped') setTimeout(() => stop.abort(reason), 300);
        return true;
      };
      const client = clientOf(fake, { timeoutMilliseconds: how === 'is stopped' ? 60_000 : 300, retries: 0 });
      const outcome = await collectGarbageUntil(codeOf(client.applications.list({}, { signal: stop.signal })));
      expect(outcome).toBe(how === 'is stopped' ? reason : 'UNAVAILABLE');
    },
  );

  it('that is cut is asked for again', async () => {
    await using fake = await createFakeArgoCd();
    fake.intercept = (_request, response) => {
      if (fake.requests.length > 1) return false;
      response.writeHead(200, { ...json, 'content-length': '1000' }).write('{"items":[', () => response.destroy());
      return true;
    };
    expect((await clientOf(fake).applications.list()).items).toEqual([]);
    expect(fake.requests).toHaveLength(2);
  });

  it('with characters of every length arrives as it was, packed or not', async () => {
    await using fake = await createFakeArgoCd();
    const revision = 'ä€😀\u2028';
    fake.put({ name: 'one', revision });
    for (const encoding of ['gzip', 'identity']) {
      const fetch: typeof globalThis.fetch = (url, init) => {
        const headers = new Headers(init?.headers);
        headers.set('accept-encoding', encoding);
        return globalThis.fetch(url, { ...init, headers });
      };
      const found = await clientOf(fake, { fetch }).applications.get(ONE);
      expect(found.status?.sync?.revision).toBe(revision);
    }
  });
});

describe('a request', () => {
  it('has the content type that Argo CD insists on, also without a body, and no other where it reads', async () => {
    await using fake = await createFakeArgoCd();
    fake.put({ name: 'one', status: { operationState: { phase: 'Running' } } });
    const { applications } = clientOf(fake);
    await applications.get(ONE);
    await applications.terminateOperation(ONE);
    await applications.delete(ONE);
    expect(fake.requests.map(({ method, headers }) => `${method} ${headers['content-type']}`)).toEqual([
      'GET undefined',
      'DELETE application/json',
      'DELETE application/json',
    ]);
  });

  it.each(['', '.', '..', '\ud800'])('for the name %j is not sent, as it would have another path', async (name) => {
    await using fake = await createFakeArgoCd();
    expect(await codeOf(clientOf(fake).applications.delete({ name, project: 'p' }))).toBe('INVALID_INPUT');
    expect(fake.requests).toEqual([]);
  });

  it('escapes what stands in its path', async () => {
    await using fake = await createFakeArgoCd();
    await codeOf(clientOf(fake).applications.get({ name: 'a/../b?c#d', project: 'p' }));
    expect(fake.requests[0]?.path).toBe('/api/v1/applications/a%2F..%2Fb%3Fc%23d');
  });

  it('goes below the root path', async () => {
    await using fake = await createFakeArgoCd();
    await codeOf(clientOf(fake, { baseUrl: `${fake.url}/argo/cd//` }).applications.list());
    expect(fake.requests[0]?.path).toBe('/argo/cd/api/v1/applications');
  });

  it('to a port where nobody listens is unavailable', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const client = createArgoCdClient({ baseUrl: `http://127.0.0.1:${port}`, clock: impatient });
    expect(await codeOf(client.version())).toBe('UNAVAILABLE');
  });
});

describe('the options', () => {
  const baseUrl = 'https://argocd.example.com';
  it.each([
    [{ baseUrl: 'argocd.example.com' }, '/baseUrl'],
    [{ baseUrl: 'ftp://example.com' }, '/baseUrl'],
    [{ baseUrl: 'https://user:secret@example.com' }, '/baseUrl'],
    [{ baseUrl: 'https://example.com/?a' }, '/baseUrl'],
    [{ baseUrl, token: '' }, '/token'],
    [{ baseUrl, token: 'a', login: { username: 'a', password: 'b' } }, '/login'],
    [{ baseUrl, login: { username: '', password: 'b' } }, '/login/username'],
    [{ baseUrl, login: { username: 'a', password: '' } }, '/login/password'],
    [{ baseUrl, retries: -1 }, '/retries'],
    [{ baseUrl, retries: 21 }, '/retries'],
    [{ baseUrl, timeoutMilliseconds: 0 }, '/timeoutMilliseconds'],
    [{ baseUrl, timeoutMilliseconds: 3_600_001 }, '/timeoutMilliseconds'],
    [{ baseUrl, maxAnswerBytes: 1023 }, '/maxAnswerBytes'],
    [{ baseUrl, maxAnswerBytes: 2 ** 29 + 1 }, '/maxAnswerBytes'],
    [{ baseUrl, tokens: 'a' }, '/tokens'],
  ])('%j are refused at %s', (options, path) => {
    let found: unknown;
    try {
      createArgoCdClient(options as ArgoCdClientOptions);
    } catch (error) {
      found = error;
    }
    expect(isCaelusError(found, 'INVALID_INPUT') && found.details.issues.map((issue) => issue.path)).toEqual([path]);
  });

  it('are accepted at their edges', () => {
    for (const options of [
      { retries: 0, timeoutMilliseconds: 1, maxAnswerBytes: 1024 },
      { retries: 20, timeoutMilliseconds: 3_600_000, maxAnswerBytes: 2 ** 29 },
    ]) {
      expect(createArgoCdClient({ baseUrl, ...options }).server).toBe(baseUrl);
    }
  });
});

/** All text that somebody who logs the error might log. */
function everythingOf(error: unknown): string {
  const { message, stack, details, cause } = error as Error & { details?: unknown };
  return [message, stack, JSON.stringify(details), cause === undefined ? '' : everythingOf(cause)].join('\n');
}
