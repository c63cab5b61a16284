import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { isCaelusError } from '@caelus/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArgoCdClient } from '../src/index.ts';
import { createNodeFetch } from '../src/node/index.ts';

const hasOpenssl = process.env.CI !== undefined || spawnSync('openssl', ['version']).status === 0;
let folder = '';
const read = (name: string) => readFileSync(join(folder, name), 'utf8');

async function serve(listener: RequestListener, options: object = {}) {
  const server = createServer({ key: read('key.pem'), cert: read('cert.pem'), ...options }, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const version = (_request: IncomingMessage, response: ServerResponse) =>
  response.end(JSON.stringify({ Version: 'v3.5.1' }));

describe.skipIf(!hasOpenssl)(`createNodeFetch${hasOpenssl ? '' : ' (openssl is not installed)'}`, () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'caelus-tls-'));
    const names = ['-subj', '/CN=argocd.test', '-addext', 'subjectAltName=DNS:argocd.test,IP:127.0.0.1'];
    const files = ['-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...key, ...files, ...names], { cwd: folder, stdio: 'ignore' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reaches a server with a private CA, and refuses it without', async () => {
    await using server = await serve(version);
    using trusting = createNodeFetch({ ca: read('cert.pem') });
    using stranger = createNodeFetch();
    const client = (fetch: typeof globalThis.fetch) => createArgoCdClient({ baseUrl: server.url, fetch, retries: 0 });
    expect(await client(trusting).version()).toEqual({ Version: 'v3.5.1' });
    const error = await client(stranger)
      .version()
      .catch((caught: unknown) => caught);
    expect(isCaelusError(error, 'UNAVAILABLE') && error.message).toMatch(/certificate/i);
  });

  it('checks the name that it is told to', async () => {
    await using server = await serve(version);
    using right = createNodeFetch({ ca: [read('cert.pem')], servername: 'argocd.test' });
    using wrong = createNodeFetch({ ca: [read('cert.pem')], servername: 'other.test' });
    expect((await right(server.url)).status).toBe(200);
    await expect(wrong(server.url)).rejects.toThrow(/altnames/);
  });

  it('shows a client certificate', async () => {
    const listener: RequestListener = ({ socket }, response) => response.end(String((socket as TLSSocket).authorized));
    await using server = await serve(listener, { requestCert: true, rejectUnauthorized: false, ca: read('cert.pem') });
    using fetch = createNodeFetch({ ca: read('cert.pem'), cert: read('cert.pem'), key: read('key.pem') });
    expect(await (await fetch(server.url)).text()).toBe('true');
  });

  it('sends method, headers and body, and returns redirects', async () => {
    await using server = await serve(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { method, headers } = request;
      response.writeHead(307, { location: '/elsewhere' });
      response.end(JSON.stringify([method, headers['content-type'], Buffer.concat(parts).toString()]));
    });
    using fetch = createNodeFetch({ ca: read('cert.pem') });
    const response = await fetch(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"ä":1}',
    });
    expect([response.status, response.headers.get('location')]).toEqual([307, '/elsewhere']);
    expect(await response.json()).toEqual(['POST', 'application/json', '{"ä":1}']);
  });

  it('stops with the reason of the signal, before, during and after the head of the answer', async () => {
    await using server = await serve((request, response) => {
      if (request.url === '/begin') response.write('begun');
    });
    using fetch = createNodeFetch({ ca: read('cert.pem') });
    const reason = new Error('enough');
    await expect(fetch(server.url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const stop = new AbortController();
    const waiting = fetch(server.url, { signal: stop.signal });
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    const later = new AbortController();
    const { body } = await fetch(`${server.url}/begin`, { signal: later.signal });
    later.abort(reason);
    await expect(new Response(body).text()).rejects.toThrow();
  });
});
