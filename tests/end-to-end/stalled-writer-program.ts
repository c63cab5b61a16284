// A worker in a process of its own that becomes the writer and stalls in its first batch: before it writes (`before`), or once the
// commit is there and nothing is recorded (`after`). It prints a line then. `StalledWriter` as JSON is its only argument.
import { writeSync } from 'node:fs';
import { openStack, type StackOptions } from './stack.ts';

export interface StalledWriter extends Pick<StackOptions, 'store' | 'database' | 'timings'> {
  readonly stall: 'before' | 'after';
}

// The cast: the test that starts this program gives it nothing else.
const { stall, ...options } = JSON.parse(process.argv[2] ?? '') as StalledWriter;
await using stack = await openStack({
  ...options,
  wrap: ({ repository, store }) => ({
    repository,
    store: {
      ...store,
      async write(changes, writeOptions) {
        if (changes.some(({ subject }) => subject === 'repository')) return store.write(changes, writeOptions);
        if (stall === 'after') await store.write(changes, writeOptions);
        writeSync(1, 'stalled\n');
        return new Promise(() => {});
      },
    },
  }),
});
await using _worker = stack.caelus.start({ observer: false, sweeper: false });
await new Promise(() => {});
