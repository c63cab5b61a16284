/** Cuts the bytes of a stream into its frames' texts. */
export interface FrameDecoder {
  /** The frames that `part` completes; `undefined` once one is too long. */
  push(part: Uint8Array): readonly string[] | undefined;
  /** Whether a frame has begun that no line feed has ended. */
  hasPending(): boolean;
}

const LINE_FEED = 0x0a;

/**
 * Makes a decoder for both forms of Argo CD's streams: JSON texts ended by line feeds, and server-sent events, each with one
 * `data:` line. Comments (keep-alives) and other fields are passed over. Cuts at bytes, so a character may be split anywhere.
 */
export function createFrameDecoder(mostBytes: number): FrameDecoder {
  const text = new TextDecoder();
  let pending: Uint8Array[] = [];
  let length = 0;

  function keep(part: Uint8Array): void {
    if (part.length === 0) return;
    pending.push(part);
    length += part.length;
  }

  /** The frame of the line that ends here, if it is one. */
  function take(): string | undefined {
    const line = text.decode(concat(pending, length)).replace(/\r$/, '');
    pending = [];
    length = 0;
    const content = line.startsWith('data:') ? line.slice(5).trim() : line.startsWith('{') ? line : '';
    return content === '' ? undefined : content;
  }

  return {
    push(part) {
      const frames: string[] = [];
      let start = 0;
      for (let end = part.indexOf(LINE_FEED); end >= 0; end = part.indexOf(LINE_FEED, start)) {
        keep(part.subarray(start, end));
        if (length > mostBytes) return undefined;
        const frame = take();
        if (frame !== undefined) frames.push(frame);
        start = end + 1;
      }
      // A copy: the rest of the part may be reused by whoever gave it.
      keep(part.slice(start));
      return length > mostBytes ? undefined : frames;
    },
    hasPending: () => length > 0,
  };
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
