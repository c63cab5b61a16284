import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { packageNames, parseSource, readText, walk, workspaceFiles } from './source-files.ts';

interface Import {
  readonly from: string;
  readonly specifier: string;
  /** Erased by the compiler: no edge at run time. */
  readonly typeOnly: boolean;
}

interface Manifest {
  readonly name: string;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

const CORE_DEPENDENCIES = ['@noble/hashes', 'ajv', 'deepmerge-ts', 'diff', 'yaml', 'zod'];
/** Which siblings a package may see, beside itself. Adapters see the core alone. */
const SIBLINGS: Readonly<Record<string, readonly string[]>> = { core: [], http: ['core', 'engine'] };
const ADAPTER_SIBLINGS = ['core'];

const isTest = (path: string) => path.endsWith('.test.ts');
const sources = workspaceFiles().filter((path) => /^packages\/[^/]+\/src\/.*\.ts$/.test(path) && !isTest(path));
const imports = sources.flatMap(importsOf);
const packageOf = (path: string) => path.split('/')[1] ?? '';

function importsOf(path: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean) => {
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) {
      found.push({ from: path, specifier: specifier.text, typeOnly });
    }
  };
  walk(parseSource(path), (node) => {
    // With verbatimModuleSyntax, `import { type A }` stays an import at run time; only `import type` goes.
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, node.importClause?.isTypeOnly ?? false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && isModuleCall(node.expression)) add(node.arguments[0], false);
  });
  return found;
}

function isModuleCall(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require');
}

/** `@scope/name/sub` → `@scope/name`, `name/sub` → `name`. */
const moduleName = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
const isRelative = (specifier: string) => specifier.startsWith('.');
const isBuiltin = (specifier: string) =>
  specifier.startsWith('node:') || builtinModules.includes(moduleName(specifier));
const show = ({ from, specifier }: Import) => `${from} imports ${specifier}`;

describe('imports of the packages', () => {
  it('are found at all', () => {
    expect(sources).toContain('packages/core/src/index.ts');
    expect(imports.map(show)).toContain('packages/core/src/schema/parse-input.ts imports ../errors.ts');
  });

  it('stay inside the package where they are relative, and name a file with its extension', () => {
    const wrong = imports.filter(({ from, specifier }) => {
      if (!isRelative(specifier)) return false;
      const target = join(dirname(from), specifier);
      return !target.startsWith(`packages/${packageOf(from)}/src/`) || !/\.(?:ts|json)$/.test(target);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('of the core are its own files and its few dependencies, and nothing of Node', () => {
    const testing = 'packages/core/src/testing/';
    const wrong = imports.filter(({ from, specifier }) => {
      if (packageOf(from) !== 'core' || isRelative(specifier)) return false;
      if (!from.startsWith(testing)) return isBuiltin(specifier) || !CORE_DEPENDENCIES.includes(moduleName(specifier));
      if (isBuiltin(specifier)) return !/^node:assert(?:\/strict)?$/.test(specifier);
      return ![...CORE_DEPENDENCIES, 'fast-check', '@caelus/core'].includes(moduleName(specifier));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('never lead from the core into its own test kit', () => {
    const wrong = imports.filter(
      ({ from, specifier }) =>
        /^packages\/core\/src\/(?!testing\/)/.test(from) &&
        (specifier === '@caelus/core/testing' || join(dirname(from), specifier).includes('/src/testing/')),
    );
    expect(wrong.map(show)).toEqual([]);
  });

  it('of a sibling are those that its layer may see, by public entry points', () => {
    const wrong = imports.filter(({ from, specifier }) => {
      const sibling = /^@caelus\/([^/]+)(\/.*)?$/.exec(specifier);
      if (sibling === null) return false;
      const owner = packageOf(from);
      if (owner === 'core' && sibling[1] === 'core') return false;
      const allowed = SIBLINGS[owner] ?? ADAPTER_SIBLINGS;
      return !allowed.includes(sibling[1] ?? '') || !isEntryPoint(sibling[1] ?? '', sibling[2] ?? '');
    });
    expect(wrong.map(show)).toEqual([]);
  });

  it('of zod are namespaces: `import { z }` puts every locale into a bundle, and doubles the size of the core', () => {
    const named = sources.filter((path) => /import (?:type )?\{[^}]*\} from 'zod'/.test(readText(path)));
    expect(named).toEqual([]);
  });

  it('are declared as dependencies of the package', () => {
    const undeclared = imports.filter(({ from, specifier }) => {
      if (isRelative(specifier) || isBuiltin(specifier)) return false;
      const manifest = JSON.parse(readText(`packages/${packageOf(from)}/package.json`)) as Manifest;
      const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies };
      return !(moduleName(specifier) in declared) && moduleName(specifier) !== manifest.name;
    });
    expect(undeclared.map(show)).toEqual([]);
  });

  it.each(packageNames())('of %s have no cycle at run time', (name) => {
    const edges = new Map<string, string[]>();
    for (const { from, specifier, typeOnly } of imports) {
      if (packageOf(from) !== name || !isRelative(specifier) || typeOnly) continue;
      edges.set(from, [...(edges.get(from) ?? []), join(dirname(from), specifier)]);
    }
    expect(findCycle(edges)).toBeUndefined();
  });
});

describe('imports of examples and benchmarks', () => {
  it('go to public entry points of the packages, never into their sources', () => {
    const wrong = workspaceFiles()
      .filter((path) => /^(?:examples|bench)\/.*\.ts$/.test(path))
      .flatMap(importsOf)
      .filter(({ from, specifier }) => {
        // What starts a server for tests does so for benchmarks too.
        if (isRelative(specifier)) return /^packages\/[^/]+\/(?!test\/)/.test(join(dirname(from), specifier));
        const sibling = /^@caelus\/([^/]+)(\/.*)?$/.exec(specifier);
        return sibling !== null && !isEntryPoint(sibling[1] ?? '', sibling[2] ?? '');
      });
    expect(wrong.map(show)).toEqual([]);
  });
});

function isEntryPoint(name: string, subpath: string): boolean {
  if (!packageNames().includes(name)) return false;
  const { exports } = JSON.parse(readText(`packages/${name}/package.json`)) as { exports: Record<string, unknown> };
  return `.${subpath}` in exports;
}

/** A path that comes back to its first file, if there is one. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const search = (path: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const cycle = search(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = search(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
