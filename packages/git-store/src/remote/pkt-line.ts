/** Git's framing: four hexadecimal digits of length, themselves included, then the payload. */
export function encodePktLine(payload: string): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0'), 'latin1'), bytes]);
}

export const FLUSH_PKT: Buffer = Buffer.from('0000', 'latin1');

export interface PktLines {
  /** `null` is a flush. */
  readonly lines: readonly (Buffer | null)[];
  /** Whether the bytes ended where a line ended. */
  readonly complete: boolean;
}

export function parsePktLines(bytes: Buffer): PktLines {
  const reader = createPktLineReader();
  const lines = reader.push(bytes);
  return { lines, complete: reader.isComplete };
}

/** Takes bytes as they come, and gives the lines that have come in full. */
export interface PktLineReader {
  push(bytes: Buffer): readonly (Buffer | null)[];
  /** Whether the bytes so far end where a line ends. */
  readonly isComplete: boolean;
}

export function createPktLineReader(): PktLineReader {
  let rest: Buffer = Buffer.alloc(0);
  return {
    push(bytes) {
      const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      const lines: (Buffer | null)[] = [];
      let at = 0;
      while (at + 4 <= all.length) {
        const digits = all.toString('latin1', at, at + 4);
        const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
        if (length === 0) {
          lines.push(null);
          at += 4;
        } else if (length >= 4 && at + length <= all.length) {
          lines.push(all.subarray(at + 4, at + length));
          at += length;
        } else if (length >= 4) break;
        else {
          // No framing any more. One byte stays, for all that follows to be incomplete.
          rest = all.subarray(0, 1);
          return lines;
        }
      }
      rest = all.subarray(at);
      return lines;
    },
    get isComplete() {
      return rest.length === 0;
    },
  };
}

export interface SideBands {
  /** Lines before the first band: `shallow`, `NAK`, `ACK`. */
  readonly plain: readonly string[];
  readonly data: Buffer;
  /** What the server wants people to read. */
  readonly messages: string;
  /** What the server died of. */
  readonly fatal: string;
}

/** One line of `side-band-64k`: band 1 is data, 2 is for people to read, 3 is a fatal error; `plain` is none. */
export function bandOf(line: Buffer): readonly ['data' | 'message' | 'fatal' | 'plain', Buffer] {
  const band = ([undefined, 'data', 'message', 'fatal'] as const)[line[0] ?? 0];
  return band === undefined ? ['plain', line] : [band, line.subarray(1)];
}

/** Takes the bands apart. */
export function splitSideBands(lines: readonly (Buffer | null)[]): SideBands {
  const plain: string[] = [];
  const data: Buffer[] = [];
  let messages = '';
  let fatal = '';
  for (const line of lines) {
    if (line === null || line.length === 0) continue;
    const [band, bytes] = bandOf(line);
    if (band === 'data') data.push(bytes);
    else if (band === 'message') messages += bytes.toString('utf8');
    else if (band === 'fatal') fatal += bytes.toString('utf8');
    else plain.push(bytes.toString('utf8').trimEnd());
  }
  return { plain, data: Buffer.concat(data), messages, fatal };
}
