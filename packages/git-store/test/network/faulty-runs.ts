import { join } from 'node:path';
import { CaelusError, type ProposedChange, parseRepoPath, type Receipt } from '@caelus/core';
import { createGitStore, type GitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { expect } from 'vitest';
import { fsck, git, temporaryDirectory } from '../git-command.ts';
import { startHttpGitServer } from '../http-git-server.ts';
import { put, readText } from '../store-writing.ts';
import { FAULTS, type Fault, injectFaults } from './remote-faults.ts';

const STORES = 2;
const CALLERS = 2;
const CHANGES = 4;
const ATTEMPTS = 40;
const LIST = 'shared/list';

/** Every other request is well, so that there is an end to it. */
const schedule: fc.Arbitrary<readonly (Fault | undefined)[]> = fc.array(
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 4, arbitrary: fc.constantFrom(...FAULTS) }),
  { minLength: 40, maxLength: 120, size: 'max' },
);

/** Of a caller: half of its changes are to a file of its own, half add a line to a file that all share. */
function changeOf(id: string, index: number): ProposedChange {
  const trailers = [{ key: 'Caelus-Change', value: id }];
  if (index % 2 === 0) return put({ [`own/${id}`]: id }, { trailers });
  return {
    subject: id,
    propose: async (snapshot) => {
      const text = (await readText(snapshot, LIST)) ?? '';
      if (text.split('\n').includes(id)) return null;
      const edits = [{ path: parseRepoPath(LIST), bytes: Buffer.from(`${text}${id}\n`) }];
      return { edits, summary: id, trailers, actor: null };
    },
  };
}

interface Told {
  readonly id: string;
  /** `undefined` where it was found to be there, by a call after one whose end nobody knew. */
  readonly commit: string | undefined;
}

/** Proposes one change until it is done. */
async function writeUntilDone(store: GitStore, id: string, index: number): Promise<Told> {
  const codes: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let receipt: Receipt | undefined;
    try {
      [receipt] = await store.write([changeOf(id, index)]);
    } catch (error) {
      if (!(error instanceof CaelusError)) throw error;
      codes.push(error.code);
      continue;
    }
    if (receipt?.outcome === 'failed') throw receipt.error;
    if (receipt?.outcome === 'written') return { id, commit: receipt.commit };
    // A change that was told to have failed is not there. Only one that may be there can be.
    expect(codes, `${id} was found to be there`).toContain('GIT_PUSH_UNKNOWN');
    return { id, commit: undefined };
  }
  throw new Error(`${id} failed each time: ${codes.join(', ')}`);
}

async function checkSchedule(faults: readonly (Fault | undefined)[]): Promise<void> {
  await using root = await temporaryDirectory();
  const remote = join(root.path, 'remote.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', remote]);
  await using server = await startHttpGitServer(root.path);
  const waiting = faults.values();
  injectFaults(server, () => waiting.next().value);
  const clones = Array.from({ length: STORES }, (_, index) => join(root.path, `clone-${index}`));
  const told = await Promise.all(
    clones.map(async (directory, store) => {
      await using opened = await createGitStore({
        directory,
        remote: { url: `${server.url}/remote.git`, credentials: () => ({ token: 'any' }), timeoutMilliseconds: 1500 },
      });
      const callers = Array.from({ length: CALLERS }, async (_, caller) => {
        const done: Told[] = [];
        for (let index = 0; index < CHANGES; index += 1) {
          done.push(await writeUntilDone(opened, `s${store}c${caller}n${index}`, index));
        }
        return done;
      });
      return (await Promise.all(callers)).flat();
    }),
  );
  // Also what clients no longer wait for.
  await server.settled();

  const log = await git(remote, ['log', '--format=%H %(trailers:key=Caelus-Change,valueonly,separator=%x20)', 'main']);
  const found = log
    .trim()
    .split('\n')
    .map((line) => line.split(' ').filter(Boolean))
    .flatMap(([commit = '', ...ids]) => ids.map((id) => ({ id, commit })));
  const all = told.flat();
  expect(found.map(({ id }) => id).toSorted()).toEqual(all.map(({ id }) => id).toSorted());
  for (const { id, commit } of all) {
    if (commit !== undefined) expect(found.find((each) => each.id === id)?.commit, id).toBe(commit);
  }
  const shared = (await git(remote, ['show', `main:${LIST}`])).trim().split('\n');
  expect(shared.toSorted()).toEqual(
    all
      .map(({ id }) => id)
      .filter((id) => /[13579]$/.test(id))
      .toSorted(),
  );
  for (const directory of [remote, ...clones]) await fsck(directory);
}

/** Stores of one remote that fails in all ways: every change is in history exactly once, whatever it was told meanwhile. */
export async function proveFaultyNetwork(parameters: fc.Parameters<[readonly (Fault | undefined)[]]>): Promise<void> {
  await fc.assert(fc.asyncProperty(schedule, checkSchedule), { ...parameters, endOnFailure: true });
}
