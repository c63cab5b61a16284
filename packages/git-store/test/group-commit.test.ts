import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import type { CommitId, ProposedChange, Receipt } from '@caelus/core';
import { createGitStore, type GitStoreOptions } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it } from 'vitest';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { collect, put, readText } from './store-writing.ts';

const open = (options: Partial<GitStoreOptions> = {}) =>
  createGitStore({ directory: '/store.git', fs: createFsFromVolume(new Volume()), ...options });

/** A change that keeps the store busy until it is let go; then it writes nothing. */
function blocker(): { readonly change: ProposedChange; readonly asked: Promise<void>; letGo(): void } {
  let letGo = () => {};
  let tell = () => {};
  const held = new Promise<null>((resolve) => {
    letGo = () => resolve(null);
  });
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const propose = () => {
    tell();
    return held;
  };
  return { change: { subject: 'blocker', propose }, asked, letGo: () => letGo() };
}

const increment = (path: string): ProposedChange => ({
  subject: path,
  propose: async (snapshot) =>
    put({ [path]: String(Number((await readText(snapshot, path)) ?? 0) + 1) }).propose(snapshot),
});
const outcomes = (receipts: readonly Receipt[]) => receipts.map(({ outcome }) => outcome);
const commitOf = (receipts: readonly Receipt[]) =>
  receipts[0]?.outcome === 'written' ? receipts[0].commit : undefined;

describe('calls that wait for a commit', () => {
  it('become one, and each gets its own receipts', async () => {
    await using store = await open();
    const busy = blocker();
    const first = store.write([busy.change]);
    const calls = Array.from({ length: 5 }, (_, index) => [put({ [`a${index}`]: '1' }), put({ [`b${index}`]: '1' })]);
    const bad = { subject: 'bad', propose: () => Promise.reject(new Error('no')) };
    const all = Promise.all([...calls, [bad, put({ c: '1' })]].map((changes) => store.write(changes)));
    busy.letGo();
    await first;
    const results = await all;
    expect(results.map(outcomes)).toEqual([...calls.map(() => ['written', 'written']), ['failed', 'written']]);
    expect(results[5]?.[0]).toMatchObject({ subject: 'bad', error: { message: 'no' } });
    expect(results[3]?.[1]).toMatchObject({ edits: [{ path: 'b3' }] });
    expect(await collect(store.log())).toHaveLength(1);
  });

  it('for one subject leave the newest generation, and tell the others of it', async () => {
    await using store = await open();
    const busy = blocker();
    const first = store.write([busy.change]);
    const of = (generation: number) => ({ ...put({ a: String(generation) }), subject: 'a', generation });
    const all = Promise.all([2, 5, 1, 4].map((generation) => store.write([of(generation)])));
    busy.letGo();
    await first;
    const receipts = (await all).flat();
    const [tip] = await collect(store.log());
    const old = { outcome: 'superseded', subject: 'a', by: 5, commit: tip?.commit };
    expect(receipts).toEqual([
      { ...old, generation: 2 },
      expect.objectContaining({ outcome: 'written', generation: 5, commit: tip?.commit }),
      { ...old, generation: 1 },
      { ...old, generation: 4 },
    ]);
    expect(await collect(store.log())).toHaveLength(1);
    expect(await readText(await store.snapshot(), 'a')).toBe('5');
  });

  it('are those of all callers that go on at once, and not of some', async () => {
    await using store = await open();
    const rounds = [1, 2, 3];
    const caller = async (name: number) => {
      for (const round of rounds) await store.write([put({ [`${name}/${round}`]: '1' })]);
    };
    await Promise.all(Array.from({ length: 10 }, (_, name) => caller(name)));
    // The very first call finds the store idle.
    expect(await collect(store.log())).toHaveLength(1 + rounds.length);
  });

  it('do not fail because of each other: who edits the same path is asked again, and its call stays whole', async () => {
    await using store = await open();
    const busy = blocker();
    const first = store.write([busy.change]);
    const all = Promise.all(
      Array.from({ length: 9 }, (_, index) =>
        store.write([put({ [`own-${index}`]: '1' }), increment(`n${index % 3}`)]),
      ),
    );
    busy.letGo();
    await first;
    const results = await all;
    expect(results.map(outcomes)).toEqual(results.map(() => ['written', 'written']));
    for (const receipts of results) {
      expect(new Set(receipts.map((receipt) => receipt.outcome === 'written' && receipt.commit)).size).toBe(1);
    }
    const snapshot = await store.snapshot();
    expect(await Promise.all(['n0', 'n1', 'n2'].map((path) => readText(snapshot, path)))).toEqual(['3', '3', '3']);
    expect(new Set(results.map(commitOf)).size).toBeLessThan(9);
  });

  it('still fail for what they do themselves', async () => {
    await using store = await open();
    const busy = blocker();
    const first = store.write([busy.change]);
    const others = store.write([put({ x: '1' })]);
    const own = store.write([put({ a: '1' }), put({ a: '2' })]);
    busy.letGo();
    await Promise.all([first, others]);
    const receipts = await own;
    expect(outcomes(receipts)).toEqual(['written', 'failed']);
    expect(receipts[1]).toMatchObject({ error: { code: 'STORE_CONFLICT' } });
  });

  it('are taken in order, at most maxBatch changes for a commit', async () => {
    await using store = await open({ maxBatch: 4 });
    const busy = blocker();
    const first = store.write([busy.change]);
    const sizes = [3, 1, 2, 3, 1];
    const all = Promise.all(
      sizes.map((size, call) =>
        store.write(Array.from({ length: size }, (_, index) => put({ [`${call}-${index}`]: '1' }))),
      ),
    );
    busy.letGo();
    await first;
    const commits = (await all).map(commitOf);
    const history = (await collect(store.log())).map(({ commit }) => commit).toReversed();
    expect(commits.map((commit) => history.indexOf(commit as CommitId))).toEqual([0, 0, 1, 2, 2]);
  });

  it('are refused beyond maxWaiting, not at it, and taken again later', async () => {
    await using store = await open({ maxWaiting: 3 });
    const busy = blocker();
    const first = store.write([busy.change]);
    const waiting = [store.write([put({ a: '1' }), put({ b: '1' })]), store.write([put({ c: '1' })])];
    await expect(store.write([put({ d: '1' })])).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    busy.letGo();
    await first;
    expect((await Promise.all(waiting)).flatMap(outcomes)).toEqual(['written', 'written', 'written']);
    expect(outcomes(await store.write([put({ d: '1' })]))).toEqual(['written']);
  });

  it('go on without a caller who stops, also while it is asked', async () => {
    await using store = await open();
    const busy = blocker();
    const first = store.write([busy.change]);
    const controllers = [new AbortController(), new AbortController()] as const;
    const reason = new Error('enough');
    const hanging = blocker();
    const unused = new AbortController().signal;
    const one = store.write([put({ one: '1' })]);
    const early = store.write([put({ early: '1' })], { signal: controllers[0].signal });
    const late = store.write([put({ late: '1' }), hanging.change], { signal: controllers[1].signal });
    const two = store.write([put({ two: '1' })], { signal: unused });
    controllers[0].abort(reason);
    await expect(early).rejects.toBe(reason);
    busy.letGo();
    await first;
    await hanging.asked;
    controllers[1].abort(reason);
    await expect(late).rejects.toBe(reason);
    expect([commitOf(await one), commitOf(await two)]).toEqual([expect.any(String), commitOf(await one)]);
    const names = (await (await store.snapshot()).listDirectory(null)).map(({ name }) => name);
    expect(names).toEqual(['one', 'two']);
    // A signal that lives as long as its host must not collect listeners.
    expect(getEventListeners(unused, 'abort')).toEqual([]);
  });

  it('are one push, and share what becomes of it', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'remote.git');
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
    await using server = await startHttpGitServer(root.path);
    await using store = await open({ remote: { url: `${server.url}/remote.git` } });
    await store.write([put({ a: '1' })]);
    const pushes = () => server.requests.filter(({ path }) => path.endsWith('git-receive-pack')).length;
    const before = pushes();
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => store.write([put({ [`f${index}`]: '1' })])));
    expect(all.flatMap(outcomes)).toEqual(all.map(() => 'written'));
    // The first one did not wait for the others.
    expect(pushes() - before).toBe(2);
    expect((await git(directory, ['rev-list', '--count', 'main'])).trim()).toBe('3');
    await fsck(directory);

    server.intercept = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    const busy = blocker();
    const refused = await Promise.allSettled(
      [busy.change, put({ x: '1' }), put({ y: '1' })].map((change) => {
        const result = store.write([change]);
        busy.letGo();
        return result;
      }),
    );
    expect(refused.map((each) => each.status)).toEqual(['rejected', 'rejected', 'rejected']);
    server.intercept = () => false;
    expect(outcomes(await store.write([put({ x: '1' })]))).toEqual(['written']);
  });
});
