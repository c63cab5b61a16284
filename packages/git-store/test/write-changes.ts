// A writer in a process of its own: `write-changes.ts <name> <count> <directory> [<remote URL>]`. Prints the commit of each
// change once it is acknowledged. A count of 0 goes on until the process is killed.
import { createGitStore } from '@caelus/git-store';
import { write } from './store-writing.ts';

const [name = '', count = '0', directory = '', url] = process.argv.slice(2);
const store = await createGitStore({
  directory,
  retries: 500,
  lockWaitMilliseconds: 30_000,
  remote: url === undefined ? undefined : { url },
});
const most = Number(count) === 0 ? Number.POSITIVE_INFINITY : Number(count);
for (let index = 0; index < most; index += 1) {
  const receipt = await write(store, { [`${name}/${index % 50}`]: `${name} ${process.pid} ${index}` });
  if (receipt.outcome !== 'written') throw new Error(`change ${index} was ${receipt.outcome}`);
  process.stdout.write(`${receipt.commit}\n`);
}
await store[Symbol.asyncDispose]();
