import { isAbsolute } from 'node:path';
import type { InputIssue } from '@caelus/core';

/** How SSH remotes are reached. Nothing of the user's or the machine's configuration of SSH is used. */
export interface NativeGitSshOptions {
  /** An absolute path: the file of host keys, as `ssh-keyscan` writes it. A host that is not in it is not spoken to. */
  readonly knownHosts: string;
  /** An absolute path: the private key, without a passphrase, or with `agent` the public key of the one to be used. */
  readonly identity?: string | undefined;
  /** The socket of an agent, such as `process.env.SSH_AUTH_SOCK`. Default: none is asked. */
  readonly agent?: string | undefined;
  /** Default `ssh`. */
  readonly executable?: string | undefined;
}

/** SSH expands `%`, `$` and `~` in paths, and reads quotes and escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what must not be there.
const UNSAFE = /[\x00-\x1f\x7f"\\%$]/;

export function sshIssues(ssh: NativeGitSshOptions): readonly InputIssue[] {
  const problems = (['knownHosts', 'identity', 'agent'] as const).flatMap((name) => {
    const path: unknown = ssh[name];
    if (path === undefined && name !== 'knownHosts') return [];
    const isPath = typeof path === 'string' && isAbsolute(path) && !UNSAFE.test(path);
    return isPath
      ? []
      : [{ path: `/ssh/${name}`, message: 'Give an absolute path without quotes, %, $ and backslashes.' }];
  });
  const isNameless = ssh.identity === undefined && ssh.agent === undefined;
  const missing = isNameless ? [{ path: '/ssh', message: 'Give an identity or an agent.' }] : [];
  return [...problems, ...missing];
}

/** The value of `GIT_SSH_COMMAND`, which Git gives to a shell. */
export function sshCommand(
  { knownHosts, identity, agent, executable = 'ssh' }: NativeGitSshOptions,
  timeoutMilliseconds: number,
): string {
  const settings = [
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile="${knownHosts}"`,
    'GlobalKnownHostsFile=none',
    'UpdateHostKeys=no',
    'VerifyHostKeyDNS=no',
    `IdentityFile=${identity === undefined ? 'none' : `"${identity}"`}`,
    `IdentitiesOnly=${identity === undefined ? 'no' : 'yes'}`,
    `IdentityAgent=${agent === undefined ? 'none' : `"${agent}"`}`,
    'PreferredAuthentications=publickey',
    'ClearAllForwardings=yes',
    'ForwardAgent=no',
    'PermitLocalCommand=no',
    `ConnectTimeout=${Math.max(1, Math.ceil(timeoutMilliseconds / 1000))}`,
    'LogLevel=ERROR',
  ];
  const words = [executable, '-F', 'none', ...settings.flatMap((setting) => ['-o', setting])];
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
