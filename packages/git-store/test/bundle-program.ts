import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Makes one file of a program and all that it imports, so that a process of it starts fast; returns its path. */
export async function bundleProgram(program: URL, directory: string): Promise<string> {
  const entry = fileURLToPath(program);
  const outfile = join(directory, `${basename(entry, '.ts')}.cjs`);
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    minifySyntax: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    conditions: ['@caelus/source'],
    logLevel: 'error',
  });
  return outfile;
}
