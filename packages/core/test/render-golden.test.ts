import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { renderSample, SAMPLES } from './render-samples.ts';

/** CAELUS_UPDATE_GOLDEN=1 writes the files anew: look at what Git says of them before you commit. */
const update = process.env.CAELUS_UPDATE_GOLDEN === '1';
const golden = fileURLToPath(new URL('./golden/', import.meta.url));

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

describe('golden files', () => {
  it('are those of the samples', () => {
    if (update) for (const folder of readdirSync(golden)) rmSync(join(golden, folder), { recursive: true });
    if (update) for (const name of Object.keys(SAMPLES)) mkdirSync(join(golden, name));
    expect(readdirSync(golden).sort()).toEqual(Object.keys(SAMPLES).sort());
  });

  it.each(Object.entries(SAMPLES))('of %s are what is rendered, byte for byte', (name, sample) => {
    const folder = join(golden, name);
    const tree = renderSample(sample);
    if (update) {
      for (const [path, bytes] of tree) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), bytes);
      }
    }
    for (const [path, bytes] of tree) {
      expect(new TextDecoder().decode(bytes), path).toBe(readFileSync(join(folder, path), 'utf8'));
    }
    expect([...tree.keys()].sort()).toEqual([...filesBelow(folder)].sort());
  });
});
