import { CaelusError, hashJson, type JsonValue, type RepositoryTransaction } from '@caelus/core';
import { type EngineContext, timestamp, timestampIn } from './engine-context.ts';

/** A command's input, as a repeated call is recognised by it. */
export interface OnceRequest {
  /** The command's name. */
  readonly scope: string;
  readonly key: string | undefined;
  readonly input: JsonValue;
}

/** What the key was answered before; `undefined` where it is new. @throws {CaelusError} `IDEMPOTENCY_KEY_REUSED` */
export async function findAnswer(
  context: EngineContext,
  transaction: RepositoryTransaction,
  { scope, key, input }: OnceRequest,
): Promise<JsonValue | undefined> {
  if (key === undefined) return undefined;
  const known = await transaction.findIdempotencyRecord(scope, key);
  if (known === undefined || known.expiresAt <= timestamp(context)) return undefined;
  if (known.requestHash === hashJson(input)) return known.response;
  throw new CaelusError({
    code: 'IDEMPOTENCY_KEY_REUSED',
    message: `The idempotency key was used before for another ${scope}. Use a new key for a new request.`,
    details: { scope, key },
  });
}

/** Keeps the answer for the next call with the same key. */
export async function keepAnswer(
  context: EngineContext,
  transaction: RepositoryTransaction,
  { scope, key, input }: OnceRequest,
  response: JsonValue,
): Promise<void> {
  if (key === undefined) return;
  const expiresAt = timestampIn(context, context.timings.idempotency);
  await transaction.putIdempotencyRecord({ scope, key, requestHash: hashJson(input), response, expiresAt });
}
