import { promisify } from 'node:util';
import { deflate, deflateSync, inflate, inflateSync } from 'node:zlib';

const deflateAsync = promisify(deflate);
const inflateAsync = promisify(inflate);
/** Up to this size the way to another thread and back takes longer than the work. */
const SYNCHRONOUS_BYTES = 32 * 1024;

/** Up to this size, zlib takes longer to get ready than to do anything. */
const SMALL_BYTES = 1024;

/** At level 0 the bytes are only copied and summed, so there is nothing to wait for. */
export async function compressBytes(bytes: Uint8Array, level: number): Promise<Buffer> {
  if (level === 0 && bytes.length <= SMALL_BYTES) return storeBytes(bytes);
  // Room for everything that can come out, so that it comes out in one piece.
  const options = { level, chunkSize: bytes.length + (bytes.length >>> 8) + 64 };
  return level === 0 || bytes.length <= SYNCHRONOUS_BYTES ? deflateSync(bytes, options) : deflateAsync(bytes, options);
}

/** One block that is not compressed (RFC 1951, 3.2.4), in the frame of zlib (RFC 1950). */
function storeBytes(bytes: Uint8Array): Buffer {
  const stored = Buffer.allocUnsafe(bytes.length + 11);
  stored.writeUInt16BE(0x7801, 0);
  stored.writeUInt8(1, 2);
  stored.writeUInt16LE(bytes.length, 3);
  stored.writeUInt16LE(bytes.length ^ 0xffff, 5);
  stored.set(bytes, 7);
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  stored.writeUInt16BE(high, bytes.length + 7);
  stored.writeUInt16BE(low, bytes.length + 9);
  return stored;
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
