import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The programs that Argo CD 3.5 renders with, in the versions that it ships. */
const TOOLS = {
  helm: { module: 'helm.sh/helm/v4/cmd/helm', version: 'v4.2.4', arguments: ['version', '--short'] },
  kustomize: { module: 'sigs.k8s.io/kustomize/kustomize/v5', version: 'v5.8.1', arguments: ['version'] },
} as const;

/**
 * The path of a real helm or kustomize of the pinned version, built by Go into the user's cache folder the first time
 * (some 40 seconds for kustomize and 2 minutes for helm on two cores).
 */
export async function goTool(name: keyof typeof TOOLS): Promise<string> {
  const tool = TOOLS[name];
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'caelus', 'tools');
  const folder = join(cache, `${name}-${tool.version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    // Built beside and then renamed, so that a run that is interrupted leaves no half of a program behind.
    const building = mkdtempSync(join(cache, 'building-'));
    try {
      await install(`${tool.module}@${tool.version}`, building);
      renameSync(building, folder);
    } catch (error) {
      rmSync(building, { recursive: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const path = join(folder, name);
  const { stdout } = await run(path, [...tool.arguments]);
  // A helm that Go installed names its minor version alone.
  const reported = stdout.trim();
  if (reported === '' || !tool.version.startsWith(reported)) {
    throw new Error(`${path} says that it is ${reported}, not ${tool.version}. Remove ${folder} and try again.`);
  }
  return path;
}

async function install(target: string, folder: string): Promise<void> {
  try {
    await run('go', ['install', target], {
      env: { ...process.env, GOBIN: folder, CGO_ENABLED: '0' },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`Go is not on the PATH, and ${target} is built by it. Install Go 1.26 or later and try again.`);
  }
}

/** Runs a program and returns what it printed; its error output stands in the message where it fails. */
export async function execute(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024, ...(cwd !== undefined && { cwd }) };
  const { stdout } = await run(path, [...args], options);
  return stdout;
}
