import { fork } from 'node:child_process';
import { once } from 'node:events';

// biome-ignore lint/suspicious/noExplicitAny: any function whose arguments and result JSON can carry
export type CallHandlers = Readonly<Record<string, (...args: any[]) => unknown>>;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Answers the calls of the process that started this one, and ends with it. */
export function answerCalls(handlers: CallHandlers): void {
  process.on('message', async ({ id, method, args }: Call) => {
    try {
      process.send?.({ id, value: await handlers[method]?.(...args) } satisfies Answer);
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.on('disconnect', () => process.exit());
}

export interface StartedProcess<Handlers extends CallHandlers> extends AsyncDisposable {
  call<Method extends keyof Handlers & string>(
    method: Method,
    ...args: Parameters<Handlers[Method]>
  ): Promise<Awaited<ReturnType<Handlers[Method]>>>;
}

/** Starts a program that ends in {@link answerCalls}. */
export function startProcess<Handlers extends CallHandlers>(program: string): StartedProcess<Handlers> {
  const child = fork(program, [], { execArgv: [] });
  const exited = once(child, 'exit');
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let count = 0;
  child.on('message', ({ id, value, error }: Answer) => {
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(value);
    else call?.reject(new Error(error));
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of pending.values()) reject(new Error(`${program} ended with ${code ?? signal}`));
  });

  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        count += 1;
        // What comes back is what the handler of this method returned.
        pending.set(count, { resolve: resolve as (value: unknown) => void, reject });
        child.send({ id: count, method, args } satisfies Call, (error) => error && reject(error));
      }),
    async [Symbol.asyncDispose]() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
