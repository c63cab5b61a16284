import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressBytes, expandExactly } from './compression.ts';

describe('what was compressed', () => {
  it('is what zlib reads, at any level and size', () =>
    fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 1100, size: 'max' }),
        fc.constantFrom(0, 1, 6),
        async (bytes, level) => {
          const compressed = await compressBytes(bytes, level);
          expect(inflateSync(compressed).equals(bytes)).toBe(true);
          expect((await expandExactly(compressed, bytes.length)).equals(bytes)).toBe(true);
        },
      ),
    ));

  it.each([0, 1, 1023, 1024, 1025, 32_768, 32_769, 65_535, 65_536, 200_000])('%d bytes', async (size) => {
    const bytes = Buffer.alloc(size, 0xff);
    for (const level of [0, 1]) expect(inflateSync(await compressBytes(bytes, level)).equals(bytes)).toBe(true);
  });
});
