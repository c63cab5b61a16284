import {
  blameValue,
  CHANGE_TRAILER,
  type CommitId,
  createLayout,
  diffInstance,
  HISTORY_LIMITS,
  instanceAt,
  instanceFiles,
  instanceLog,
  PAGE_LIMITS,
  type StateStore,
} from '@caelus/core';
import { createMemoryStateStore } from '@caelus/core/testing';
import { describe, expect, it } from 'vitest';
import {
  byHand,
  change,
  changeId,
  commit,
  deletion,
  instanceId,
  layoutFile,
  trailerOf,
  treeOfChange,
  valuesFile,
} from './history-samples.ts';

const flat = createLayout('flat');
const one = instanceId(1);
const ada = { name: 'Ada', email: 'ada@example.com' };
const files = instanceFiles(flat, one);
const log = (store: StateStore, options?: Parameters<typeof instanceLog>[3]) => instanceLog(store, flat, one, options);
const blame = (store: StateStore, pointer: string, options?: Parameters<typeof blameValue>[4]) =>
  blameValue(store, flat, one, pointer, options);
const commitsOf = async (store: StateStore) => (await log(store)).items.map((entry) => entry.commit);
const replicas = (count: number) => (text: string) => text.replace(/^replicas: .*$/m, `replicas: ${count}`);

describe('instanceLog', () => {
  it('lists what Caelus wrote of one instance, newest first, with the line of each in a batch', async () => {
    const store = createMemoryStateStore();
    const created = await commit(store, change({ number: 1, generation: 1, actor: ada, summary: 'create guestbook' }));
    await commit(store, change({ number: 2, generation: 1 }));
    await commit(store, byHand({ readme: 'hello' }));
    const batch = await commit(
      store,
      change({ number: 2, generation: 2, values: { a: 1 }, summary: 'update two' }),
      change({ number: 1, generation: 2, values: { a: 1 }, summary: `update one ${'x'.repeat(100)}` }),
    );
    const { items, nextCursor } = await log(store);
    expect(nextCursor).toBeNull();
    expect(items).toEqual([
      {
        commit: batch,
        author: { name: 'Caelus', email: 'caelus@localhost' },
        committedAt: '2026-01-01T00:00:03.000Z',
        generation: 2,
        changeId: changeId(1, 2),
        summary: `update one ${'x'.repeat(100)}`,
      },
      {
        commit: created,
        author: ada,
        committedAt: '2026-01-01T00:00:00.000Z',
        generation: 1,
        changeId: changeId(1, 1),
        summary: 'create guestbook',
      },
    ]);
  });

  it('has the deletion, which only the tombstone confirms', async () => {
    const store = createMemoryStateStore();
    const commits = [
      await commit(store, change({ number: 1, generation: 1 })),
      await commit(store, deletion(1, 2, 'application')),
      await commit(store, deletion(1, 2, 'directory')),
    ];
    expect(await commitsOf(store)).toEqual(commits.reverse());
  });

  it.each<[string, Parameters<typeof byHand>[1]]>([
    ['a trailer in its summary', { summary: `x\n\n${CHANGE_TRAILER}: ${trailerOf(1, 1).value}` }],
    ['a change that the marker does not name', { trailers: [trailerOf(1, 2)] }],
    ['a change of another instance', { trailers: [trailerOf(2, 1)] }],
    ['a malformed trailer', { trailers: [{ key: CHANGE_TRAILER, value: `${one} 01 ${changeId(1, 1)}` }] }],
    ['a trailer of another name', { trailers: [{ key: 'caelus-change', value: trailerOf(1, 1).value }] }],
  ])('leaves out a commit with %s', async (_what, parts) => {
    const store = createMemoryStateStore();
    const created = await commit(store, change({ number: 1, generation: 1 }));
    await commit(store, byHand({ [valuesFile(1)]: replicas(7) }, parts));
    expect(await commitsOf(store)).toEqual([created]);
  });

  it('leaves out trailers once the marker is unreadable or gone', async () => {
    const store = createMemoryStateStore();
    const created = await commit(store, change({ number: 1, generation: 1 }));
    await commit(store, byHand({ [files.marker]: 'kind: Nonsense\n' }, { trailers: [trailerOf(1, 1)] }));
    await commit(store, byHand({ [files.marker]: null }, { trailers: [trailerOf(1, 1)] }));
    expect(await commitsOf(store)).toEqual([created]);
  });

  it('shows no control characters of a summary that somebody pushed', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1, summary: '\u001b[2Jred\u202e' }));
    expect((await log(store)).items[0]?.summary).toBe('[2Jred');
  });

  it('finds an instance where the layout of its time had it', async () => {
    const store = createMemoryStateStore();
    const rename = (name: 'flat' | 'sharded') => Object.fromEntries(layoutTexts(name));
    await commit(store, byHand(rename('flat')));
    const before = await commit(store, change({ number: 1, generation: 1, values: { replicas: 2 } }));
    const old = treeOfChange({ number: 1, generation: 1, values: { replicas: 2 } });
    const moved = treeOfChange({ number: 1, generation: 1, values: { replicas: 2 }, layout: 'sharded' });
    await commit(
      store,
      byHand({
        ...rename('sharded'),
        ...Object.fromEntries([...old.keys()].map((path) => [path, null])),
        ...Object.fromEntries([...moved].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])),
      }),
    );
    const after = await commit(store, change({ number: 1, generation: 2, layout: 'sharded', values: { replicas: 2 } }));
    const sharded = createLayout('sharded');
    const { items } = await instanceLog(store, sharded, one);
    expect(items.map((entry) => entry.commit)).toEqual([after, before]);
    expect((await instanceAt(store, sharded, one, before)).files).toEqual(old);
    expect(await blameValue(store, sharded, one, '/replicas')).toMatchObject({ commit: before, how: 'change' });
  });

  it('pages to the end, and newer commits do not move the pages', async () => {
    const store = createMemoryStateStore();
    const commits: CommitId[] = [];
    for (let generation = 1; generation <= 5; generation += 1) {
      commits.unshift(await commit(store, change({ number: 1, generation })));
    }
    const first = await log(store, { limit: 2 });
    expect(first.items.map((entry) => entry.commit)).toEqual(commits.slice(0, 2));
    await commit(store, change({ number: 1, generation: 6 }));
    const second = await log(store, { limit: 2, cursor: first.nextCursor ?? '' });
    expect(second.items.map((entry) => entry.commit)).toEqual(commits.slice(2, 4));
    const third = await log(store, { limit: 2, cursor: second.nextCursor ?? '' });
    expect(third).toMatchObject({ items: [{ commit: commits[4] }], nextCursor: null });
  });

  it('stops a page at the number of commits that it may look at', async () => {
    const store = createMemoryStateStore();
    const created = await commit(store, change({ number: 1, generation: 1 }));
    await commit(store, byHand({ a: '1' }));
    await commit(store, byHand({ a: '2' }));
    expect(await log(store, { maxCommits: 4 })).toMatchObject({ items: [{ commit: created }], nextCursor: null });
    expect(await log(store, { maxCommits: 3 })).toMatchObject({ items: [{ commit: created }], nextCursor: null });
    const page = await log(store, { maxCommits: 2 });
    expect(page).toMatchObject({ items: [], nextCursor: expect.any(String) });
    expect(await log(store, { cursor: page.nextCursor ?? '' })).toMatchObject({ items: [{ commit: created }] });
  });

  it('has an empty page for an empty branch', async () => {
    expect(await log(createMemoryStateStore())).toEqual({ items: [], nextCursor: null });
  });

  it.each(['', 'x', `${'0'.repeat(40)}`, `${'0'.repeat(40)}.0`, `${'0'.repeat(40)}.1`, `${'A'.repeat(40)}.1`])(
    'refuses the cursor %j',
    async (cursor) => {
      const store = createMemoryStateStore();
      await commit(store, change({ number: 1, generation: 1 }));
      await expect(log(store, { cursor })).rejects.toMatchObject({ code: 'CURSOR_INVALID', details: { cursor } });
    },
  );

  it.each([
    { limit: 0 },
    { limit: PAGE_LIMITS.most + 1 },
    { maxCommits: 0 },
    { maxCommits: HISTORY_LIMITS.most + 1 },
    { maxCommits: 1.5 },
  ])('refuses %j', async (options) => {
    await expect(log(createMemoryStateStore(), options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('stops when it is told to', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1 }));
    await expect(log(store, { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
    await expect(blame(store, '', { signal: AbortSignal.abort('enough') })).rejects.toBe('enough');
  });
});

describe('instanceAt and diffInstance', () => {
  it('read every file at a commit, and what leads from one to another', async () => {
    const store = createMemoryStateStore();
    const before = await commit(store, byHand({ readme: 'hello' }));
    const created = await commit(store, change({ number: 1, generation: 1 }));
    const updated = await commit(store, change({ number: 1, generation: 2, values: { replicas: 3 } }));
    const deleted = await commit(store, deletion(1, 3, 'application'));

    expect((await instanceAt(store, flat, one, before)).files.size).toBe(0);
    const content = await instanceAt(store, flat, one, created);
    expect(content.files).toEqual(treeOfChange({ number: 1, generation: 1 }));
    expect(content).toMatchObject({ marker: { generation: 1 }, tombstone: null, hasApplicationFile: true });
    expect(await instanceAt(store, flat, one, deleted)).toMatchObject({
      marker: { generation: 2 },
      tombstone: { generation: 3 },
      hasApplicationFile: false,
    });

    const plan = await diffInstance(store, flat, one, created, updated);
    expect(plan.files.find(({ path }) => path === files.values)).toMatchObject({
      action: 'modify',
      linesAdded: 1,
      linesRemoved: 1,
      diff: expect.stringContaining('-replicas: 1\n+replicas: 3\n'),
    });
    const back = await diffInstance(store, flat, one, updated, created);
    expect(back.files.map(({ path }) => path)).toEqual(plan.files.map(({ path }) => path));
    const removal = await diffInstance(store, flat, one, updated, deleted);
    expect(removal.files.map(({ path, action }) => [path, action])).toEqual([
      [files.tombstone, 'add'],
      [files.application, 'remove'],
    ]);
  });
});

describe('blameValue', () => {
  it('names the change that set a value, through changes of others and of other values', async () => {
    const store = createMemoryStateStore();
    const created = await commit(store, change({ number: 1, generation: 1, actor: ada }));
    const set = await commit(store, change({ number: 1, generation: 2, actor: ada, values: { replicas: 3 } }));
    await commit(store, change({ number: 2, generation: 1 }));
    await commit(store, byHand({ readme: 'hello' }));
    await commit(store, change({ number: 1, generation: 3, values: { replicas: 3, title: 'x' } }));
    expect(await blame(store, '/replicas')).toEqual({
      outcome: 'found',
      value: 3,
      userValue: 3,
      commit: set,
      author: ada,
      committedAt: '2026-01-01T00:00:01.000Z',
      generation: 2,
      changeId: changeId(1, 2),
      how: 'change',
    });
    expect(await blame(store, '/ingress/enabled')).toMatchObject({ commit: created, userValue: undefined });
    expect(await blame(store, '/replicas', { from: created })).toMatchObject({ commit: created, value: 1 });
  });

  it('takes a user who states the default for the one who set it', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1 }));
    const pinned = await commit(store, change({ number: 1, generation: 2, values: { replicas: 1 } }));
    expect(await blame(store, '/replicas')).toMatchObject({ commit: pinned, value: 1, userValue: 1 });
  });

  it.each<[string, Parameters<typeof byHand>[1]]>([
    ['without trailers', {}],
    ['with the trailer of the change that is there', { trailers: [trailerOf(1, 1)] }],
    ['with a trailer of a change that is not', { trailers: [trailerOf(1, 2)] }],
    ['with the trailer of another instance', { trailers: [trailerOf(2, 1)] }],
  ])('calls an edit %s by hand', async (_what, parts) => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1 }));
    await commit(store, change({ number: 2, generation: 1 }));
    const edited = await commit(store, byHand({ [valuesFile(1)]: replicas(9) }, parts));
    await commit(store, change({ number: 2, generation: 2, values: { a: 1 } }));
    await commit(store, change({ number: 2, generation: 3, values: { a: 2 } }));
    expect(await blame(store, '/replicas')).toMatchObject({
      outcome: 'found',
      value: 9,
      commit: edited,
      author: { name: 'Mallory' },
      generation: null,
      changeId: null,
      how: 'by-hand',
    });
  });

  it('finds an edit by hand and its undoing between two changes', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1 }));
    await commit(store, byHand({ [valuesFile(1)]: replicas(9) }));
    const undone = await commit(store, byHand({ [valuesFile(1)]: replicas(1) }));
    await commit(store, change({ number: 1, generation: 2, values: { title: 'x' } }));
    expect(await blame(store, '/replicas')).toMatchObject({ commit: undone, how: 'by-hand' });
  });

  it('names who removed a value, and says where there never was one', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1, values: { extra: { a: [1, { b: null }] } } }));
    expect(await blame(store, '/extra/a/1/b')).toMatchObject({ outcome: 'found', value: null, generation: 1 });
    const removed = await commit(store, change({ number: 1, generation: 2 }));
    expect(await blame(store, '/extra/a')).toMatchObject({ commit: removed, value: undefined, generation: 2 });
    expect(await blame(store, '/never/there')).toEqual({ outcome: 'never-set' });
    expect(await blame(createMemoryStateStore(), '/x')).toEqual({ outcome: 'never-set' });
    await commit(store, deletion(1, 3, 'application'));
    const gone = await commit(store, deletion(1, 3, 'directory'));
    expect(await blame(store, '/replicas')).toMatchObject({ commit: gone, generation: 3, how: 'change' });
  });

  it('treats a file that cannot be read as another state, and refuses to start from one', async () => {
    const store = createMemoryStateStore();
    await commit(store, change({ number: 1, generation: 1 }));
    const broken = await commit(store, byHand({ [valuesFile(1)]: '{ a: [' }));
    await expect(blame(store, '')).rejects.toMatchObject({ code: 'STORE_CORRUPT', details: { what: broken } });
    const repaired = await commit(store, change({ number: 1, generation: 1, summary: 'repair' }));
    expect(await blame(store, '/replicas')).toMatchObject({ commit: repaired, how: 'change', generation: 1 });
    await commit(store, byHand({ [files.marker]: 'x' }));
    await expect(blame(store, '')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('goes on where it had to stop', async () => {
    const store = createMemoryStateStore();
    const set = await commit(store, change({ number: 1, generation: 1 }));
    const others: CommitId[] = [];
    for (let generation = 1; generation <= 3; generation += 1) {
      others.push(await commit(store, change({ number: 2, generation })));
    }
    expect(await blame(store, '/replicas', { maxCommits: 4 })).toMatchObject({ outcome: 'found', commit: set });
    expect(await blame(store, '/replicas', { maxCommits: 5 })).toMatchObject({ outcome: 'found', commit: set });
    const stopped = await blame(store, '/replicas', { maxCommits: 2 });
    expect(stopped).toEqual({ outcome: 'older', since: others[0], reason: 'limit' });
    const from = stopped.outcome === 'older' ? stopped.since : undefined;
    expect(await blame(store, '/replicas', { from, maxCommits: 2 })).toMatchObject({ outcome: 'found', commit: set });
  });

  it.each(['x', '/a~', '/a~2', 'a/b'])('refuses the pointer %j', async (pointer) => {
    await expect(blame(createMemoryStateStore(), pointer)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });
});

function layoutTexts(name: 'flat' | 'sharded'): readonly [string, string][] {
  return [...layoutFile(name)].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]);
}
