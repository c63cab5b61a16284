import {
  type Batch,
  type CommitId,
  gatherBatch,
  isCaelusError,
  type ProposedChange,
  type Receipt,
  type Tip,
} from '@caelus/core';

const NO_COMMIT = '0'.repeat(40) as CommitId;

/** One call of `write`. */
export interface WriteCall {
  readonly changes: readonly ProposedChange[];
  readonly signal: AbortSignal | undefined;
}

export interface WriteQueueOptions {
  /** The most changes of one commit. */
  readonly maxBatch: number;
  /** The most changes that wait. */
  readonly maxWaiting: number;
  /** Made when a call would wait beyond that. */
  overflow(): Error;
  /** Writes calls as one commit. For each its receipts; `undefined` where it has to be asked again from the new tip. */
  commit(
    calls: readonly WriteCall[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly Receipt[] | undefined)[]>;
}

/** Makes one commit at a time, of all the calls that came while the one before was made. */
export interface WriteQueue {
  write(call: WriteCall): Promise<readonly Receipt[]>;
  /** Ends when no call waits and no commit is being made. */
  settled(): Promise<void>;
}

interface WaitingCall extends WriteCall {
  resolve(receipts: readonly Receipt[]): void;
  reject(reason: unknown): void;
}

export function createWriteQueue({ maxBatch, maxWaiting, overflow, commit }: WriteQueueOptions): WriteQueue {
  let waiting: readonly WaitingCall[] = [];
  let running: Promise<void> | undefined;
  /** Calls that get in each other's way are asked in vain, so fewer of them are taken after that. */
  let mostCalls = Number.POSITIVE_INFINITY;

  /** In the order of the calls, so that none is overtaken; at least one. */
  function take(): readonly WaitingCall[] {
    let changes = 0;
    const end = waiting.findIndex((call, index) => {
      changes += call.changes.length;
      return index > 0 && (changes > maxBatch || index >= mostCalls);
    });
    const group = end === -1 ? waiting : waiting.slice(0, end);
    waiting = waiting.slice(group.length);
    return group;
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const group = take();
      try {
        const results = await withCommonSignal(group, (signal) => commit(group, signal));
        const again = group.filter((call, index) => results[index] === undefined && !call.signal?.aborted);
        mostCalls = again.length === 0 ? 2 * mostCalls : Math.max(1, 2 * (group.length - again.length));
        waiting = [...again, ...waiting];
        for (const [index, call] of group.entries()) {
          const receipts = results[index];
          if (receipts !== undefined) call.resolve(receipts);
        }
      } catch (error) {
        for (const call of group) call.reject(error);
      }
      // Callers that go on at once are then part of the next commit together. One that is alone does not wait for others.
      if (group.length + waiting.length > 1) await new Promise(setImmediate);
    }
    running = undefined;
  }

  return {
    async write({ changes, signal }) {
      const ahead = waiting.reduce((sum, call) => sum + call.changes.length, 0);
      if (ahead > 0 && ahead + changes.length > maxWaiting) throw overflow();
      const { promise, stop, call } = waitingCall(changes, signal);
      waiting = [...waiting, call];
      signal?.addEventListener('abort', stop, { once: true });
      running ??= drain();
      try {
        return await promise;
      } finally {
        signal?.removeEventListener('abort', stop);
        waiting = waiting.filter((each) => each !== call);
      }
    },
    async settled() {
      await running;
    },
  };
}

function waitingCall(changes: readonly ProposedChange[], signal: AbortSignal | undefined) {
  let settle: Pick<WaitingCall, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<readonly Receipt[]>((resolve, reject) => {
    settle = { resolve, reject };
  });
  const call: WaitingCall = {
    changes,
    signal,
    resolve: (receipts) => settle?.resolve(receipts),
    reject: (reason) => settle?.reject(reason),
  };
  return { promise, call, stop: () => call.reject(signal?.reason) };
}

/** Runs `body` with a signal that is aborted once that of each call is. */
async function withCommonSignal<T>(
  calls: readonly WriteCall[],
  body: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const [first, ...others] = calls.map(({ signal }) => signal);
  if (others.length === 0) return body(first);
  const controller = new AbortController();
  const check = () => {
    if (calls.every(({ signal }) => signal?.aborted)) controller.abort(first?.reason);
  };
  for (const { signal } of calls) signal?.addEventListener('abort', check, { once: true });
  check();
  try {
    return await body(controller.signal);
  } finally {
    for (const { signal } of calls) signal?.removeEventListener('abort', check);
  }
}

/**
 * Gathers those calls that go together into one commit. One that edits a path which another one edits has to see that edit
 * first, and one that would make the commit too large has to wait: such a call is left out as a whole, to be asked again.
 */
export async function gatherCalls(
  calls: readonly WriteCall[],
  tip: Tip,
  options: { readonly signal: AbortSignal | undefined; readonly maxBytes: number },
): Promise<{ readonly batch: Batch; readonly taken: readonly WriteCall[] }> {
  let taken = calls;
  for (;;) {
    const batch = await gatherBatch(taken.flatMap(stoppableChanges), tip, options);
    options.signal?.throwIfAborted();
    // Receipts name what was written only where there is a commit; which one does not matter here.
    const receipts = receiptsByCall(taken, batch.receipts(NO_COMMIT));
    const edited = new Set<string>();
    const fitting = taken.filter((call, index) => {
      const own = receipts[index] ?? [];
      const paths = own
        .flatMap((receipt) => (receipt.outcome === 'written' ? receipt.edits : []))
        .map(({ path }) => path);
      const isInTheWay = own.some(mayBeCrowdedOut) || paths.some((path) => edited.has(path));
      for (const path of paths) edited.add(path);
      return !call.signal?.aborted && (index === 0 || !isInTheWay);
    });
    if (fitting.length === taken.length) return { batch, taken };
    taken = fitting;
  }
}

/** Receipts of a whole commit, as each call gets them. */
export function receiptsByCall(
  calls: readonly WriteCall[],
  receipts: readonly Receipt[],
): readonly (readonly Receipt[])[] {
  let at = 0;
  return calls.map(({ changes }) => {
    at += changes.length;
    return receipts.slice(at - changes.length, at);
  });
}

function mayBeCrowdedOut(receipt: Receipt): boolean {
  if (receipt.outcome !== 'failed') return false;
  return isCaelusError(receipt.error, 'STORE_CONFLICT') || isCaelusError(receipt.error, 'INVALID_INPUT');
}

/** A change that never answers keeps its neighbours waiting no longer than its caller waits. */
function stoppableChanges({ changes, signal }: WriteCall): readonly ProposedChange[] {
  if (signal === undefined) return changes;
  return changes.map(({ subject, generation, propose }) => ({
    subject,
    generation,
    propose: (snapshot) =>
      new Promise((resolve, reject) => {
        const stop = () => reject(signal.reason);
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
        propose(snapshot)
          .then(resolve, reject)
          .finally(() => signal.removeEventListener('abort', stop));
      }),
  }));
}
