import type { CallOptions } from '@caelus/core';
import { answerInvalid, refusalError, unavailable } from './argo-cd-errors.ts';
import { createFrameDecoder } from './frame-decoder.ts';
import { readableText } from './readable-text.ts';

/** The longest single frame that is read: an Application, or a tree, in JSON. */
export const MOST_FRAME_BYTES: number = 64 * 1024 * 1024;

/** A sign of life between frames. */
export interface StreamOptions extends CallOptions {
  /** Called with everything that arrives, keep-alives included. */
  readonly onBytes?: (() => void) | undefined;
}

/**
 * The frames of a stream: `{"result": …}` each, or `{"error": …}`, which is thrown.
 * @throws {CaelusError} `UNAVAILABLE` when the connection breaks, `ARGOCD_ANSWER_INVALID`, and what the error of a frame is
 */
export async function* readFrames<Result>(
  server: string,
  answer: { readonly data?: unknown; readonly response: Response },
  { signal, onBytes }: StreamOptions = {},
): AsyncGenerator<Result> {
  const { data, response } = answer;
  const place = { server, operation: `read ${new URL(response.url || server).pathname}` };
  const decoder = createFrameDecoder(MOST_FRAME_BYTES);
  const body = (data ?? []) as AsyncIterable<Uint8Array>;
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

  try {
    for await (const part of breakable(body, (error) => unavailable(place, `${readableText(String(error))}.`))) {
      onBytes?.();
      const frames = decoder.push(part);
      if (frames === undefined) throw invalid(`A frame is longer than ${MOST_FRAME_BYTES} bytes.`);
      for (const text of frames) yield toResult(text);
    }
    // A frame without its line feed is the first half of one.
    if (decoder.hasPending()) throw unavailable(place, 'the connection broke in the middle of a frame.');
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

async function* breakable(
  body: AsyncIterable<Uint8Array>,
  toError: (error: unknown) => Error,
): AsyncGenerator<Uint8Array> {
  const parts = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await parts.next().catch((error: unknown) => {
        throw toError(error);
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // A caller that stops lets go of the connection.
    await parts.return?.().catch(() => {});
  }
}
