import {
  type Clock,
  type CommitId,
  isCaelusError,
  type RemedyName,
  type Repository,
  type StateStore,
} from '@caelus/core';
import { createMemoryRepository, createMemoryStateStore, type MemoryRepository } from '@caelus/core/testing';
import { expect } from 'vitest';
import { type Caelus, type CaelusOptions, createCaelus, type Finding } from '../src/index.ts';
import { createWorld, type World } from './world.ts';

/** A world whose database can be backed up and restored, and whose branch can be forced back. */
export interface ConsistencyWorld extends World {
  readonly repository: MemoryRepository;
  backUp(): MemoryRepository;
  /** Caelus with another database on the same branch. */
  over(repository: Repository, more?: Partial<CaelusOptions>): Caelus;
  /** Forces the branch to an earlier commit. */
  rewind(commit: CommitId): void;
  tip(): CommitId;
  /** Every file of the tip. */
  files(): ReadonlyMap<string, string>;
}

export async function createConsistencyWorld(more: Partial<CaelusOptions> = {}): Promise<ConsistencyWorld> {
  const repository = createMemoryRepository();
  const world = await createWorld({ ...more, repository });
  const { branch } = world;
  const tip = () => branch.tip as CommitId;
  return {
    ...world,
    repository,
    backUp: () => repository.copy(),
    over: (other, changes = {}) => createCaelus({ ...world.options, repository: other, ...changes }),
    rewind(commit) {
      branch.tip = commit;
    },
    tip,
    files: () => filesOf(branch.commits.get(tip())?.tree ?? new Map()),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

export function filesOf(tree: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, string> {
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, decoder.decode(bytes)]));
}
const decoder = new TextDecoder();

export async function findingsOf(caelus: Caelus): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of caelus.inspect()) findings.push(finding);
  return findings;
}

/** The kinds of everything that is wrong, with the remedies of each. */
export async function wrongWith(caelus: Caelus): Promise<readonly (readonly [string, readonly RemedyName[]])[]> {
  return (await findingsOf(caelus)).map(({ kind, remedies }) => [kind, remedies.map(({ name }) => name)] as const);
}

export async function refusal(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => expect.unreachable('the call succeeded'),
    (error: unknown) => {
      if (isCaelusError(error)) return error.code;
      throw error;
    },
  );
}

/** Runs all loops until nothing moves; the clock is the world's. */
export async function settleAll(world: World, caelus: Caelus = world.caelus): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const { written, observed } = await caelus.runOnce();
    const moved = await world.argoCd.reconcile();
    world.clock.advance(400_000);
    if (!moved && written === 0 && observed === 0 && round > 0) return;
  }
  throw new Error('The world does not come to rest.');
}

/** A store whose worker dies at a call of `write`: before anything is written, or after it, so that nobody hears of it. */
export function dyingStore(store: StateStore, when: 'before' | 'after'): StateStore {
  return {
    ...store,
    async write(changes, options) {
      // The loops ask for what the repository has beside its instances first.
      if (changes.some(({ subject }) => subject === 'repository' || subject === 'catalogue')) {
        return store.write(changes, options);
      }
      if (when === 'after') await store.write(changes, options);
      throw new Died();
    },
  };
}

/** The process of a worker ended. */
export class Died extends Error {}

/** The clock of a process that is paused: it renews no lease. */
export function pausedClock(clock: Clock): Clock {
  const paused = clock.now();
  return {
    now: () => paused,
    sleep: (_, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
}

export { createMemoryRepository, createMemoryStateStore };
