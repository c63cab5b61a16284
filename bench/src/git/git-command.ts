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

const NO_MAINTENANCE = ['gc.auto=0', 'maintenance.auto=false', 'receive.autogc=false'];

/** For the repository of an arm: it makes durable what it acknowledges, objects and refs, and does not tidy up meanwhile. */
export const ARM_CONFIGURATION: readonly string[] = asOptions([
  ...NO_MAINTENANCE,
  'core.fsync=objects,derived-metadata,reference',
]);

/** For a repository on the server, which is as Git makes it. */
export const SERVER_CONFIGURATION: readonly string[] = asOptions([...NO_MAINTENANCE, 'http.receivepack=true']);

function asOptions(settings: readonly string[]): readonly string[] {
  return settings.flatMap((setting) => ['-c', setting]);
}
