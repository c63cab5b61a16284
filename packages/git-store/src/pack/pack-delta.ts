/** Makes an object from its base and a delta. @throws {Error} where the delta is malformed or belongs to another base */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  let at = 0;
  const next = () => delta.readUInt8(at++);
  const readSize = () => {
    let size = 0;
    for (let scale = 1, byte = 0x80; byte & 0x80; scale *= 128) {
      byte = next();
      size += (byte & 0x7f) * scale;
    }
    return size;
  };
  /** A number of which only those bytes are there that are not zero; `present` has a bit for each. */
  const readSparse = (present: number, bytes: number) => {
    let value = 0;
    for (let index = 0; index < bytes; index += 1) if (present & (1 << index)) value += next() * 256 ** index;
    return value;
  };
  if (readSize() !== base.length) throw new Error('a delta belongs to another base');
  const size = readSize();
  if (size > 0x7fffffff) throw new Error('an object is larger than 2 GiB');
  const result = Buffer.allocUnsafe(size);
  let written = 0;
  while (at < delta.length) {
    const instruction = next();
    const copies = (instruction & 0x80) !== 0;
    const from = copies ? readSparse(instruction, 4) : at;
    const length = copies ? readSparse(instruction >> 4, 3) || 0x10000 : instruction;
    const source = copies ? base : delta;
    if (length === 0 || from + length > source.length || written + length > size)
      throw new Error('a delta is malformed');
    source.copy(result, written, from, from + length);
    written += length;
    if (!copies) at += length;
  }
  if (written !== size) throw new Error('a delta is cut off');
  return result;
}
