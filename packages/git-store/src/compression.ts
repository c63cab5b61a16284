import { promisify } from 'node:util';
import { deflate, deflateSync, inflate, inflateSync } from 'node:zlib';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);
/** Up to this size the way to another thread and back takes longer than the work. */
const SYNCHRONOUS_BYTES = 32 * 1024;

export async function compressBytes(bytes: Uint8Array, level: number): Promise<Buffer> {
  return bytes.length <= SYNCHRONOUS_BYTES ? deflateSync(bytes, { level }) : deflateAsync(bytes, { level });
}

/** Undoes {@link compressBytes}. What follows the compressed bytes is ignored. */
export async function expandBytes(bytes: Uint8Array): Promise<Buffer> {
  return bytes.length <= SYNCHRONOUS_BYTES ? inflateSync(bytes) : inflateAsync(bytes);
}

/** The same where the size is known, and nothing else may come out. */
export async function expandExactly(bytes: Uint8Array, size: number): Promise<Buffer> {
  const options = { maxOutputLength: Math.max(size, 1) };
  const expanded = size <= SYNCHRONOUS_BYTES ? inflateSync(bytes, options) : await inflateAsync(bytes, options);
  if (expanded.length !== size) throw new Error(`${expanded.length} bytes came out where ${size} were expected`);
  return expanded;
}
