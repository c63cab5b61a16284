import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The programs that run in processes of their own, as plain JavaScript. */
export interface Programs {
  readonly arm: string;
  readonly server: string;
}

/** Without the TypeScript loader a process starts at once, and its memory is that of what it does. */
export async function bundlePrograms(directory: string): Promise<Programs> {
  const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  await build({
    entryPoints: { arm: source('arm-process.ts'), server: source('git-http-server.ts') },
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // An arm loads only what it needs.
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@caelus/source'],
    // For dependencies that are CommonJS.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return { arm: join(directory, 'arm.mjs'), server: join(directory, 'server.mjs') };
}
