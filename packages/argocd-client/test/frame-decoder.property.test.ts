import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFrameDecoder } from '../src/frame-decoder.ts';

const frame = fc
  .record({ result: fc.string({ unit: 'binary', size: 'max', maxLength: 300 }) })
  .map((value) => JSON.stringify(value));
const framing = fc.constantFrom(
  (text: string) => `${text}\n`,
  (text: string) => `data: ${text} \n\n`,
  (text: string) => `data:${text}\r\n\r\n`,
  (text: string) => `:\n:\n\nid: 7\ndata: ${text}\n\n:\n`,
);

describe('the frame decoder', () => {
  it('finds every frame in both framings, wherever the bytes are cut', () => {
    const cuts = fc.array(fc.nat(), { maxLength: 50 });
    fc.assert(
      fc.property(fc.array(fc.tuple(frame, framing), { size: 'max', maxLength: 30 }), cuts, (frames, places) => {
        const bytes = new TextEncoder().encode(frames.map(([text, wrap]) => wrap(text)).join(''));
        const bounds = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
        const decoder = createFrameDecoder(bytes.length);
        const parts = [0, ...bounds].map((start, index) => bytes.slice(start, bounds[index] ?? bytes.length));
        const found = parts.flatMap((part) => decoder.push(part) ?? ['too long']);
        expect(found).toEqual(frames.map(([text]) => text));
        expect(decoder.hasPending()).toBe(false);
      }),
    );
  });

  it('finds them byte by byte', () => {
    const text = '{"result":"ä€😀"}';
    const decoder = createFrameDecoder(1000);
    const bytes = new TextEncoder().encode(`data: ${text} \n\n`);
    expect([...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)) ?? [])).toEqual([text]);
  });

  it.each([
    [9, 10, true],
    [10, 10, true],
    [11, 10, false],
  ])('takes a line of %s bytes where %s are the most: %s', (length, most, accepted) => {
    const text = `{${'x'.repeat(length - 1)}`;
    const whole = createFrameDecoder(most);
    expect(whole.push(new TextEncoder().encode(`${text}\n`)) !== undefined).toBe(accepted);
    const begun = createFrameDecoder(most);
    expect(begun.push(new TextEncoder().encode(text)) !== undefined).toBe(accepted);
    expect(begun.hasPending()).toBe(true);
  });
});
