import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineTooLongError, readLines } from './json-lines.ts';

async function* partsOf(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].sort((left, right) => left - right);
  for (let index = 1; index < at.length; index++) yield bytes.subarray(at[index - 1], at[index]);
}

async function linesOf(bytes: Uint8Array, cuts: readonly number[] = [], limit = 1000): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of readLines(partsOf(bytes, cuts), limit)) lines.push(line);
  return lines;
}

describe('the lines of a stream', () => {
  it('are the same however it is cut, characters of several bytes included', async () => {
    const line = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map((text) => text.replaceAll('\n', '☃'));
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.array(fc.nat()), async (lines, cuts) => {
        const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(''));
        expect(await linesOf(bytes, cuts)).toEqual(lines);
      }),
    );
  });

  it('do not have the one that the connection broke in', async () => {
    expect(await linesOf(Buffer.from('one\ntwo'))).toEqual(['one']);
  });

  it.each([
    { length: 9, isTaken: true },
    { length: 10, isTaken: true },
    { length: 11, isTaken: false },
  ])('of $length bytes are taken with a limit of 10: $isTaken', async ({ length, isTaken }) => {
    const whole = Buffer.from(`${'x'.repeat(length)}\n`);
    const read = [linesOf(whole, [], 10), linesOf(whole, [3, 7], 10)];
    for (const lines of read) {
      if (isTaken) expect(await lines).toHaveLength(1);
      else await expect(lines).rejects.toThrow(LineTooLongError);
    }
  });

  it('are refused before their end is read', async () => {
    await expect(linesOf(Buffer.from('x'.repeat(11)), [], 10)).rejects.toThrow(LineTooLongError);
  });
});
