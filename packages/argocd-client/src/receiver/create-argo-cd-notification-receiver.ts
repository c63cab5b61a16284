import { type Logger, silentLogger } from '@caelus/core';
import { integerIssues, issueUnless, refuseInput, unknownKeys } from '@caelus/core/adapter';
import { hmac, isSameSecret, toHex } from '../hmac.ts';

/**
 * How a notification shows that it comes from Argo CD. Of several secrets, any counts: give the new one beside the old one while
 * they are exchanged.
 */
export type NotificationProof =
  /** `Authorization: Bearer <token>`, which Argo CD's webhook service can send. */
  | { readonly type: 'bearer'; readonly tokens: readonly string[] }
  /** HMAC-SHA-256 of the body in hexadecimal, behind `prefix`, for who signs on the way. */
  | {
      readonly type: 'hmac';
      readonly secrets: readonly string[];
      /** Default `x-hub-signature-256`. */
      readonly header?: string | undefined;
      /** Default `sha256=`. */
      readonly prefix?: string | undefined;
    };

export interface ArgoCdNotificationReceiverOptions {
  /** Each secret has at least 16 characters. */
  readonly proof: NotificationProof;
  /**
   * Looks at the Application anew, such as `(name) => caelus.observe(name)`. What a notification says beside the name is not
   * believed: it may be late, doubled, or out of order.
   */
  onHint(applicationName: string): unknown;
  /** The longest body: 128 to 1,048,576 bytes. Default 65,536. */
  readonly maxBodyBytes?: number | undefined;
  /** Default: silent. */
  readonly logger?: Logger | undefined;
}

/** Answers a request; never rejects. */
export type ArgoCdNotificationReceiver = (request: Request) => Promise<Response>;

const KEYS = ['proof', 'onHint', 'maxBodyBytes', 'logger'];
const LEAST_SECRET = 16;
const MOST_SECRETS = 10;
const APPLICATION_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;
const HEADER_NAME = /^[a-z0-9-]+$/i;

/**
 * Makes a handler for the notifications of Argo CD, for any framework that has `Request` and `Response`. The body is a JSON object
 * whose member `app` is the Application's name. Answers 202 once the hint was taken; 405, 401, 413 or 400 where something is wrong
 * with the request; and 503, so that Argo CD tries again, where `onHint` failed.
 * @throws {CaelusError} `INVALID_INPUT`
 */
export function createArgoCdNotificationReceiver(
  options: ArgoCdNotificationReceiverOptions,
): ArgoCdNotificationReceiver {
  checkOptions(options);
  const { proof, onHint, maxBodyBytes = 65_536, logger = silentLogger } = options;

  async function receive(request: Request): Promise<Response> {
    if (request.method !== 'POST') return answer(405, { allow: 'POST' });
    // Before the body is read where that can be, so that a stranger costs nothing.
    if (proof.type === 'bearer' && !(await hasToken(request.headers, proof.tokens))) return answer(401);
    const body = await readBody(request, maxBodyBytes);
    if (body === undefined) return answer(413);
    if (proof.type === 'hmac' && !(await hasSignature(request.headers, body, proof))) return answer(401);
    const name = applicationOf(body);
    if (name === undefined) return answer(400);
    try {
      await onHint(name);
    } catch (error) {
      const message = error instanceof Error ? error.message : undefined;
      logger.warn('A notification of Argo CD could not be followed.', { application: name, message });
      return answer(503, { 'retry-after': '5' });
    }
    return answer(202);
  }

  return (request) =>
    receive(request).catch((error: unknown) => {
      // The connection broke while the body was read.
      logger.debug('A notification did not arrive.', { message: error instanceof Error ? error.message : undefined });
      return answer(400);
    });
}

async function hasToken(headers: Headers, tokens: readonly string[]): Promise<boolean> {
  const [, found = ''] = /^bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '') ?? [];
  return isAny(tokens, (token) => isSameSecret(found, token));
}

async function hasSignature(
  headers: Headers,
  body: Uint8Array,
  { secrets, header = 'x-hub-signature-256', prefix = 'sha256=' }: NotificationProof & { readonly type: 'hmac' },
): Promise<boolean> {
  const found = headers.get(header) ?? '';
  return isAny(secrets, async (secret) => isSameSecret(found, prefix + toHex(await hmac(secret, body))));
}

/** Looks at all of them, so that the time says nothing about which it was. */
async function isAny(secrets: readonly string[], isIt: (secret: string) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(secrets.map(isIt))).includes(true);
}

/** The bytes of the body, or `undefined` where there are more than `most`; what is more is not read. */
async function readBody({ body, headers }: Request, most: number): Promise<Uint8Array | undefined> {
  if (Number(headers.get('content-length') ?? 0) > most) {
    await body?.cancel();
    return undefined;
  }
  const bytes = new Uint8Array(most);
  let length = 0;
  for await (const part of body ?? []) {
    // Leaving the loop cancels the rest.
    if (length + part.length > most) return undefined;
    bytes.set(part, length);
    length += part.length;
  }
  return bytes.subarray(0, length);
}

function applicationOf(body: Uint8Array): string | undefined {
  try {
    const { app } = JSON.parse(new TextDecoder().decode(body)) as { readonly app?: unknown };
    return typeof app === 'string' && APPLICATION_NAME.test(app) ? app : undefined;
  } catch {
    return undefined;
  }
}

function answer(status: number, headers: Record<string, string> = {}): Response {
  return new Response(null, { status, headers });
}

function checkOptions({ proof, onHint, maxBodyBytes = 65_536, ...rest }: ArgoCdNotificationReceiverOptions): void {
  const given: unknown = proof?.type === 'bearer' ? proof.tokens : proof?.type === 'hmac' ? proof.secrets : undefined;
  const isSecret = (secret: unknown) => typeof secret === 'string' && secret.length >= LEAST_SECRET;
  const isSecrets = Array.isArray(given) && given.length >= 1 && given.length <= MOST_SECRETS && given.every(isSecret);
  const { header = 'x', prefix = '' } = proof?.type === 'hmac' ? proof : {};
  refuseInput('The options of the receiver of notifications', [
    ...unknownKeys('', { proof, onHint, maxBodyBytes, ...rest }, KEYS),
    ...issueUnless(
      '/proof',
      isSecrets,
      `Give 1 to ${MOST_SECRETS} tokens or secrets of at least ${LEAST_SECRET} characters.`,
    ),
    ...issueUnless('/proof/header', HEADER_NAME.test(header), 'Give the name of a header.'),
    ...issueUnless('/proof/prefix', typeof prefix === 'string', 'Give a text.'),
    ...issueUnless('/onHint', typeof onHint === 'function', 'Give a function.'),
    ...integerIssues('/maxBodyBytes', maxBodyBytes, 128, 2 ** 20),
  ]);
}
