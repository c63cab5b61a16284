import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheFolder } from './cache-folder.ts';
import { withFolderLock } from './folder-lock.ts';
import { copyPatched, type ModulePatch } from './module-patch.ts';
import { type RunOptions, run } from './run.ts';

/** What is built from a Go module of ours, and how. */
export interface GoProgram {
  readonly name: string;
  /** The module's folder. Everything in it counts for the cache. */
  readonly folder: string;
  /** What is built: `.`, or the path of a package that the module requires. */
  readonly package: string;
  /** Values of string variables, set by the linker. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly patch?: ModulePatch;
}

/** Called with what is about to take a while. */
export type Progress = (text: string) => void;

/** Two builds after each other may wait this long for the first on a busy machine. */
const BUILD_SECONDS = 3600;

/**
 * The path of a program, built the first time into the user's cache folder: one folder for each content of the module, version
 * of Go and set of variables. What lies there is checked against the hash that was taken when it was built.
 */
export async function buildGoProgram(program: GoProgram, progress: Progress): Promise<string> {
  const key = await keyOf(program);
  return cached(join(cacheFolder(), 'testbed', 'programs'), `${program.name}-${key}`, program.name, async (folder) => {
    progress(`Building ${program.name} (minutes, once)`);
    const flags = ['-trimpath', `-ldflags=${linkerFlags(program)}`];
    if (program.patch !== undefined) flags.push(`-modfile=${await patchedModfile(program, program.patch, folder)}`);
    await go(['build', ...flags, '-o', join(folder, program.name), program.package], { cwd: program.folder });
    await rm(join(folder, WORK), { recursive: true, force: true });
  });
}

/** Beside the program that is being built, and gone when it is. */
const WORK = 'work';

/** A `go.mod` like the program's own, but with the patched copy of a module in place of that module. */
async function patchedModfile({ folder }: GoProgram, patch: ModulePatch, building: string): Promise<string> {
  const work = join(building, WORK);
  await mkdir(work);
  const copy = join(work, 'module');
  await copyPatched(await moduleFolder(folder, patch.module), patch, copy);
  const text = await readFile(join(folder, 'go.mod'), 'utf8');
  await writeFile(join(work, 'patched.mod'), `${text}\nreplace ${patch.module} => ${copy}\n`);
  await copyFile(join(folder, 'go.sum'), join(work, 'patched.sum'));
  return join(work, 'patched.mod');
}

/** The path of a program that `go install` makes, built the first time into the user's cache folder. */
export async function installGoTool(
  { name, module, version }: { readonly name: string; readonly module: string; readonly version: string },
  progress: Progress,
): Promise<string> {
  return cached(join(cacheFolder(), 'tools'), `${name}-${version}`, name, async (folder) => {
    progress(`Building ${name} ${version} (a minute or two, once)`);
    await go(['install', '-trimpath', '-ldflags=-s -w', `${module}@${version}`], { env: { GOBIN: folder } });
  });
}

/** Built beside and then renamed, so that a run that is interrupted leaves no half of a program behind. */
async function cached(
  cache: string,
  key: string,
  name: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cache, key);
  const path = join(folder, name);
  if (await isIntact(path)) return path;
  await withFolderLock(join(cache, 'locks', key), BUILD_SECONDS, async () => {
    if (await isIntact(path)) return;
    const building = await mkdtemp(join(cache, 'building-'));
    try {
      await build(building);
      await writeFile(join(building, 'sha256'), await hashOf(join(building, name)));
      await rm(folder, { recursive: true, force: true });
      await rename(building, folder);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  });
  return path;
}

async function isIntact(path: string): Promise<boolean> {
  const recorded = await readFile(join(path, '..', 'sha256'), 'utf8').catch(() => undefined);
  return recorded !== undefined && existsSync(path) && recorded === (await hashOf(path));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function keyOf(program: GoProgram): Promise<string> {
  const hash = createHash('sha256');
  const toolchain = await go(['env', 'GOVERSION', 'GOOS', 'GOARCH'], {});
  const files = (await readdir(program.folder)).filter((file) => /\.(?:go|mod|sum)$/.test(file)).sort();
  const contents = await Promise.all(files.map((file) => readFile(join(program.folder, file), 'utf8')));
  const { package: target, variables, patch } = program;
  hash.update(JSON.stringify({ toolchain, files, contents, target, variables, patch }));
  return hash.digest('hex').slice(0, 16);
}

function linkerFlags({ variables = {} }: GoProgram): string {
  return ['-s -w', ...Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`)].join(' ');
}

/** The folder in which Go keeps the sources of a module that the module in `folder` requires. */
export async function moduleFolder(folder: string, module: string): Promise<string> {
  await go(['mod', 'download', module], { cwd: folder });
  return (await go(['list', '-m', '-f', '{{.Dir}}', module], { cwd: folder })).trim();
}

async function go(args: readonly string[], { env, ...options }: RunOptions): Promise<string> {
  try {
    return await run('go', args, { ...options, env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', ...env } });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      `Go is not on the PATH, and ${basename(args.at(-1) ?? '')} is built by it. Install Go 1.26 or later.`,
    );
  }
}
