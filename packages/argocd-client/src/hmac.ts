const encoder = new TextEncoder();

/** HMAC-SHA-256 of a text or of bytes. */
export async function hmac(secret: string | Uint8Array, message: string | Uint8Array): Promise<Uint8Array> {
  const bytes = (value: string | Uint8Array) =>
    new Uint8Array(typeof value === 'string' ? encoder.encode(value) : value);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, bytes(message)));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Tells whether two texts are the same, in a time that says nothing about where they differ, or how long they are: compares their
 * digests under a key that nobody knows.
 */
export async function isSameSecret(a: string, b: string): Promise<boolean> {
  const key = crypto.getRandomValues(new Uint8Array(32));
  const [first, second] = await Promise.all([hmac(key, a), hmac(key, b)]);
  return first.reduce((difference, byte, index) => difference | (byte ^ (second[index] ?? 0)), 0) === 0;
}
