import { join } from 'node:path';
import {
  blameValue,
  type CommitId,
  createLayout,
  diffInstance,
  instanceAt,
  instanceLog,
  type StateStore,
} from '@caelus/core';
import { createMemoryStateStore } from '@caelus/core/testing';
import { createGitStore } from '@caelus/git-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byHand,
  change,
  changeId,
  commit,
  deletion,
  instanceId,
  trailerOf,
  treeOfChange,
  valuesFile,
} from '../../core/test/history-samples.ts';
import { fsck, git, temporaryDirectory } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { collect } from './store-writing.ts';

const flat = createLayout('flat');
const one = instanceId(1);

interface Place extends AsyncDisposable {
  open(): Promise<StateStore>;
}

const places: Readonly<Record<string, () => Promise<Place>>> = {
  async memory() {
    const store = createMemoryStateStore();
    return { open: async () => store, async [Symbol.asyncDispose]() {} };
  },
  async disk() {
    const root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    return {
      open: () => createGitStore({ directory }),
      async [Symbol.asyncDispose]() {
        await fsck(directory);
        await root[Symbol.asyncDispose]();
      },
    };
  },
  async 'an HTTP remote'() {
    const root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'remote.git']);
    const server = await startHttpGitServer(root.path);
    return {
      open: () =>
        createGitStore({ directory: join(root.path, 'clone.git'), remote: { url: `${server.url}/remote.git` } }),
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await fsck(join(root.path, 'clone.git'));
        await root[Symbol.asyncDispose]();
      },
    };
  },
};

describe.each(Object.entries(places))('the history of an instance over %s', (_name, create) => {
  it('tells the whole life of an instance, read by a store that was opened later', async () => {
    await using place = await create();
    const store = await place.open();
    const ada = { name: 'Ada', email: 'ada@example.com' };
    const created = await commit(store, change({ number: 1, generation: 1, actor: ada }));
    const batch = await commit(
      store,
      change({ number: 2, generation: 1 }),
      change({ number: 1, generation: 2, values: { replicas: 3 }, summary: 'update one' }),
    );
    const edited = await commit(
      store,
      byHand(
        { [valuesFile(1)]: (text) => text.replace('replicas: 3', 'replicas: 9') },
        { trailers: [trailerOf(2, 1)] },
      ),
    );
    await commit(store, change({ number: 2, generation: 2, values: { a: 1 } }));
    const removed = await commit(store, deletion(1, 3, 'application'));

    await using later = await place.open();
    const first = await instanceLog(later, flat, one, { limit: 2 });
    expect(first.items).toMatchObject([
      { commit: removed, generation: 3, changeId: changeId(1, 3), summary: 'delete 1' },
      { commit: batch, generation: 2, summary: 'update one', author: { name: 'Caelus' } },
    ]);
    const rest = await instanceLog(later, flat, one, { cursor: first.nextCursor ?? '' });
    expect(rest).toMatchObject({ items: [{ commit: created, author: ada }], nextCursor: null });

    expect((await instanceAt(later, flat, one, created)).files).toEqual(treeOfChange({ number: 1, generation: 1 }));
    const plan = await diffInstance(later, flat, one, batch, edited);
    expect(plan.files).toMatchObject([{ path: valuesFile(1), diff: expect.stringContaining('+replicas: 9\n') }]);

    expect(await blameValue(later, flat, one, '/replicas')).toMatchObject({ commit: edited, value: 9, how: 'by-hand' });
    expect(await blameValue(later, flat, one, '/replicas', { from: batch })).toMatchObject({
      commit: batch,
      generation: 2,
      userValue: 3,
      how: 'change',
    });
    expect(await blameValue(later, flat, one, '/ingress/enabled')).toMatchObject({ commit: created, author: ada });
    const unknown = 'f'.repeat(40) as CommitId;
    await expect(instanceAt(later, flat, one, unknown)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(instanceLog(later, flat, one, { cursor: `${unknown}.1` })).rejects.toMatchObject({
      code: 'CURSOR_INVALID',
    });
  });
});

describe('the history that stock Git has made', () => {
  it('blames through merges: along the side that has the value, or the merge that made it', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    await using store = await createGitStore({ directory });
    const created = await commit(store, change({ number: 1, generation: 1 }));
    const work = join(root.path, 'work');
    await git(root.path, ['clone', '-q', directory, work]);
    const edit = async (from: string, to: string, message: string, base = 'HEAD') => {
      const file = valuesFile(1);
      const text = await git(work, ['show', `${base}:${file}`]);
      const id = (await git(work, ['hash-object', '-w', '--stdin'], text.replace(from, to))).trim();
      await git(work, ['update-index', '--cacheinfo', `100644,${id},${file}`]);
      await git(work, ['commit', '-q', '-m', message]);
      await git(work, ['reset', '-q', '--hard']);
      return (await git(work, ['rev-parse', 'HEAD'])).trim();
    };
    await git(work, ['checkout', '-q', '-b', 'side']);
    const onSide = await edit('replicas: 1', 'replicas: 5', 'side');
    await git(work, ['checkout', '-q', 'main']);
    await edit('enabled: true', 'enabled: false', 'main');
    await git(work, ['merge', '-q', '--no-ff', '--no-commit', '-s', 'ours', 'side']);
    const merged = await edit('enabled: true', 'enabled: maybe', 'Merge side', 'side');
    expect((await git(work, ['rev-list', '--parents', '-1', 'HEAD'])).trim().split(' ')).toHaveLength(3);
    await git(work, ['push', '-q', 'origin', 'main']);
    await commit(store, change({ number: 2, generation: 1 }));

    const blame = (pointer: string) => blameValue(store, flat, one, pointer);
    expect(await blame('/replicas')).toMatchObject({ commit: onSide, value: 5, how: 'by-hand' });
    expect(await blame('/ingress/enabled')).toMatchObject({ commit: merged, value: 'maybe', how: 'by-hand' });
    expect(await blame('/ingress/host')).toMatchObject({ commit: created, value: '', how: 'change' });
    expect((await instanceLog(store, flat, one)).items.map((entry) => entry.commit)).toEqual([created]);
  });

  it('pages through histories with merges as the log goes, each commit once', async () => {
    await using root = await temporaryDirectory();
    const directory = join(root.path, 'store.git');
    const files = [...treeOfChange({ number: 1, generation: 1 })];
    // Each commit: which of the last few it has for parents, and whether it names the change that is there.
    const shape = fc.array(fc.tuple(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }), fc.boolean()), {
      size: 'max',
      minLength: 4,
      maxLength: 25,
    });
    const samples = fc.sample(fc.tuple(shape, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 7 })), {
      numRuns: 25,
      seed: 20260101,
    });
    const { key, value } = trailerOf(1, 1);
    const stream = samples.map(([commits], index) => {
      const blobs = files.map(
        ([path, bytes]) => `M 100644 inline ${path}\ndata ${bytes.length}\n${Buffer.from(bytes)}\n`,
      );
      return commits.map(([parents, isNamed], at) => {
        const message = `commit ${at}${isNamed ? `\n\n${key}: ${value}` : ''}\n`;
        const known = [...new Set(parents.map((back) => at - 1 - back).filter((parent) => parent >= 0))];
        const [from, ...merges] = (at > 0 && known.length === 0 ? [0] : known).map((parent) => `:${parent + 1}\n`);
        return [
          at === 0 ? `reset refs/heads/h${index}\n` : '',
          `commit refs/heads/h${index}\nmark :${at + 1}\ncommitter A <a@b> ${1000 + at * 10} +0000\n`,
          `data ${Buffer.byteLength(message)}\n${message}`,
          from === undefined ? '' : `from ${from}`,
          ...merges.map((parent) => `merge ${parent}`),
          ...(at === 0 ? blobs : []),
        ].join('');
      });
    });
    await using _made = await createGitStore({ directory, branch: 'h0' });
    await git(directory, ['fast-import', '--quiet', '--force'], stream.flat().join(''));
    for (const [index, [, limit, maxCommits]] of samples.entries()) {
      await using store = await createGitStore({ directory, branch: `h${index}` });
      const records = await collect(store.log());
      const wanted = records.filter(({ trailers }) => trailers.length > 0).map((record) => record.commit);
      const found: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await instanceLog(store, flat, one, { limit, maxCommits, cursor });
        found.push(...page.items.map((entry) => entry.commit));
        cursor = page.nextCursor;
      }
      expect(found).toEqual(wanted);
    }
  });

  it('says where a clone that began later does not know more', async () => {
    await using root = await temporaryDirectory();
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', 'remote.git']);
    await using server = await startHttpGitServer(root.path);
    const open = (name: string) =>
      createGitStore({ directory: join(root.path, name), remote: { url: `${server.url}/remote.git` } });
    await using early = await open('early.git');
    const set = await commit(early, change({ number: 1, generation: 1 }));
    const last = await commit(early, change({ number: 2, generation: 1 }));
    await using late = await open('late.git');
    await commit(late, change({ number: 2, generation: 2, values: { a: 1 } }));
    expect(await blameValue(late, flat, one, '/replicas')).toEqual({
      outcome: 'older',
      since: last,
      reason: 'history-ends',
    });
    expect(await instanceLog(late, flat, one)).toEqual({ items: [], nextCursor: null });
    expect(await blameValue(early, flat, one, '/replicas')).toMatchObject({ outcome: 'found', commit: set });
  });
});
