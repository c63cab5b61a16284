import { join } from 'node:path';
import { isCaelusError, type Snapshot } from '@caelus/core';
import { createGitStore, type GitStore } from '@caelus/git-store';
import { describe, expect, it } from 'vitest';
import { git, temporaryDirectory } from '../git-command.ts';
import { startHttpGitServer } from '../http-git-server.ts';
import { put, readText, write } from '../store-writing.ts';
import { proveFaultyNetwork } from './faulty-runs.ts';
import { type Fault, injectFaults } from './remote-faults.ts';

type Outcome = 'works' | 'UNAVAILABLE' | 'GIT_AUTH_FAILED' | 'GIT_PROTOCOL_INVALID' | 'GIT_PUSH_UNKNOWN';

/** What a read says, and what a push says, where each request has the fault; then where only the first one has. */
const TABLE: readonly (readonly [fault: Fault, read: Outcome, push: Outcome, once: Outcome])[] = [
  ['dropped before its body', 'UNAVAILABLE', 'GIT_PUSH_UNKNOWN', 'works'],
  ['dropped in its body', 'UNAVAILABLE', 'GIT_PUSH_UNKNOWN', 'works'],
  ['dropped before Git', 'UNAVAILABLE', 'GIT_PUSH_UNKNOWN', 'works'],
  ['slow, and handled by Git once the client is gone', 'UNAVAILABLE', 'works', 'works'],
  ['unauthorized', 'GIT_AUTH_FAILED', 'GIT_AUTH_FAILED', 'works'],
  ['too many requests, without a time to wait', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'],
  ['too many requests, for no time', 'UNAVAILABLE', 'UNAVAILABLE', 'works'],
  ['too many requests, for longer than anybody waits', 'UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'],
  ['500 before Git', 'UNAVAILABLE', 'UNAVAILABLE', 'works'],
  ['503 before Git', 'UNAVAILABLE', 'UNAVAILABLE', 'works'],
  ['502 after Git', 'UNAVAILABLE', 'works', 'works'],
  ['504 after Git', 'UNAVAILABLE', 'works', 'works'],
  ['dropped after Git', 'UNAVAILABLE', 'works', 'works'],
  ['an answer cut in its headers', 'UNAVAILABLE', 'works', 'works'],
  ['an answer cut in its body', 'UNAVAILABLE', 'works', 'works'],
  ['an answer that ends too soon, and says it is whole', 'GIT_PROTOCOL_INVALID', 'works', 'works'],
  ['garbage in place of the answer', 'GIT_PROTOCOL_INVALID', 'works', 'works'],
  ['garbage at the end of the answer', 'GIT_PROTOCOL_INVALID', 'works', 'works'],
];

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'works',
    (error: unknown) => {
      if (!isCaelusError(error)) throw error;
      return error.code;
    },
  );
}

interface Scene {
  readonly directory: string;
  readonly store: GitStore;
  fail(fault: Fault, which: 'GET' | 'POST', times: number): void;
  stopFailing(): void;
  settled(): Promise<void>;
}

async function withRemote(timeoutMilliseconds: number, body: (scene: Scene) => Promise<void>): Promise<void> {
  await using root = await temporaryDirectory();
  const directory = join(root.path, 'remote.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
  await using server = await startHttpGitServer(root.path);
  await using store = await createGitStore({
    directory: join(root.path, 'clone.git'),
    remote: { url: `${server.url}/remote.git`, credentials: () => ({ token: 'any' }), timeoutMilliseconds },
  });
  await body({
    directory,
    store,
    fail(fault, which, times) {
      let left = times;
      injectFaults(server, (request) => {
        if (request.method !== which || left === 0) return undefined;
        left -= 1;
        return fault;
      });
    },
    stopFailing: () => injectFaults(server, () => undefined),
    settled: () => server.settled(),
  });
}

describe('a remote that fails', () => {
  it.each(TABLE)('says what became of it where a request is %s', (fault, read, push, once) =>
    withRemote(fault.startsWith('slow') ? 1000 : 20_000, async ({ directory, store, fail, stopFailing, settled }) => {
      await write(store, { a: '1' });
      fail(fault, 'GET', 100);
      expect(await outcomeOf(store.snapshot())).toBe(read);
      fail(fault, 'POST', 1);
      expect(await outcomeOf(write(store, { a: '2' }))).toBe(once);
      fail(fault, 'POST', 100);
      expect(await outcomeOf(write(store, { a: '3' }))).toBe(push);
      stopFailing();
      await settled();
      await write(store, { a: '4' });
      expect(await readText(await store.snapshot(), 'a')).toBe('4');
      const texts = (await git(directory, ['log', '--format=%H', 'main'])).trim().split('\n').toReversed();
      const found = await Promise.all(texts.map((commit) => git(directory, ['show', `${commit}:a`])));
      // Nothing that works is missing, nothing that failed is there, and nothing is there twice.
      expect(found).toEqual(['1', ...(once === 'works' ? ['2'] : []), ...(push === 'works' ? ['3'] : []), '4']);
    }),
  );

  it.each([
    [3, 'works'],
    [4, 'UNAVAILABLE'],
  ])('is waited for when it says so %i times', (times, outcome) =>
    withRemote(20_000, async ({ store, fail }) => {
      await write(store, { a: '1' });
      fail('too many requests, for no time', 'POST', times);
      expect(await outcomeOf(write(store, { a: '2' }))).toBe(outcome);
    }),
  );

  it('does not have a first commit written again, whose answer was lost, and which another one is on top of', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'remote.git');
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
    await using server = await startHttpGitServer(root.path);
    const remote = { url: `${server.url}/remote.git` };
    await using store = await createGitStore({ directory: join(root.path, 'one.git'), remote });
    await using other = await createGitStore({ directory: join(root.path, 'other.git'), remote });
    let pushes = 0;
    server.answering = async (request) => {
      if (!request.url?.endsWith('/git-receive-pack') || ++pushes > 1) return true;
      await write(other, { b: '1' });
      return false;
    };
    let asked = 0;
    const propose = async (snapshot: Snapshot) => {
      asked += 1;
      const next = String(Number((await readText(snapshot, 'count')) ?? '0') + 1);
      return put({ count: next }).propose(snapshot);
    };
    expect(await store.write([{ subject: 'count', propose }])).toMatchObject([{ outcome: 'written' }]);
    expect(asked).toBe(1);
    expect(await git(directory, ['show', 'main:count'])).toBe('1');
    expect((await git(directory, ['rev-list', '--count', 'main'])).trim()).toBe('2');
  });

  it('has every change once in the end, whatever went wrong meanwhile', () =>
    proveFaultyNetwork({ numRuns: 1, seed: 5 }));
});
