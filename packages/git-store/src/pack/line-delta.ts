import { DeltaWriter, isSame } from './delta-writer.ts';

const NEW_LINE = 0x0a;

/** Makes the delta from one version of a text to the next: a line that the old one has, wherever it stands, is copied from there. */
export function encodeLineDelta(base: Buffer, target: Buffer): Buffer {
  const places = new Map<string, number>();
  for (const { start, end } of linesOf(base)) {
    const line = base.toString('latin1', start, end);
    if (!places.has(line)) places.set(line, start);
  }
  const delta = new DeltaWriter(base, target);
  /** Where the last copy ended: a line that stands in many places is best taken from there, so that copies join. */
  let next = 0;
  for (const { start, end } of linesOf(target)) {
    const at = isSame(base, next, target, start, end - start)
      ? next
      : places.get(target.toString('latin1', start, end));
    if (at === undefined) delta.insert(start, end);
    else {
      delta.copy(at, end - start);
      next = at + end - start;
    }
  }
  return delta.finish();
}

function* linesOf(text: Buffer): Generator<{ readonly start: number; readonly end: number }> {
  for (let start = 0; start < text.length; ) {
    const newLine = text.indexOf(NEW_LINE, start);
    const end = newLine === -1 ? text.length : newLine + 1;
    yield { start, end };
    start = end;
  }
}
