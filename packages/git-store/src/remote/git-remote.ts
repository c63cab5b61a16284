import { CaelusError, type CommitId, type Logger, parseCommitId } from '@caelus/core';
import { protocolInvalid, unavailable, unsupported } from '../git-errors.ts';
import { createHttpSession, type HttpRequest, type HttpSessionOptions, LostResponseError } from './http-session.ts';
import { bandOf, createPktLineReader, encodePktLine, FLUSH_PKT, parsePktLines, splitSideBands } from './pkt-line.ts';

/** A remote repository, over Git's smart HTTP protocol (version 0). */
export interface GitRemote {
  readonly url: string;
  /** Where a ref is now, by its full name; `null` where it does not exist. */
  tip(ref: string, signal: AbortSignal | undefined): Promise<RemoteTip>;
  /** Every ref by its name, and what an annotated tag leads to by the tag's name with `^{}`. */
  refs(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>>;
  /** Everything of a commit that the client does not have. */
  fetch(request: FetchRequest, signal: AbortSignal | undefined): Promise<FetchResult>;
  /** Moves a ref from `expected` to `next` if it is still there, and sends the objects of `next`. */
  push(request: PushRequest, signal: AbortSignal | undefined): Promise<PushOutcome>;
}

export interface RemoteTip {
  readonly commit: CommitId | null;
  readonly canShallow: boolean;
}

export interface FetchRequest {
  /** Where the commit was seen; it may have moved since. */
  readonly ref: string;
  readonly want: CommitId;
  /** Commits that the client has with all that they lead to, but for `shallow`. */
  readonly have: readonly CommitId[];
  /** Commits that the client has without their parents. */
  readonly shallow: readonly string[];
  /**
   * How many commits of the history; `undefined`: all that are newer than `have`. 1 is for a first contact only, because it
   * always sends the whole tree.
   */
  readonly depth: number | undefined;
  /** Takes the pack, part by part. What came is worth nothing unless the fetch succeeds. */
  receive(bytes: Buffer): Promise<void>;
}

export interface FetchResult {
  readonly shallow: readonly string[];
  readonly unshallow: readonly string[];
}

export interface PushRequest {
  /** The full name: `refs/heads/main`. */
  readonly ref: string;
  readonly expected: CommitId | null;
  readonly next: CommitId;
  readonly pack: Buffer;
}

export type PushOutcome =
  | { readonly outcome: 'accepted' }
  /**
   * The ref was not where it was expected, or the remote's rules say no; `reason` is fit to show. `isUnread` where the
   * remote could make nothing of the pack, which may be because it lacks the base of a delta.
   */
  | { readonly outcome: 'rejected'; readonly reason: string; readonly isUnread: boolean }
  /** Sent, but without an answer that says what became of it; unless the cause is over, it may still arrive. */
  | { readonly outcome: 'unknown'; readonly cause: unknown };

export interface GitRemoteOptions extends HttpSessionOptions {
  readonly logger: Logger;
}

const NO_COMMIT = '0'.repeat(40);
const AGENT = 'agent=caelus';
/** What stands before the pack. */
const FETCH_LINE = /^(?:(?:un)?shallow [0-9a-f]{40}|NAK|ACK [0-9a-f]{40}(?: \w+)?)$/;

export function createGitRemote(options: GitRemoteOptions): GitRemote {
  const { url, logger } = options;
  const http = createHttpSession(options);

  async function advertised(
    signal: AbortSignal | undefined,
  ): Promise<{ readonly refs: ReadonlyMap<string, string>; readonly capabilities: readonly string[] }> {
    const bytes = await http.request(
      {
        method: 'GET',
        path: '/info/refs?service=git-upload-pack',
        accept: 'application/x-git-upload-pack-advertisement',
      },
      signal,
    );
    const { lines, complete } = parsePktLines(bytes);
    const texts = lines.map((line) => line?.toString('utf8').trimEnd() ?? '');
    const failure = texts.find((line) => line.startsWith('ERR '));
    if (failure !== undefined) throw protocolInvalid(url, http.readable(failure.slice(4)));
    // One flush ends the line above the list, another one the list. Without it, refs may be missing that are there.
    const isWhole = complete && lines.filter((line) => line === null).length > 1;
    if (!isWhole || texts[0] !== '# service=git-upload-pack')
      throw protocolInvalid(url, 'its list of refs is cut off.');
    const capabilities =
      texts
        .find((line) => line.includes('\0'))
        ?.split('\0')[1]
        ?.split(' ') ?? [];
    if (capabilities.includes('object-format=sha256')) throw unsupported(url, 'it has SHA-256 object names.');
    const named = texts.map((each) => each.split('\0')[0] ?? '').filter((each) => /^[0-9a-f]{40} /.test(each));
    return { refs: new Map(named.map((each) => [each.slice(41), each.slice(0, 40)])), capabilities };
  }

  return {
    url,

    async tip(ref, signal) {
      const { refs, capabilities } = await advertised(signal);
      const commit = refs.get(ref);
      return {
        commit: commit === undefined ? null : parseCommitId(commit),
        canShallow: capabilities.includes('shallow'),
      };
    },

    refs: async (signal) => (await advertised(signal)).refs,

    async fetch({ want, have, shallow, depth, receive }, signal) {
      const body = Buffer.concat([
        encodePktLine(`want ${want} side-band-64k ofs-delta no-progress ${AGENT}\n`),
        ...shallow.map((commit) => encodePktLine(`shallow ${commit}\n`)),
        ...(depth === undefined ? [] : [encodePktLine(`deepen ${depth}\n`)]),
        FLUSH_PKT,
        ...have.map((commit) => encodePktLine(`have ${commit}\n`)),
        encodePktLine('done\n'),
      ]);
      const { plain, fatal, complete } = await readFetch(body, receive, signal);
      const failure = plain.find((line) => line.startsWith('ERR '))?.slice(4) ?? fatal;
      if (failure !== '') throw protocolInvalid(url, http.readable(failure));
      const named = (word: string) =>
        plain.filter((line) => line.startsWith(`${word} `)).map((line) => parseCommitId(line.slice(word.length + 1)));
      // Nothing but this check protects these lines, and a commit without its parents would be taken for a whole one.
      if (!complete || !plain.every((line) => FETCH_LINE.test(line)))
        throw protocolInvalid(url, 'its answer is damaged.');
      const [shallowNow, unshallow] = [named('shallow'), named('unshallow')];
      if (depth === 1 && shallowNow.some((commit) => commit !== want))
        throw protocolInvalid(url, 'it sent another commit than it was asked for.');
      return { shallow: shallowNow, unshallow };
    },

    async push({ ref, expected, next, pack }, signal) {
      const command = `${expected ?? NO_COMMIT} ${next} ${ref}\0report-status side-band-64k ${AGENT}`;
      const body = Buffer.concat([encodePktLine(command), FLUSH_PKT, pack]);
      try {
        const answer = await http.request(serviceRequest('git-receive-pack', body), signal);
        return readReport(ref, parsePktLines(answer).lines);
      } catch (error) {
        if (error instanceof LostResponseError) return { outcome: 'unknown', cause: error };
        throw error;
      }
    },
  };

  /** Hands the pack on as it comes: of a large repository it does not fit into memory. */
  async function readFetch(
    body: Buffer,
    receive: (bytes: Buffer) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly plain: readonly string[]; readonly fatal: string; readonly complete: boolean }> {
    const reader = createPktLineReader();
    const others: Buffer[] = [];
    try {
      for await (const part of http.stream(serviceRequest('git-upload-pack', body), signal)) {
        for (const line of reader.push(part)) {
          if (line === null || line.length === 0) continue;
          const [band, bytes] = bandOf(line);
          if (band === 'data') await receive(bytes);
          else if (band !== 'message') others.push(line);
        }
      }
    } catch (error) {
      // It changes nothing there, so it does not matter whether it arrived.
      if (error instanceof LostResponseError) throw unavailable(url, `${error.message}.`, error);
      throw error;
    }
    const { plain, fatal } = splitSideBands(others);
    return { plain, fatal, complete: reader.isComplete };
  }

  function readReport(ref: string, lines: readonly (Buffer | null)[]): PushOutcome {
    const { plain, data, messages, fatal } = splitSideBands(lines);
    const report = [...plain, ...parsePktLines(data).lines.map((line) => line?.toString('utf8').trimEnd() ?? '')];
    const said = http.readable(messages);
    if (said !== '') logger.info('the remote says', { remote: url, said });
    const refused = report.find((line) => line.startsWith(`ng ${ref} `));
    const unpack = report.find((line) => line.startsWith('unpack '));
    if (refused === undefined && unpack === 'unpack ok' && report.includes(`ok ${ref}`)) return { outcome: 'accepted' };
    if (refused !== undefined || (unpack !== undefined && unpack !== 'unpack ok')) {
      const reason = refused?.slice(`ng ${ref} `.length) ?? unpack ?? '';
      return {
        outcome: 'rejected',
        reason: [http.readable(reason), said].filter(Boolean).join('; '),
        isUnread: unpack !== undefined && unpack !== 'unpack ok',
      };
    }
    return { outcome: 'unknown', cause: new LostResponseError(fatal === '' ? 'no report' : http.readable(fatal)) };
  }
}

function serviceRequest(service: string, body: Buffer): HttpRequest {
  return {
    method: 'POST',
    path: `/${service}`,
    body: new Uint8Array(body),
    contentType: `application/x-${service}-request`,
    accept: `application/x-${service}-result`,
  };
}

/** The error of a push that the remote's rules refuse. */
export function pushRefused(remote: string, reason: string): CaelusError<'GIT_PUSH_REFUSED'> {
  return new CaelusError({
    code: 'GIT_PUSH_REFUSED',
    message: `The remote ${remote} refuses the push: ${reason}. Let Caelus write the branch, or choose another one.`,
    details: { remote, reason },
  });
}

/** The error of a push of which nobody can say whether it arrived. */
export function pushUnknown(remote: string, commit: CommitId, cause: unknown): CaelusError<'GIT_PUSH_UNKNOWN'> {
  return new CaelusError({
    code: 'GIT_PUSH_UNKNOWN',
    message: `The connection to ${remote} was lost during a push, and it cannot be found out whether commit ${commit} arrived, or still will. Propose the changes again: what arrived is then unchanged.`,
    details: { remote, commit },
    retryable: true,
    cause,
  });
}
