import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { CaelusError } from '@caelus/core';
import { unavailable } from '../git-errors.ts';

export interface GitProgramOptions {
  readonly executable: string;
  readonly gitdir: string;
  /** An existing directory without configuration, for programs that look for some in the home directory. */
  readonly home: string;
  /** What the host adds to the environment, such as a proxy. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface GitRun {
  readonly input?: Uint8Array | undefined;
  /** Configuration for this run, beside what every run has. It travels in the environment, so it may be secret. */
  readonly config?: readonly GitSetting[] | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default: as long as it takes. */
  readonly timeoutMilliseconds?: number | undefined;
}

export type GitSetting = readonly [key: string, value: string];

export interface GitResult {
  /** `null` where it was killed. */
  readonly code: number | null;
  readonly stdout: Buffer;
  /** Not fit to be shown as it is. */
  readonly stderr: string;
  readonly isTimeout: boolean;
}

/** The git binary, with an environment and a configuration of our own. */
export interface GitProgram {
  /** Runs a command to its end. Arguments must not hold secrets: every user of the machine can read them. */
  run(args: readonly string[], options?: GitRun): Promise<GitResult>;
  /** Starts a command that goes on. */
  start(args: readonly string[], config?: readonly GitSetting[]): ChildProcessWithoutNullStreams;
}

/** `core.fsync` came with this version. */
const LEAST_VERSION = '2.36';
/** Lists of refs are the longest answers. What is longer is no answer of a Git server. */
const OUTPUT_BYTES = 64 * 1024 * 1024;
const STDERR_LENGTH = 16 * 1024;
const PATIENCE_MILLISECONDS = 2000;
/** What programs need to find others, and places for temporary files. Nothing that configures Git or SSH. */
const INHERITED = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];

/** Stands above the configuration of the repository, and in the place of the user's and the machine's. */
const CONFIG: readonly GitSetting[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsync', 'all'],
  ['core.fsmonitor', 'false'],
  ['core.askPass', ''],
  // An empty one takes off those that are named elsewhere.
  ['credential.helper', ''],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['fetch.unpackLimit', '1'],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['push.gpgSign', 'false'],
  // Headers with credentials would go along.
  ['http.followRedirects', 'false'],
  ['http.version', 'HTTP/1.1'],
];

export function createGitProgram({ executable, gitdir, home, environment }: GitProgramOptions): GitProgram {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });

  function environmentOf(config: readonly GitSetting[] = [], more: Readonly<Record<string, string>> = {}) {
    const settings = [...CONFIG, ...config];
    return {
      ...Object.fromEntries(inherited),
      ...environment,
      ...more,
      HOME: home,
      LC_ALL: 'C',
      GIT_DIR: gitdir,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
      GIT_NO_REPLACE_OBJECTS: '1',
      GIT_TERMINAL_PROMPT: '0',
      // Everything else, file:// and ext:: first of all, is refused whatever a configuration says.
      GIT_ALLOW_PROTOCOL: 'http:https:ssh',
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value],
        ]),
      ),
    };
  }

  return {
    start: (args, config) =>
      spawn(executable, args, { cwd: gitdir, env: environmentOf(config), stdio: 'pipe', windowsHide: true }),

    async run(args, { input, config, environment: more, signal, timeoutMilliseconds } = {}) {
      signal?.throwIfAborted();
      // In a group of its own, so that what it has started ends with it: ssh, and the helper for HTTP.
      const child = spawn(executable, args, {
        cwd: gitdir,
        env: environmentOf(config, more),
        stdio: 'pipe',
        windowsHide: true,
        detached: process.platform !== 'win32',
      });
      let isTimeout = false;
      const stop = () => stopGroup(child);
      const timer =
        timeoutMilliseconds === undefined
          ? undefined
          : setTimeout(() => {
              isTimeout = true;
              stop();
            }, timeoutMilliseconds);
      signal?.addEventListener('abort', stop, { once: true });
      try {
        const { code, stdout, stderr } = await outputOf(child, input, stop).catch((error: unknown) => {
          throw cannotStart(executable, error);
        });
        signal?.throwIfAborted();
        return { code, stdout, stderr, isTimeout };
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
      }
    },
  };
}

/** @throws {CaelusError} `GIT_UNAVAILABLE` where there is no git, or one that is too old */
export async function checkGitVersion(git: GitProgram, executable: string): Promise<void> {
  const result = await git.run(['version']);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(result.stdout.toString('latin1')) ?? [];
  if (major === undefined || minor === undefined) throw gitUnavailable(executable, 'it is not Git');
  const [leastMajor = 0, leastMinor = 0] = LEAST_VERSION.split('.').map(Number);
  const isNewEnough = Number(major) > leastMajor || (Number(major) === leastMajor && Number(minor) >= leastMinor);
  if (!isNewEnough) throw gitUnavailable(executable, `it has version ${major}.${minor}`);
}

function cannotStart(executable: string, error: unknown): CaelusError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'EACCES') return gitUnavailable(executable, 'it cannot be started', error);
  return unavailable('git', 'the machine starts no more processes.', error);
}

function gitUnavailable(executable: string, reason: string, cause?: unknown): CaelusError<'GIT_UNAVAILABLE'> {
  return new CaelusError({
    code: 'GIT_UNAVAILABLE',
    message: `The git binary cannot be used: ${reason}. Install Git ${LEAST_VERSION} or later, or give its path as the option executable of nativeGit.`,
    details: { executable, reason, needed: LEAST_VERSION },
    cause,
  });
}

function outputOf(
  child: ChildProcessWithoutNullStreams,
  input: Uint8Array | undefined,
  stop: () => void,
): Promise<Pick<GitResult, 'code' | 'stdout' | 'stderr'>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= OUTPUT_BYTES) chunks.push(chunk);
      else stop();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = tailOf(stderr + text);
    });
    // It may end without reading what it is given. What it answers says why.
    child.stdin.on('error', () => {});
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(chunks), stderr }));
    child.stdin.end(input);
  });
}

/** The last part of what a process says, which tells why it ended. */
function tailOf(text: string): string {
  return text.length <= STDERR_LENGTH ? text : text.slice(-STDERR_LENGTH);
}

/** Asks for an end, so that Git removes its lock files, and soon insists on it. */
function stopGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const signal = (name: 'SIGTERM' | 'SIGKILL') => {
    try {
      process.kill(process.platform === 'win32' ? pid : -pid, name);
    } catch {
      // It has ended.
    }
  };
  signal('SIGTERM');
  const timer = setTimeout(signal, PATIENCE_MILLISECONDS, 'SIGKILL');
  child.once('close', () => clearTimeout(timer));
}
