import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * The programs that run in processes of their own, as plain JavaScript, by the names that they are given. Without the
 * TypeScript loader a process starts at once, and its memory is that of what it does.
 */
export async function bundlePrograms<Name extends string>(
  directory: string,
  sources: Readonly<Record<Name, URL>>,
): Promise<Readonly<Record<Name, string>>> {
  const entries = Object.entries<URL>(sources).map(([name, url]) => [name, fileURLToPath(url)] as const);
  await build({
    entryPoints: Object.fromEntries(entries),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // A program loads only what it needs.
    splitting: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['@caelus/source'],
    // Optional ones, which need not be installed.
    external: ['pg-native', 'better-sqlite3', 'libsql'],
    // For dependencies that are CommonJS.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  // The cast: Object.fromEntries forgets which names there are.
  return Object.fromEntries(entries.map(([name]) => [name, join(directory, `${name}.mjs`)])) as Record<Name, string>;
}
