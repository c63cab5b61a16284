import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root, walk, workspaceFiles } from './source-files.ts';

/** Globals outside ECMAScript that every browser, worker and runtime has, and that neither tell the time nor choose. */
const WEB_STANDARD = new Set([
  'AbortController',
  'AbortSignal',
  'DOMException',
  'TextDecoder',
  'TextEncoder',
  'URL',
  'URLSearchParams',
  'structuredClone',
]);

const coreFiles = workspaceFiles()
  .filter((path) => /^packages\/core\/src\/(?!testing\/).*\.ts$/.test(path) && !path.endsWith('.test.ts'))
  .map((path) => join(root, path));

/** What a program says that depends on more than its arguments: `file:line what`. */
function impurities(program: ts.Program, files: readonly string[]): string[] {
  const checker = program.getTypeChecker();
  const found: string[] = [];
  for (const path of files) {
    const file = program.getSourceFile(path);
    if (file === undefined) throw new Error(`${path} is not part of the program.`);
    walk(file, (node) => {
      const what = impurityOf(node, checker);
      if (what === undefined) return;
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      found.push(`${path.replace(root, '')}:${line} ${what}`);
    });
  }
  return found;
}

function impurityOf(node: ts.Node, checker: ts.TypeChecker): string | undefined {
  if (ts.isMetaProperty(node)) return 'import.meta';
  if (ts.isAwaitExpression(node) && node.parent.parent.kind === ts.SyntaxKind.SourceFile) return 'top-level await';
  if (!ts.isIdentifier(node) || !isReference(node)) return undefined;
  const { parent } = node;
  const symbol = ts.isShorthandPropertyAssignment(parent)
    ? checker.getShorthandAssignmentValueSymbol(parent)
    : checker.getSymbolAtLocation(node);
  if (symbol === undefined) return undefined;
  if (symbol.name === 'globalThis') return 'globalThis';
  const homes = (symbol.declarations ?? []).map((declaration) => declaration.getSourceFile().fileName);
  if (!homes.some((home) => /\/typescript\/lib\/lib\./.test(home))) {
    if (!homes.some((home) => home.includes('/@types/node/'))) return undefined;
    return WEB_STANDARD.has(node.text) ? impureWebUse(node) : node.text;
  }
  if (node.text === 'Date') return impureDateUse(node);
  if (node.text === 'Math') return ts.isPropertyAccessExpression(parent) ? mathRandom(parent) : 'Math as a value';
  if (node.text === 'eval' || node.text === 'Function') return isValueUse(node) ? node.text : undefined;
  return node.text === 'WeakRef' || node.text === 'FinalizationRegistry' ? node.text : undefined;
}

/** Whether an identifier refers to something, as opposed to naming a property, or standing in a type or a declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if ('name' in parent && parent.name === node) return ts.isShorthandPropertyAssignment(parent);
  if (ts.isBindingElement(parent) && parent.propertyName === node) return false;
  return !(ts.isQualifiedName(parent) || ts.isTypeNode(parent) || ts.isTypeElement(parent));
}

const isValueUse = (node: ts.Identifier) =>
  !(
    ts.isBinaryExpression(node.parent) &&
    node.parent.operatorToken.kind === ts.SyntaxKind.InstanceOfKeyword &&
    node.parent.right === node
  );

/** `new Date(x)`, `Date.UTC`, `Date.parse` and `instanceof Date` depend on their arguments alone. */
function impureDateUse(node: ts.Identifier): string | undefined {
  const { parent } = node;
  if (!isValueUse(node)) return undefined;
  if (ts.isNewExpression(parent) && (parent.arguments?.length ?? 0) > 0) return undefined;
  if (ts.isPropertyAccessExpression(parent)) {
    return ['UTC', 'parse', 'prototype'].includes(parent.name.text) ? undefined : `Date.${parent.name.text}`;
  }
  return ts.isNewExpression(parent) ? 'new Date()' : 'Date as a value';
}

const mathRandom = (access: ts.PropertyAccessExpression) => (access.name.text === 'random' ? 'Math.random' : undefined);

/** `AbortSignal.timeout` is a clock. */
function impureWebUse(node: ts.Identifier): string | undefined {
  const { parent } = node;
  const isTimeout =
    node.text === 'AbortSignal' && ts.isPropertyAccessExpression(parent) && parent.name.text === 'timeout';
  return isTimeout ? 'AbortSignal.timeout' : undefined;
}

function compile(files: readonly string[], virtual: ReadonlyMap<string, string> = new Map()): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.base.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options, true);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = virtual.get(path);
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version, true);
  };
  return ts.createProgram([...files], options, host);
}

const probeFolder = join(root, 'packages/core/src/purity-probe/');
const impure: readonly (readonly [text: string, found: string])[] = [
  ['Date.now();', 'Date.now'],
  ['new Date();', 'new Date()'],
  ['const { now } = Date; now();', 'Date as a value'],
  ['Math.random();', 'Math.random'],
  ['const { random } = Math; random();', 'Math as a value'],
  ["Math['random']();", 'Math as a value'],
  ['crypto.randomUUID();', 'crypto'],
  ['process.env.HOME;', 'process'],
  ['export const p = { process };', 'process'],
  ["globalThis['process'];", 'globalThis'],
  ['setTimeout(() => {}, 1);', 'setTimeout'],
  ['performance.now();', 'performance'],
  ['Buffer.from([1]);', 'Buffer'],
  ["fetch('http://127.0.0.1');", 'fetch'],
  ["console.log('x');", 'console'],
  ['AbortSignal.timeout(1);', 'AbortSignal.timeout'],
  ["eval('1');", 'eval'],
  ['import.meta.url;', 'import.meta'],
];
const looksImpure = `
  // Date.now() in a comment, and process.exit
  /** Math.random */
  export const text: string = 'crypto.randomUUID() setTimeout';
  export function run(process: { exit: number }, crypto: number): unknown {
    return { at: new Date(0).toISOString(), utc: Date.UTC(2020), exit: process.exit, crypto, max: Math.max(1, 2) };
  }
  export interface Clock { now(): Date; readonly process: string }
  export const isDate = (value: unknown): boolean => value instanceof Date;
  export const isList = (value: unknown): boolean => Array.isArray(value);
  export const signal = (one: AbortSignal): AbortSignal => AbortSignal.any([one]);
  export const bytes: Uint8Array = new TextEncoder().encode('x');
`;

// One program for everything, because making one costs more than checking.
const probePath = (name: string | number) => join(probeFolder, `${name}.ts`);
const probes = new Map(impure.map(([text], index) => [probePath(index), `${text}\nexport {};`]));
probes.set(probePath('pure'), looksImpure);
const program = compile([...coreFiles, ...probes.keys()], probes);

describe('@caelus/core', () => {
  it('reads no clock, no randomness, no process and no network', () => {
    expect(coreFiles.length).toBeGreaterThan(10);
    expect(impurities(program, coreFiles)).toEqual([]);
  });
});

describe('the check itself', () => {
  const check = (path: string) => impurities(program, [path]).map((found) => found.replace(/^[^ ]+ /, ''));

  it.each(impure.map(([text, found], index) => ({ text, found, index })))('sees $text', ({ found, index }) => {
    expect(check(probePath(index))).toEqual([found]);
  });

  it('passes what only looks impure', () => {
    expect(check(probePath('pure'))).toEqual([]);
  });
});
