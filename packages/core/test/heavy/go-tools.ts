import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installGoTool } from '../../../../testbed/src/go-program.ts';
import { ARGOCD_VERSIONS, DEFAULT_ARGOCD } from '../../../../testbed/src/versions.ts';

const exec = promisify(execFile);

/**
 * The path of a real helm or kustomize, of the version that the testbed's Argo CD renders with; built by Go into the user's cache
 * folder the first time (some 40 seconds for kustomize and 2 minutes for helm on two cores).
 */
export async function goTool(name: 'helm' | 'kustomize'): Promise<string> {
  return installGoTool(ARGOCD_VERSIONS[DEFAULT_ARGOCD][name], () => {});
}

/** Runs a program and returns what it printed; its error output stands in the message where it fails. */
export async function execute(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  cwd?: string,
): Promise<string> {
  const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024, ...(cwd !== undefined && { cwd }) };
  const { stdout } = await exec(path, [...args], options);
  return stdout;
}
