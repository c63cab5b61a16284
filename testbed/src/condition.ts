import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait for a condition. */
export interface WaitOptions {
  readonly seconds: number;
  /** What is waited for, for the message: "etcd to be ready". */
  readonly what: string;
}

/**
 * Asks until the answer is neither false nor undefined, and returns it.
 *
 * @throws Error when the deadline has passed, with the last error of the question.
 */
export async function until<T>(
  question: () => Promise<T | false | undefined> | T | false | undefined,
  { seconds, what }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== false && answer !== undefined) return answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      const reason =
        last === undefined ? '' : ` The last answer: ${last instanceof Error ? last.message : String(last)}`;
      throw new Error(`Waited ${seconds} s in vain for ${what}.${reason}`);
    }
    await delay(50);
  }
}
