import { type ChildProcess, execFile } from 'node:child_process';
import { tmpdir } from 'node:os';

export const IDENTITY: { readonly name: string; readonly email: string } = {
  name: 'Bench',
  email: 'bench@example.com',
};

/** Stock Git without the configuration of whoever runs this. */
export const GIT_ENVIRONMENT: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: tmpdir(),
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: IDENTITY.name,
  GIT_AUTHOR_EMAIL: IDENTITY.email,
  GIT_COMMITTER_NAME: IDENTITY.name,
  GIT_COMMITTER_EMAIL: IDENTITY.email,
};

export interface GitCommandOptions {
  readonly input?: string | undefined;
  /** Called with the process once it runs. */
  readonly started?: ((child: ChildProcess) => void) | undefined;
}

export function git(directory: string, args: readonly string[], options: GitCommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      ['-C', directory, ...args],
      { env: GIT_ENVIRONMENT, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`git ${args.slice(0, 3).join(' ')}: ${stderr}`));
      },
    );
    options.started?.(child);
    child.stdin?.on('error', () => {});
    child.stdin?.end(options.input);
  });
}

/** No arm tidies up while it is measured, and each makes durable what it acknowledges: objects and refs. */
export const GIT_CONFIGURATION: readonly string[] = [
  'core.fsync=objects,derived-metadata,reference',
  'gc.auto=0',
  'maintenance.auto=false',
  'receive.autogc=false',
  'http.receivepack=true',
].flatMap((setting) => ['-c', setting]);
