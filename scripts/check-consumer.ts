// Packs every package as it would be published, installs the tarballs with npm into a stranger's project, and there type
// checks a program (libraries included) with old and new compilers, and runs it with plain Node.js. Needs a build.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMPILERS = { typescript54: '5.4.5', typescript59: '5.9.3', typescript60: '6.0.3', typescript70: '7.0.2' };
const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>;
}

const root = fileURLToPath(new URL('../', import.meta.url));
const manifests = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')))
  .map((folder) => ({
    folder,
    manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest,
  }));

const project = mkdtempSync(join(tmpdir(), 'caelus-consumer-'));
try {
  checkConsumer();
  console.log('The packed packages install, type check and run.');
} finally {
  rmSync(project, { recursive: true, force: true });
}

function checkConsumer(): void {
  for (const { folder, manifest } of manifests) {
    if (!existsSync(join(folder, 'dist'))) throw new Error(`${manifest.name} is not built: run \`ws:build\` first.`);
    run(root, process.execPath, [join(root, 'scripts/pnpm.mjs'), '-C', folder, 'pack', '--pack-destination', project]);
  }
  writeProject();
  run(project, 'npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']);
  for (const [compiler, version] of Object.entries(COMPILERS)) {
    for (const { moduleResolution } of RESOLUTIONS) {
      run(project, process.execPath, [
        `node_modules/${compiler}/lib/tsc.js`,
        '-p',
        `tsconfig.${moduleResolution}.json`,
      ]);
      console.log(`ok   TypeScript ${version}, ${moduleResolution}`);
    }
  }
  run(project, process.execPath, ['out/main.js']);
  console.log(`ok   Node.js ${process.version}, from import`);
  run(project, process.execPath, ['--no-warnings', 'require.cjs']);
  console.log(`ok   Node.js ${process.version}, from require`);
}

function writeProject(): void {
  const tarball = ({ name, version }: Manifest) => `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
  const specifiers = manifests.flatMap(({ manifest }) =>
    Object.entries(manifest.exports)
      .filter(([, target]) => typeof target === 'object')
      .map(([subpath]) => manifest.name + subpath.slice(1)),
  );
  write('package.json', {
    private: true,
    type: 'module',
    dependencies: {
      ...Object.fromEntries(manifests.map(({ manifest }) => [manifest.name, `file:./${tarball(manifest)}`])),
      ...Object.assign({}, ...manifests.map(({ manifest }) => neededPeers(manifest))),
    },
    devDependencies: {
      '@types/node': '^20.19.0',
      ...Object.fromEntries(Object.entries(COMPILERS).map(([name, version]) => [name, `npm:typescript@${version}`])),
    },
  });
  for (const { module, moduleResolution } of RESOLUTIONS) {
    write(`tsconfig.${moduleResolution}.json`, {
      compilerOptions: {
        target: 'es2022',
        lib: ['es2023', 'esnext.disposable'],
        module,
        moduleResolution,
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        skipLibCheck: false,
        types: ['node'],
        rootDir: 'src',
        outDir: 'out',
      },
      include: ['src'],
    });
  }
  mkdirSync(join(project, 'src'));
  const imports = specifiers.map((specifier, index) => `import * as entry${index} from '${specifier}';`);
  write('src/main.ts', `${imports.join('\n')}\n${program(specifiers.length)}`);
  write('require.cjs', `${specifiers.map((specifier) => `require('${specifier}');`).join('\n')}\n`);
}

/** The peers that a package cannot do without, and those optional ones that its types name. */
function neededPeers({ peerDependencies = {}, peerDependenciesMeta = {} }: Manifest): Record<string, string> {
  const native = ['better-sqlite3'];
  return Object.fromEntries(
    Object.entries(peerDependencies).filter(
      ([name]) => !(native.includes(name) && peerDependenciesMeta[name]?.optional === true),
    ),
  );
}

function program(entries: number): string {
  const codes = [...readFileSync(join(root, 'docs/errors.md'), 'utf8').matchAll(/^## (\S+)$/gm)].map(
    (match) => match[1],
  );
  return `
import {
  CaelusError,
  type ChartSource,
  type ErrorCode,
  isCaelusError,
  parseChartSource,
  parseInstanceId,
} from '@caelus/core';

// Every code of the catalogue, so also those that adapters add to the core's types.
const codes: readonly ErrorCode[] = ${JSON.stringify(codes)};
if (codes.length === 0) throw new Error('The catalogue is empty.');

declare module '@caelus/core' {
  interface ErrorDetails {
    readonly STRANGER_CODE: { readonly answer: number };
  }
}

const entries: readonly object[] = [${Array.from({ length: entries }, (_, index) => `entry${index}`).join(', ')}];
for (const entry of entries) if (Object.keys(entry).length === 0) throw new Error('An entry point exports nothing.');

const chart: ChartSource = parseChartSource({
  type: 'helm',
  repoURL: 'https://charts.example.com',
  chart: 'nextcloud',
  version: '1.2.3',
});
if (chart.type !== 'helm' || chart.version !== '1.2.3') throw new Error('The chart was not parsed.');

try {
  parseInstanceId('../escape');
  throw new Error('A hostile id was accepted.');
} catch (error) {
  if (!isCaelusError(error, 'ID_INVALID')) throw error;
  const path: string | undefined = error.details.issues[0]?.path;
  if (path !== '') throw error;
}

const own: unknown = new CaelusError({ code: 'STRANGER_CODE', message: 'Ours.', details: { answer: 42 } });
if (!isCaelusError(own, 'STRANGER_CODE') || own.details.answer !== 42) throw new Error('A code of ours is not typed.');
`;
}

function write(path: string, content: unknown): void {
  writeFileSync(join(project, path), typeof content === 'string' ? content : JSON.stringify(content, null, 2));
}

function run(cwd: string, command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(' ')} failed.\n${stdout ?? ''}\n${stderr ?? ''}\n${error?.message ?? ''}`);
  }
}
