import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The workspace's root, with a slash at its end. */
export const root: string = fileURLToPath(new URL('..', import.meta.url));

/**
 * Paths, from the root, of every file that is in Git or would be added by `git add`. Without Git, or outside a checkout, of
 * every file that is not in a folder for what is installed or built.
 */
export function workspaceFiles(): readonly string[] {
  const arguments_ = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const { status, stdout } = spawnSync('git', arguments_, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return walkFiles('').sort();
  return [...new Set(stdout.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path))).sort();
}

const NOT_OURS = new Set(['.git', 'node_modules', 'dist', 'coverage', 'results']);

function walkFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : walkFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

/** The folder names below `packages/`. */
export function packageNames(): readonly string[] {
  const names = workspaceFiles().map((path) => /^packages\/([^/]+)\/package\.json$/.exec(path)?.[1]);
  return names.filter((name) => name !== undefined);
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function parseSource(path: string): ts.SourceFile {
  return ts.createSourceFile(path, readText(path), ts.ScriptTarget.ES2023, true);
}

/** Calls `visit` with every node below `node`, depth first. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/** The entry points of a package: its subpath (`.`, `./testing`) and the source file behind it. */
export function entryPoints(name: string): readonly { readonly subpath: string; readonly path: string }[] {
  const { exports } = JSON.parse(readText(`packages/${name}/package.json`)) as {
    exports: Record<string, string | Record<string, string>>;
  };
  return Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'object' && target['@caelus/source'] !== undefined
      ? [{ subpath, path: join('packages', name, target['@caelus/source']) }]
      : [],
  );
}
