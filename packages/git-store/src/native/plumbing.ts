import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Socket } from 'node:net';
import { pause } from '../backoff.ts';
import type { GitProgram, GitSetting } from './git-program.ts';

/** A command of Git that runs for long and answers requests in their order; it is started when there is one. */
export interface Plumbing {
  /**
   * Sends a request, and reads its answer. Where the process has ended, because somebody has killed it, or has moved the packs
   * that it had open, another one is asked.
   * @throws {PlumbingError} where that happens each time
   */
  ask<T>(request: Uint8Array, read: (answer: AnswerReader) => Promise<T>): Promise<T>;
  /** Ends the process, once what was asked is answered. The next request starts another one. */
  end(): Promise<void>;
}

export interface AnswerReader {
  /** Without its line break. */
  line(): Promise<string>;
  bytes(length: number): Promise<Buffer>;
}

/** A process has ended in place of an answer, or has given one that cannot be right. */
export class PlumbingError extends Error {
  override readonly name: string = 'PlumbingError';
  /** Whether Git gave up by itself. Otherwise it was killed, or could not be started, and nothing is wrong with the repository. */
  readonly isGivenUp: boolean;
  constructor({ isGivenUp, cause }: { readonly isGivenUp: boolean; readonly cause?: unknown }) {
    super(isGivenUp ? 'git has given up' : 'git has been ended from outside', { cause });
    this.isGivenUp = isGivenUp;
  }
}

/** So that a store which nobody uses keeps no process, and no temporary files of one. */
const IDLE_MILLISECONDS = 15_000;
const ATTEMPTS = 5;
const BACKOFF = { baseMilliseconds: 2, mostMilliseconds: 50 };
const LINE_BYTES = 64 * 1024;

export function createPlumbing(git: GitProgram, args: readonly string[], config?: readonly GitSetting[]): Plumbing {
  let running: RunningProcess | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function askOnce<T>(request: Uint8Array, read: (answer: AnswerReader) => Promise<T>): Promise<T> {
    running ??= startProcess(git, args, config);
    const used = running;
    try {
      const answer = await used.ask(request, read);
      used.rest(() => {
        if (running === used) running = undefined;
      });
      return answer;
    } catch (error) {
      // What is left of the answer would be taken for the next one.
      if (running === used) running = undefined;
      used.kill();
      throw error;
    }
  }

  /** One after the other. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = last.then(action);
    last = result.catch(() => {});
    return result;
  }

  return {
    ask: (request, read) =>
      inTurn(async () => {
        for (let attempt = 0; ; attempt += 1) {
          try {
            return await askOnce(request, read);
          } catch (error) {
            if (!(error instanceof PlumbingError) || attempt === ATTEMPTS - 1) throw error;
            await pause(attempt, BACKOFF, undefined);
          }
        }
      }),

    end: () =>
      inTurn(async () => {
        const used = running;
        running = undefined;
        await used?.end();
      }),
  };
}

interface RunningProcess {
  ask<T>(request: Uint8Array, read: (answer: AnswerReader) => Promise<T>): Promise<T>;
  /** Lets it wait for the next request for some time, without keeping this process alive. */
  rest(ended: () => void): void;
  end(): Promise<void>;
  kill(): void;
}

function startProcess(git: GitProgram, args: readonly string[], config?: readonly GitSetting[]): RunningProcess {
  const child = git.start(args, config);
  const reader = createByteReader();
  let idle: NodeJS.Timeout | undefined;
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      reader.fail(new PlumbingError({ isGivenUp: false, cause: error }));
      resolve();
    });
    child.once('close', (code) => {
      reader.fail(new PlumbingError({ isGivenUp: code !== null && code !== 0 }));
      resolve();
    });
  });
  child.stdout.on('data', reader.push);
  // Nobody shows what it says, but it has to be taken, or the process waits.
  child.stderr.resume();
  child.stdin.on('error', () => {});

  async function end(): Promise<void> {
    clearTimeout(idle);
    hold(child, true);
    child.stdin.end();
    await closed;
  }

  return {
    async ask(request, read) {
      clearTimeout(idle);
      hold(child, true);
      child.stdin.write(request);
      return read(reader);
    },
    rest(ended) {
      hold(child, false);
      idle = setTimeout(() => {
        ended();
        void end();
      }, IDLE_MILLISECONDS).unref();
    },
    end,
    kill: () => child.kill('SIGKILL'),
  };
}

/** Decides whether Node.js stays alive for a child process. */
function hold(child: ChildProcessWithoutNullStreams, isHeld: boolean): void {
  for (const each of [child, child.stdin, child.stdout, child.stderr]) {
    // What Node.js gives as pipes are sockets, of which the types say nothing.
    if (each !== child && !(each instanceof Socket)) continue;
    const held = each as Pick<Socket, 'ref' | 'unref'>;
    if (isHeld) held.ref();
    else held.unref();
  }
}

interface ByteReader extends AnswerReader {
  push(this: void, chunk: Buffer): void;
  fail(error: Error): void;
}

function createByteReader(): ByteReader {
  let chunks: Buffer[] = [];
  let size = 0;
  let failure: Error | undefined;
  let wake: (() => void) | undefined;

  async function more(): Promise<void> {
    if (failure !== undefined) throw failure;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }

  function whole(): Buffer {
    const [only = Buffer.alloc(0), ...others] = chunks;
    const joined = others.length === 0 ? only : Buffer.concat(chunks);
    chunks = [joined];
    return joined;
  }

  function take(length: number): Buffer {
    const joined = whole();
    size = joined.length - length;
    chunks = size === 0 ? [] : [joined.subarray(length)];
    return joined.subarray(0, length);
  }

  return {
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      wake?.();
    },
    fail(error) {
      failure ??= error;
      wake?.();
    },
    async line() {
      for (;;) {
        const end = whole().indexOf('\n');
        if (end !== -1) return take(end + 1).toString('utf8', 0, end);
        if (size > LINE_BYTES) throw new PlumbingError({ isGivenUp: true });
        await more();
      }
    },
    async bytes(length) {
      while (size < length) await more();
      return take(length);
    },
  };
}
