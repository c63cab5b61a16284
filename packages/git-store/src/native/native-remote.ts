import { type CommitId, isCaelusError, type Logger, parseCommitId } from '@caelus/core';
import { protocolInvalid, unsupported } from '../git-errors.ts';
import type { GitCredentialsCallback } from '../remote/git-credentials.ts';
import { authFailed, createCredentialSource } from '../remote/git-credentials.ts';
import type { GitRemote, PushOutcome } from '../remote/git-remote.ts';
import { LostResponseError } from '../remote/http-session.ts';
import type { GitProgram, GitResult, GitRun, GitSetting } from './git-program.ts';
import { judgeFailure, MovedError } from './remote-failure.ts';
import { type NativeGitSshOptions, sshCommand } from './ssh-command.ts';

export interface NativeRemoteOptions {
  readonly git: GitProgram;
  readonly gitdir: string;
  readonly url: string;
  readonly credentials: GitCredentialsCallback | undefined;
  readonly ssh: NativeGitSshOptions | undefined;
  readonly timeoutMilliseconds: number;
  readonly logger: Logger;
}

/** The names of refs that the store has anything to do with; none can be taken for an option or a second refspec. */
const REF = /^refs\/(?:heads|tags)\/[A-Za-z0-9_][A-Za-z0-9._+/-]*$/;
/** How a server begins that speaks smart HTTP, as Git traces it. */
const GIT_SERVER = /packet: +git< (?:version 2|# service=git-upload-pack)/;
/** More than can be added between a look at a ref and a fetch. */
const RECENT_COMMITS = 50;
/** Where a pack says how many objects it has. */
const OBJECT_COUNT_AT = 8;
const NO_RESULT = { pack: Buffer.alloc(0), shallow: [], unshallow: [] };

/**
 * A remote by `git ls-remote`, `git fetch` and `git push`. What is fetched lies in the directory after the call, and what is
 * pushed is taken from there.
 */
export function createNativeRemote(options: NativeRemoteOptions): GitRemote {
  const { git, gitdir, url, ssh, timeoutMilliseconds, logger } = options;
  const source = createCredentialSource(url, options.credentials);
  const isHttp = /^https?:/.test(url);
  const environment =
    ssh === undefined ? {} : { GIT_SSH_COMMAND: sshCommand(ssh, timeoutMilliseconds), GIT_SSH_VARIANT: 'ssh' };
  let headers: readonly GitSetting[] | undefined;

  async function askHeaders(signal: AbortSignal | undefined): Promise<readonly GitSetting[]> {
    if (!isHttp) return [];
    const key = `http.${new URL(url).origin}/.extraHeader`;
    const given = [...(await source.ask(signal))].map(([name, value]) => `${name}: ${value}`);
    // On a connection that was used before, curl sends a push again by itself when it gets no answer, and the second one is
    // refused though the first has arrived.
    return [...given, 'Connection: close'].map((header) => [key, header]);
  }

  /** Runs a command, and once more with new credentials where those were not taken. */
  async function run(
    args: readonly string[],
    phase: 'read' | 'push',
    signal: AbortSignal | undefined,
    more: Readonly<Record<string, string>> = {},
  ): Promise<GitResult | LostResponseError | 'missing'> {
    for (let isLast = !source.canAsk || !isHttp; ; isLast = true) {
      headers ??= await askHeaders(signal);
      const given: GitRun = { config: headers, environment: { ...environment, ...more }, signal, timeoutMilliseconds };
      const result = await git.run(args, given);
      if (result.code === 0 || hasReport(result)) return result;
      const failure = judgeFailure(result, { url, gitdir, phase, readable: source.readable });
      if (failure instanceof LostResponseError || failure === 'missing') return failure;
      if (failure !== 'unauthorized') throw failure;
      // The next call asks for credentials again.
      headers = undefined;
      if (isLast) throw authFailed(url, 'it did not take the credentials.');
    }
  }

  async function read(
    args: readonly string[],
    signal: AbortSignal | undefined,
    more: Readonly<Record<string, string>> = {},
  ): Promise<GitResult> {
    const result = await run(args, 'read', signal, more);
    if (result instanceof LostResponseError || result === 'missing') throw new Error('only a push can be lost');
    return result;
  }

  async function listRefs(
    patterns: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, string>> {
    const command = ['ls-remote', '--quiet', '--end-of-options', url, ...patterns];
    const text = (await read(command, signal)).stdout.toString('utf8');
    if (/^[0-9a-f]{64}\t/m.test(text)) throw unsupported(url, 'it has SHA-256 object names.');
    // Git takes a page of text for the list of an older kind of server, which has no refs then.
    if (isHttp && text === '' && !GIT_SERVER.test((await read(command, signal, { GIT_TRACE_PACKET: '1' })).stderr)) {
      throw protocolInvalid(url, 'the content is another.');
    }
    const lines = text.split('\n').filter((line) => /^[0-9a-f]{40}\t/.test(line));
    return new Map(lines.map((line) => [line.slice(41), line.slice(0, 40)]));
  }

  async function fetchOnce(what: string, depth: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    const depths = depth === undefined ? [] : [`--depth=${depth}`];
    const command = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', ...depths];
    await read([...command, '--end-of-options', url, what], signal);
  }

  return {
    url,
    refs: (signal) => listRefs([], signal),

    async tip(ref, signal) {
      const commit = (await listRefs([checked(ref)], signal)).get(ref);
      return { commit: commit === undefined ? null : parseCommitId(commit), canShallow: true };
    },

    async fetch({ ref, want, depth }, signal) {
      try {
        await fetchOnce(want, depth, signal);
      } catch (error) {
        if (!isCaelusError(error, 'UNAVAILABLE') || !(error.cause instanceof MovedError)) throw error;
        // A server of an old protocol sends only what a ref names. The ref has moved on, so what was wanted lies behind it.
        await fetchOnce(checked(ref), depth === 1 ? RECENT_COMMITS : depth, signal);
      }
      return NO_RESULT;
    },

    async push({ ref, expected, next, pack }, signal) {
      // Of a commit there is nothing left to be written; of a tag there is.
      if (pack.readUInt32BE(OBJECT_COUNT_AT) > 0)
        await git.run(['unpack-objects', '-q', '--strict'], { input: pack, signal });
      // What the lease says is compared with what the remote shows, and the remote compares again when it moves the ref.
      const lease = `--force-with-lease=${checked(ref)}:${expected ?? ''}`;
      const command = ['push', '--porcelain', '--no-progress', '--no-verify', lease];
      const push = () => run([...command, '--end-of-options', url, `${next}:${ref}`], 'push', signal);
      let result = await push();
      if (result === 'missing') {
        // A commit of the remote that the cache has left out, to be tagged.
        const isFetched = await fetchOnce(next, undefined, signal).then(
          () => true,
          () => false,
        );
        if (isFetched) result = await push();
      }
      if (result === 'missing') return { outcome: 'rejected', reason: 'it does not have the commit', isUnread: false };
      if (result instanceof LostResponseError) return { outcome: 'unknown', cause: result };
      return readReport(ref, next, result);
    },
  };

  function readReport(ref: string, next: CommitId, { stdout, stderr }: GitResult): PushOutcome {
    const said = source.readable(remoteLines(stderr).join(' '));
    if (said !== '') logger.info('the remote says', { remote: url, said });
    const line = reportLines(stdout).find((each) => each.startsWith(`${next}:${ref}\t`, 2));
    const [flag, , summary = ''] = line?.split('\t') ?? [];
    if (flag === ' ' || flag === '*' || flag === '+') return { outcome: 'accepted' };
    // Somebody has put the very same commit there, or nobody knows who did.
    if (flag === '=') return { outcome: 'rejected', reason: 'stale', isUnread: false };
    if (flag !== '!' || summary.startsWith('[remote failure]')) {
      return { outcome: 'unknown', cause: new LostResponseError('no report') };
    }
    const reason = source.readable(/\((.*)\)$/.exec(summary)?.[1] ?? summary);
    return { outcome: 'rejected', reason: [reason, said].filter(Boolean).join('; '), isUnread: false };
  }
}

/** Whether a push that failed says for each ref what became of it. */
function hasReport({ stdout }: GitResult): boolean {
  return reportLines(stdout).length > 0;
}

function reportLines(stdout: Buffer): readonly string[] {
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => /^[ +*=!-]\t[0-9a-f]{40}:refs\//.test(line));
}

/** What the server has to say to people, such as a hook. */
function remoteLines(stderr: string): readonly string[] {
  return stderr.split('\n').flatMap((line) => /^remote: (.*)/.exec(line)?.[1]?.trimEnd() ?? []);
}

function checked(ref: string): string {
  if (REF.test(ref) && !/\.\.|\/\/|\.lock(?:\/|$)/.test(ref)) return ref;
  throw new TypeError('This name of a branch or tag cannot be used.');
}
