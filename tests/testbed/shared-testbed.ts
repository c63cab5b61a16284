import { stopTestbed } from '@caelus-testbed/testbed';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The testbed that the files of this folder share, one after the other. Whoever needs it first starts it. */
    testbed: string;
  }
}

/** With `CAELUS_TESTBED`, the testbed of that name is used and left running: starting one takes most of a minute. */
export function setup({ provide }: TestProject): () => Promise<void> {
  const given = process.env.CAELUS_TESTBED;
  const name = given ?? `live-${process.pid}`;
  provide('testbed', name);
  return async () => {
    if (given === undefined) await stopTestbed(name, { purge: true });
  };
}
