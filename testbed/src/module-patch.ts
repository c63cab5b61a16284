import { chmod, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A text that is another in the build, in files of one module. */
export interface ModulePatch {
  readonly module: string;
  /** From the module's root. */
  readonly files: readonly string[];
  /** Stands exactly once in each of them. */
  readonly from: string;
  readonly to: string;
}

/**
 * Copies a module's sources with the text replaced. Go's own copy is read-only, and must stay what its checksum says.
 *
 * @throws Error when a file does not hold the text exactly once, so that nothing is built of which something else is true.
 */
export async function copyPatched(source: string, { files, from, to }: ModulePatch, copy: string): Promise<void> {
  await cp(source, copy, { recursive: true });
  for (const file of files) {
    const path = join(copy, file);
    const parts = (await readFile(path, 'utf8')).split(from);
    if (parts.length !== 2) throw new Error(`${file} holds ${from} ${parts.length - 1} times, and not once.`);
    await chmod(path, 0o644);
    await writeFile(path, parts.join(to));
  }
}
