import { isAbsolute } from 'node:path';
import type { InputIssue } from '@caelus/core';
import { refuseInput, unknownKeys } from '@caelus/core/adapter';
import type { GitTransport } from '../git-backend.ts';
import { type NativeGitSshOptions, sshIssues } from './ssh-command.ts';

export interface NativeGitOptions {
  /** The git binary, 2.36 or later, by name or absolute path. Default: `git`, found by `PATH`. */
  readonly executable?: string | undefined;
  /** Needed for SSH remotes. */
  readonly ssh?: NativeGitSshOptions | undefined;
  /**
   * More variables for git and what it starts, such as `https_proxy` or `GIT_SSL_CAINFO`. Of this process' environment they
   * get `PATH` and the places for temporary files only.
   */
  readonly environment?: Readonly<Record<string, string>> | undefined;
}

const KEYS = ['executable', 'ssh', 'environment'];
const SSH_KEYS = ['knownHosts', 'identity', 'agent', 'executable'];

/**
 * The transport that lets the git binary read, store, fetch and push: for SSH remotes, and for hosts that prefer Git's own
 * code. What it promises, and what comes out, is the same as without it; `fs` and `remote.fetch`
 * do not go with it.
 * @throws {CaelusError} `INVALID_INPUT`
 * @example
 * ```ts
 * const store = await createGitStore({
 *   directory: '/var/lib/caelus/gitops.git',
 *   remote: { url: 'ssh://git@git.example.com/platform/gitops.git' },
 *   transport: nativeGit({ ssh: { knownHosts: '/etc/caelus/known_hosts', identity: '/etc/caelus/id_ed25519' } }),
 * });
 * ```
 */
export function nativeGit(options: NativeGitOptions = {}): GitTransport {
  const { executable = 'git', ssh, environment = {} } = options;
  const issues: readonly InputIssue[] = [
    ...unknownKeys('', options, KEYS),
    ...unknownKeys('/ssh', ssh ?? {}, SSH_KEYS),
    ...programIssues('/executable', executable),
    ...programIssues('/ssh/executable', ssh?.executable ?? 'ssh'),
    ...Object.entries(environment)
      .filter((entry) => !entry.every((each) => isText(each)))
      .map(([name]) => notText(`/environment/${name}`)),
    ...(ssh === undefined ? [] : sshIssues(ssh)),
  ];
  refuseInput('The options of nativeGit', issues);
  return {
    hasSsh: ssh !== undefined,
    async open(backend) {
      // Only who uses it loads it, and node:child_process with it.
      const { openNativeBackend } = await import('./native-backend.ts');
      return openNativeBackend(backend, { executable, ssh, environment });
    },
  };
}

/** A relative path would be looked for in the repository, where the processes are started. */
function programIssues(path: string, program: unknown): readonly InputIssue[] {
  const isProgram = isText(program) && (isAbsolute(program) || !/[/\\]/.test(program));
  return isProgram ? [] : [{ path, message: 'Give a name, or an absolute path.' }];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

function notText(path: string): InputIssue {
  return { path, message: 'Give a text that is not empty.' };
}
