import type { CallOptions, Clock } from '@caelus/core';
import { createLinkedAbort } from '@caelus/core/adapter';
import { answerInvalid, refusalError, unavailable } from './argo-cd-errors.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import { readableText } from './readable-text.ts';

/** The longest single frame that is read: an Application, or a tree, in JSON. */
export const MOST_FRAME_BYTES: number = 64 * 1024 * 1024;

/** When a connection that brings nothing is taken for dead. */
export interface StreamPatience {
  readonly idleMilliseconds: number;
  readonly clock: Clock;
}

/**
 * The frames of a stream: `{"result": …}` each, or `{"error": …}`, which is thrown.
 * @throws {CaelusError} `UNAVAILABLE` when the connection breaks, `ARGOCD_ANSWER_INVALID`, and what the error of a frame is
 */
export async function* readFrames<Result>(
  server: string,
  answer: { readonly data?: unknown; readonly response: Response },
  patience: StreamPatience,
  { signal }: CallOptions,
): AsyncGenerator<Result> {
  const { data, response } = answer;
  const place = { server, operation: `read ${new URL(response.url || server).pathname}` };
  const decoder = createFrameDecoder(MOST_FRAME_BYTES);
  const body = (data ?? new Response('').body) as ReadableStream<Uint8Array>;
  const invalid = (what: string) => answerInvalid(place, response.status, what);

  function toResult(text: string): Result {
    let frame: { readonly result?: Result; readonly error?: StreamProblem };
    try {
      frame = JSON.parse(text) as typeof frame;
    } catch {
      throw invalid('A frame is no JSON.');
    }
    if (frame.error !== undefined) throw problemOf(place, frame.error);
    if (typeof frame.result !== 'object' || frame.result === null) throw invalid('A frame has no content.');
    return frame.result;
  }

  const broken = (reason: string) => unavailable(place, reason);
  try {
    for await (const part of alive(body, patience, signal, broken)) {
      const frames = decoder.push(part);
      if (frames === undefined) throw invalid(`A frame is longer than ${MOST_FRAME_BYTES} bytes.`);
      for (const text of frames) yield toResult(text);
    }
    // A frame without its line feed is the first half of one.
    if (decoder.hasPending()) throw broken('the connection broke in the middle of a frame.');
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

interface StreamProblem {
  readonly grpc_code?: number;
  readonly http_code?: number;
  readonly message?: string;
}

function problemOf(
  place: { readonly server: string; readonly operation: string },
  { grpc_code, http_code, message }: StreamProblem,
): Error {
  return refusalError(place, { status: http_code ?? 500, grpcCode: grpc_code, message: readableText(message ?? '') });
}

/** The parts of a body, for as long as each follows the one before in time. Lets go of the connection at the end of it. */
async function* alive(
  body: ReadableStream<Uint8Array>,
  { clock, idleMilliseconds }: StreamPatience,
  signal: AbortSignal | undefined,
  broken: (reason: string) => Error,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      using arrived = createLinkedAbort(signal);
      const tooLong = clock.sleep(idleMilliseconds, arrived).then(() => {
        throw broken(`nothing arrived for ${idleMilliseconds} ms.`);
      });
      const next = reader.read().catch((error: unknown) => {
        throw broken(`${readableText(error instanceof Error ? error.message : String(error))}.`);
      });
      // One of them loses the race, and may still fail.
      for (const loser of [tooLong, next]) loser.catch(() => {});
      const { done, value } = await Promise.race([next, tooLong]).finally(() => arrived.abort());
      if (done) return;
      yield value;
    }
  } finally {
    // Without waiting: a connection that is dead never answers to that.
    reader.cancel().catch(() => {});
  }
}
