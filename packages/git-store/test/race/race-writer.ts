// A writer in a process of its own: `race-writer.ts <name> <changes> <callers> <shared every> <directory> [<remote URL>]`. So
// many callers write at the same time, and each n-th change is made to a file that all writers share: it holds a
// generation, and the change makes it one more. Says `<change> <commit>` of each change once it is acknowledged. A name that
// begins with `native` stands for the git binary.
import { type ProposedChange, parseRepoPath, type Snapshot } from '@caelus/core';
import { createGitStore, nativeGit } from '@caelus/git-store';
import { put, readText } from '../store-writing.ts';

const GENERATION = 'shared/generation';

async function generationIn(snapshot: Snapshot): Promise<number> {
  return Number((await readText(snapshot, GENERATION)) ?? '0');
}

function ownChange(name: string, index: number): ProposedChange {
  const change = `${name}-${index}`;
  return put({ [`own/${name}/${index % 20}`]: change }, { trailers: [{ key: 'Caelus-Change', value: change }] });
}

function sharedChange(name: string, index: number): ProposedChange {
  return {
    subject: 'generation',
    propose: async (snapshot) => {
      const next = String((await generationIn(snapshot)) + 1);
      return {
        edits: [{ path: parseRepoPath(GENERATION), bytes: Buffer.from(next) }],
        summary: 'next generation',
        trailers: [
          { key: 'Caelus-Change', value: `${name}-${index}` },
          { key: 'Caelus-Generation', value: next },
        ],
        actor: null,
      };
    },
  };
}

async function main(): Promise<void> {
  const [name = '', changes = '', callers = '', sharedEvery = '', directory = '', url] = process.argv.slice(2);
  const store = await createGitStore({
    directory,
    retries: 1000,
    lockWaitMilliseconds: 30_000,
    remote: url === undefined ? undefined : { url },
    transport: name.startsWith('native') ? nativeGit() : undefined,
  });
  let next = 0;
  let seen = 0;
  const write = async () => {
    while (next < Number(changes)) {
      const index = next;
      next += 1;
      const make = index % Number(sharedEvery) === 0 ? sharedChange : ownChange;
      const [receipt] = await store.write([make(name, index)]);
      if (receipt?.outcome === 'failed') throw receipt.error;
      if (receipt?.outcome !== 'written') throw new Error(`change ${index} was not written`);
      process.stdout.write(`${name}-${index} ${receipt.commit}\n`);
      if (index % 10 !== 0) continue;
      const before = seen;
      const generation = await generationIn(await store.snapshot());
      if (generation < before) throw new Error(`the view went back from generation ${before} to ${generation}`);
      seen = Math.max(seen, generation);
    }
  };
  await Promise.all(Array.from({ length: Number(callers) }, write));
  await store[Symbol.asyncDispose]();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
