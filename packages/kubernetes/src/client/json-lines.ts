/** A line that is longer than a reader takes. */
export class LineTooLongError extends Error {}

/**
 * The lines of a stream of bytes, whatever way it is cut into parts. What comes after the last line break is left out: the
 * connection broke within that line.
 */
export async function* readLines(parts: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<string> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts) {
    let start = 0;
    for (let end = part.indexOf(0x0a); end !== -1; end = part.indexOf(0x0a, start)) {
      const line = Buffer.concat([...held, part.subarray(start, end)]);
      held = [];
      length = 0;
      start = end + 1;
      if (line.length > limit) throw new LineTooLongError();
      if (line.length > 0) yield line.toString('utf8');
    }
    held.push(part.subarray(start));
    length += part.length - start;
    if (length > limit) throw new LineTooLongError();
  }
}
