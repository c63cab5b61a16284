import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createHttpSession } from '../../src/remote/http-session.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const request = { method: 'GET', path: '/info/refs', accept: 'text/plain' } as const;

/** A server that begins an answer and never ends it. */
async function startStallingServer(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.write('half of');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

// On Node.js 20 a timeout that only `AbortSignal.any` knows is collected, and then never comes.
describe('an answer that stalls in its body', () => {
  it.each([
    ['beside a signal', new AbortController().signal],
    ['alone', undefined],
  ])('is given up after the timeout, whatever the garbage collector did: %s', async (_, signal) => {
    await using server = await startStallingServer();
    const session = createHttpSession({ url: server.url, fetch, timeoutMilliseconds: 500 });
    const collecting = setInterval(collectGarbage, 20);
    try {
      await expect(session.request(request, signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    } finally {
      clearInterval(collecting);
    }
  });

  it('is given up once the caller stops', async () => {
    await using server = await startStallingServer();
    const session = createHttpSession({ url: server.url, fetch, timeoutMilliseconds: 60_000 });
    const stopping = new AbortController();
    const collecting = setInterval(collectGarbage, 20);
    try {
      const reading = session.stream(request, stopping.signal)[Symbol.asyncIterator]();
      expect(String((await reading.next()).value)).toBe('half of');
      const next = reading.next();
      collectGarbage();
      const reason = new Error('enough');
      stopping.abort(reason);
      await expect(next).rejects.toBe(reason);
    } finally {
      clearInterval(collecting);
    }
  });
});
