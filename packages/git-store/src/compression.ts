import { promisify } from 'node:util';
import { deflate, deflateSync, inflate, inflateSync } from 'node:zlib';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);
/** Up to this size the way to another thread and back takes longer than the work. */
const SYNCHRONOUS_BYTES = 32 * 1024;

/** At level 0 the bytes are only copied and summed, so there is nothing to wait for. */
export async function compressBytes(bytes: Uint8Array, level: number): Promise<Buffer> {
  // Room for everything that can come out, so that it comes out in one piece.
  const options = { level, chunkSize: bytes.length + (bytes.length >>> 8) + 64 };
  return level === 0 || bytes.length <= SYNCHRONOUS_BYTES ? deflateSync(bytes, options) : deflateAsync(bytes, options);
}

/** Undoes {@link compressBytes}. What follows the compressed bytes is ignored. */
export async function expandBytes(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SYNCHRONOUS_BYTES ? inflateSync(bytes) : inflateAsync(bytes);
}

/** The same where the size is known, and nothing else may come out. */
export async function expandExactly(bytes: Uint8Array, size: number): Promise<Buffer> {
  // Room for one byte too many shows that there is none.
  const options = { maxOutputLength: Math.max(size, 1), chunkSize: Math.max(size + 1, 64) };
  const expanded = size <= SYNCHRONOUS_BYTES ? inflateSync(bytes, options) : await inflateAsync(bytes, options);
  if (expanded.length !== size) throw new Error(`${expanded.length} bytes came out where ${size} were expected`);
  return expanded;
}
