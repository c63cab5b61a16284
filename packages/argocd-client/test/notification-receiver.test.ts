import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArgoCdNotificationReceiverOptions, createArgoCdNotificationReceiver } from '../src/index.ts';

const token = 'a-token-of-the-receiver';
const bearer = { type: 'bearer', tokens: [token] } as const;
const secret = 'a-secret-of-the-receiver';
const body = JSON.stringify({ app: 'nextcloud-1', ns: 'argocd' });

function setUp(options: Partial<ArgoCdNotificationReceiverOptions> = {}) {
  const hints: string[] = [];
  const receive = createArgoCdNotificationReceiver({
    proof: bearer,
    onHint: (name) => void hints.push(name),
    ...options,
  });
  return { hints, receive };
}

const requestOf = (init: RequestInit & { readonly duplex?: 'half' } = {}) =>
  new Request('https://host.example.com/caelus/argocd', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body,
    ...init,
  });

/** A body of `length` bytes that says nothing of its length. */
const streamOf = (length: number, onCancel = () => {}) => {
  let left = length;
  const stream = new ReadableStream({
    pull(controller) {
      const part = new Uint8Array(Math.min(left, 1000)).fill(0x20);
      left -= part.length;
      if (part.length > 0) controller.enqueue(part);
      else controller.close();
    },
    cancel: onCancel,
  });
  return requestOf({ body: stream, duplex: 'half' });
};

describe('the receiver of notifications', () => {
  it('hints at the Application that is named', async () => {
    const { receive, hints } = setUp();
    expect((await receive(requestOf())).status).toBe(202);
    expect(hints).toEqual(['nextcloud-1']);
  });

  it.each([
    ['no proof', {}],
    ['another token', { authorization: `Bearer ${token}x` }],
    ['a part of the token', { authorization: `Bearer ${token.slice(1)}` }],
    ['an empty token', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${token}` }],
    ['the token alone', { authorization: token }],
  ])('refuses %s', async (_, headers) => {
    const { receive, hints } = setUp();
    expect((await receive(requestOf({ headers: headers as Record<string, string> }))).status).toBe(401);
    expect(hints).toEqual([]);
  });

  it('reads no body of who has no token', async () => {
    const { receive } = setUp();
    const request = requestOf({ headers: {} });
    expect((await receive(request)).status).toBe(401);
    expect(request.bodyUsed).toBe(false);
  });

  it('accepts each of several tokens, while they are exchanged', async () => {
    const { receive, hints } = setUp({ proof: { type: 'bearer', tokens: ['the-one-that-comes-next', token] } });
    expect((await receive(requestOf())).status).toBe(202);
    expect((await receive(requestOf({ headers: { authorization: 'bearer the-one-that-comes-next' } }))).status).toBe(
      202,
    );
    expect(hints).toHaveLength(2);
  });

  it('accepts a signed body, and no other', async () => {
    const proof = {
      type: 'hmac',
      secrets: ['an-older-one-of-the-secrets', secret],
      header: 'X-Signature',
      prefix: 'v1=',
    } as const;
    const { receive, hints } = setUp({ proof });
    const sign = (key: string, text: string) => `v1=${createHmac('sha256', key).update(text).digest('hex')}`;
    const statusOf = async (signature: string, text: string) =>
      (await receive(requestOf({ headers: { 'x-signature': signature }, body: text }))).status;
    expect(await statusOf(sign(secret, body), body)).toBe(202);
    expect(await statusOf(sign('an-older-one-of-the-secrets', body), body)).toBe(202);
    expect(await statusOf(sign(secret, body), `${body} `)).toBe(401);
    expect(await statusOf(sign(token, body), body)).toBe(401);
    expect(await statusOf(sign(secret, body).slice(3), body)).toBe(401);
    expect(await statusOf('', body)).toBe(401);
    expect(hints).toHaveLength(2);
  });

  it.each(['GET', 'PUT', 'DELETE'])('refuses %s', async (method) => {
    const { receive } = setUp();
    const response = await receive(requestOf({ method, body: null }));
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each([
    [127, 202],
    [128, 202],
    [129, 413],
  ])('takes a body of %s bytes, where 128 are the most, with %s', async (length, status) => {
    const { receive } = setUp({ maxBodyBytes: 128 });
    expect((await receive(requestOf({ body: body.padEnd(length) }))).status).toBe(status);
  });

  it('reads no more than the most, where the length is not said or is a lie', async () => {
    const { receive } = setUp({ maxBodyBytes: 4096 });
    let isCancelled = false;
    const endless = streamOf(1_000_000_000, () => {
      isCancelled = true;
    });
    expect((await receive(endless)).status).toBe(413);
    expect(isCancelled).toBe(true);
    const said = requestOf();
    said.headers.set('content-length', '4097');
    expect((await receive(said)).status).toBe(413);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"app":'],
    ['null', 'null'],
    ['no name', '{"ns":"argocd"}'],
    ['a number', '{"app":7}'],
    ['an empty name', '{"app":""}'],
    ['a path', '{"app":"../secrets"}'],
    ['capitals', '{"app":"Nextcloud"}'],
    ['a dot at its end', '{"app":"nextcloud."}'],
    ['254 characters', `{"app":"${'a'.repeat(254)}"}`],
  ])('refuses a body with %s', async (_, text) => {
    const { receive, hints } = setUp();
    expect((await receive(requestOf({ body: text }))).status).toBe(400);
    expect(hints).toEqual([]);
  });

  it('accepts a name of 253 characters, and one of a single one', async () => {
    const { receive, hints } = setUp();
    for (const app of ['a'.repeat(253), 'a']) {
      expect((await receive(requestOf({ body: JSON.stringify({ app }) }))).status).toBe(202);
    }
    expect(hints).toHaveLength(2);
  });

  it('asks to be told again where the hint could not be followed', async () => {
    const warned: unknown[] = [];
    const logger = { debug() {}, info() {}, error() {}, warn: (...line: unknown[]) => void warned.push(line) };
    for (const onHint of [() => Promise.reject(new Error('no database')), () => assertNever()]) {
      const { receive } = setUp({ onHint, logger });
      const response = await receive(requestOf());
      expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    }
    expect(warned).toHaveLength(2);
  });

  it('answers where the body breaks', async () => {
    const { receive } = setUp();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) });
    expect((await receive(requestOf({ body: broken, duplex: 'half' }))).status).toBe(400);
  });

  it('answers whatever comes, and hints at names alone', async () => {
    const { receive, hints } = setUp();
    const text = fc.oneof(fc.string({ unit: 'binary', size: 'max', maxLength: 200 }), fc.json({ maxDepth: 3 }));
    await fc.assert(
      fc.asyncProperty(text, async (sent) => {
        expect([202, 400]).toContain((await receive(requestOf({ body: sent }))).status);
      }),
    );
    for (const name of hints) expect(name).toMatch(/^[a-z0-9.-]+$/);
  });
});

describe('the options of the receiver', () => {
  const onHint = () => {};
  const tokens = (count: number, length = 16) => Array.from({ length: count }, () => 'x'.repeat(length));
  it.each([
    [{ proof: undefined }, '/proof'],
    [{ proof: { type: 'none' } }, '/proof'],
    [{ proof: { type: 'bearer', tokens: [] } }, '/proof'],
    [{ proof: { type: 'bearer', tokens: tokens(11) } }, '/proof'],
    [{ proof: { type: 'bearer', tokens: tokens(1, 15) } }, '/proof'],
    [{ proof: { type: 'hmac', secrets: tokens(1), header: 'a b' } }, '/proof/header'],
    [{ onHint: undefined }, '/onHint'],
    [{ maxBodyBytes: 127 }, '/maxBodyBytes'],
    [{ maxBodyBytes: 2 ** 20 + 1 }, '/maxBodyBytes'],
    [{ token }, '/token'],
  ])('%j are refused at %s', (options, path) => {
    const all = { proof: bearer, onHint, ...options } as ArgoCdNotificationReceiverOptions;
    expect(() => createArgoCdNotificationReceiver(all)).toThrow(
      expect.objectContaining({ details: { issues: [expect.objectContaining({ path })] } }),
    );
  });

  it('are accepted at their edges', () => {
    for (const options of [
      { proof: { type: 'bearer', tokens: tokens(1, 16) }, maxBodyBytes: 128 },
      { proof: { type: 'hmac', secrets: tokens(10) }, maxBodyBytes: 2 ** 20 },
    ] as const) {
      expect(typeof createArgoCdNotificationReceiver({ ...options, onHint })).toBe('function');
    }
  });
});

function assertNever(): never {
  throw new Error('at once');
}
