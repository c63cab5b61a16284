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
  const lines: (Buffer | null)[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const digits = bytes.toString('latin1', at, at + 4);
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : -1;
    if (length === 0) {
      lines.push(null);
      at += 4;
    } else if (length >= 4 && at + length <= bytes.length) {
      lines.push(bytes.subarray(at + 4, at + length));
      at += length;
    } else break;
  }
  return { lines, complete: at === bytes.length };
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

/** Takes the bands of `side-band-64k` apart: 1 is data, 2 is progress, 3 is a fatal error. */
export function splitSideBands(lines: readonly (Buffer | null)[]): SideBands {
  const plain: string[] = [];
  const data: Buffer[] = [];
  let messages = '';
  let fatal = '';
  for (const line of lines) {
    if (line === null || line.length === 0) continue;
    if (line[0] === 1) data.push(line.subarray(1));
    else if (line[0] === 2) messages += line.toString('utf8', 1);
    else if (line[0] === 3) fatal += line.toString('utf8', 1);
    else plain.push(line.toString('utf8').trimEnd());
  }
  return { plain, data: Buffer.concat(data), messages, fatal };
}
