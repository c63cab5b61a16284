import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict';
import { isCaelusError } from '../errors.ts';
import { parseRepoPath, type RepoPath, repoPath } from '../layout/repo-path.ts';
import type { Edit, RepoTree } from '../layout/repo-tree.ts';
import type { Actor } from '../model/actor.ts';
import type { CommitId } from '../model/identifier.ts';
import type {
  CommitRecord,
  ProposedChange,
  Receipt,
  Snapshot,
  StateStore,
  StateStoreCapabilities,
  Trailer,
} from '../ports/state-store.ts';
import type { ContractRunner } from './contract-runner.ts';

export interface StateStoreContractOptions {
  /** Names the adapter in the report. */
  readonly name: string;
  /** What the adapter says of itself; tests of what it cannot do are left out, and the rest must hold. */
  readonly capabilities: StateStoreCapabilities;
  /** Makes a new, empty repository. Called once for each test. */
  create(): Promise<StateStoreHarness>;
  /**
   * Tests that the adapter is known to fail, by name, with the reason. Such a test has to fail: once it passes, the entry
   * is out of date. A name that no test has is an error.
   */
  readonly knownGaps?: Readonly<Record<string, string>> | undefined;
}

/** One repository, and any number of stores on its branch. */
export interface StateStoreHarness extends AsyncDisposable {
  /** Opens a store on the branch. Each call behaves as another process would. */
  open(): Promise<StateStore>;
  /** Reads all files of the tip behind the adapter's back, where there is a way. */
  inspect?(): Promise<RepoTree>;
}

type Test = (harness: StateStoreHarness) => Promise<void>;

/** The contract of `StateStore`, sentence by sentence. */
export function stateStoreContract(runner: ContractRunner, options: StateStoreContractOptions): void {
  const { capabilities, knownGaps = {} } = options;
  const tests = new Map(
    Object.entries({ ...readTests, ...writeTests, ...collisionTests, ...raceTests, ...historyTests, ...stopTests }),
  );
  if (!capabilities.durable) tests.delete(DURABLE);
  tests.set('says what it can do', async (harness) => {
    await using store = await harness.open();
    deepEqual(store.capabilities, capabilities);
    ok(store.name.length > 0);
    if (store.pathPrefix !== null) equal(parseRepoPath(store.pathPrefix), store.pathPrefix);
  });

  for (const name of Object.keys(knownGaps)) {
    if (!tests.has(name)) throw new Error(`knownGaps names a test that does not exist: ${name}`);
  }
  runner.describe(`StateStore contract: ${options.name}`, () => {
    for (const [name, test] of tests) {
      const gap = knownGaps[name];
      const run = async () => {
        await using harness = await options.create();
        await test(harness);
      };
      if (gap === undefined) runner.it(name, run);
      else runner.it(`${name} (known gap: ${gap})`, () => rejects(run, 'The gap is closed: remove its entry.'));
    }
  });
}

const DURABLE = 'keeps what was written when it is opened again';

const readTests: Record<string, Test> = {
  'starts empty': async (harness) => {
    await using store = await harness.open();
    const snapshot = await store.snapshot();
    equal(snapshot.commit, null);
    equal(await snapshot.readFile(path('a')), undefined);
    deepEqual(await snapshot.listDirectory(null), []);
    deepEqual(await snapshot.listDirectory(path('a')), []);
    equal((await snapshot.readTree(path('a'))).size, 0);
    deepEqual(await collect(store.log()), []);
  },

  'tells what it holds as reading does, where it can': async (harness) => {
    await using store = await harness.open();
    const tree = { 'a/b/c.yaml': 'c: 1\n', 'a/d.yaml': 'd: 1\n', 'a-more/e.yaml': '' };
    await write(store, tree);
    const snapshot = await store.snapshot();
    if (snapshot.holds === undefined) return;
    const bytes = (content: string) => new TextEncoder().encode(content);
    const below = (...edits: readonly (readonly [string, string | null])[]) => {
      const { 'a-more/e.yaml': _, ...rest } = tree;
      const all = new Map<string, string | null>([...Object.entries(rest), ...edits]);
      return new Map([...all].flatMap(([name, content]) => (content === null ? [] : [[path(name), bytes(content)]])));
    };
    equal(await snapshot.holds(path('a'), below()), true);
    equal(await snapshot.holds(path('a/b'), new Map([[path('a/b/c.yaml'), bytes('c: 1\n')]])), true);
    equal(await snapshot.holds(path('a/d.yaml'), bytes('d: 1\n')), true);
    equal(await snapshot.holds(path('a-more/e.yaml'), bytes('')), true);
    equal(await snapshot.holds(path('a'), below(['a/b/c.yaml', 'c: 2\n'])), false, 'a changed file');
    equal(await snapshot.holds(path('a'), below(['a/b/c.yaml', null])), false, 'a file too many');
    equal(await snapshot.holds(path('a'), below(['a/e.yaml', ''])), false, 'a file too few');
    equal(await snapshot.holds(path('a'), new Map()), false);
    equal(await snapshot.holds(path('a'), bytes('d: 1\n')), false, 'a directory is not a file');
    equal(await snapshot.holds(path('a/d.yaml'), below()), false, 'a file is not a directory');
    equal(await snapshot.holds(path('a/d.yaml'), bytes('d: 2\n')), false);
    equal(await snapshot.holds(path('a/e.yaml'), bytes('')), false, 'an empty file is not none');
    equal(await snapshot.holds(path('x'), below()), false);
    const options = { signal: AbortSignal.abort(new Error('stop')) };
    await rejects(async () => snapshot.holds?.(path('a'), below(), options), /stop/);
  },

  'reads files, trees and directories of the tip': async (harness) => {
    await using store = await harness.open();
    const commit = await write(store, {
      'instances/one/values.yaml': 'a: 1\n',
      'instances/one/manifests/namespace.yaml': 'kind: Namespace\n',
      'instances/one-more/values.yaml': 'b: 2\n',
      'README.md': '',
    });
    const snapshot = await store.snapshot();
    equal(snapshot.commit, commit);
    equal(await text(snapshot, 'instances/one/values.yaml'), 'a: 1\n');
    equal(await text(snapshot, 'README.md'), '');
    equal(await snapshot.readFile(path('instances/one')), undefined, 'a directory is not a file');
    equal(await snapshot.readFile(path('instances/one/values.yaml/x')), undefined);
    equal(await snapshot.readFile(path('instances/two/values.yaml')), undefined);
    deepEqual(files(await snapshot.readTree(path('instances/one'))), {
      'instances/one/manifests/namespace.yaml': 'kind: Namespace\n',
      'instances/one/values.yaml': 'a: 1\n',
    });
    equal((await snapshot.readTree(path('instances/o'))).size, 0, 'a prefix is a directory, not the start of a name');
    equal((await snapshot.readTree(path('README.md'))).size, 0);
    deepEqual(await snapshot.listDirectory(null), [
      { name: 'README.md', type: 'file' },
      { name: 'instances', type: 'directory' },
    ]);
    deepEqual(await snapshot.listDirectory(path('instances')), [
      { name: 'one', type: 'directory' },
      { name: 'one-more', type: 'directory' },
    ]);
    deepEqual(await snapshot.listDirectory(path('README.md')), []);
  },

  'orders entries by name, whatever they are': async (harness) => {
    await using store = await harness.open();
    await write(store, { 'a.b': '1', 'a/x': '2', a0: '3', 'A/x': '4', 'a-b/x': '5' });
    const names = (await (await store.snapshot()).listDirectory(null)).map(({ name }) => name);
    deepEqual(names, ['A', 'a', 'a-b', 'a.b', 'a0']);
  },

  'keeps every byte': async (harness) => {
    await using store = await harness.open();
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
    await store.write([change('x', [{ path: path('bytes'), bytes }])]);
    const found = await (await store.snapshot()).readFile(path('bytes'));
    ok(found !== undefined && Buffer.compare(found, bytes) === 0);
    await inspected(harness, ['bytes']);
  },

  'shows a snapshot as it was, whatever is written later': async (harness) => {
    await using store = await harness.open();
    const empty = await store.snapshot();
    const first = await write(store, { 'a/x': '1', 'a/y': '1' });
    const before = await store.snapshot();
    await write(store, { 'a/x': '2', 'a/y': null, b: '2' });
    equal(await text(before, 'a/x'), '1');
    deepEqual(files(await before.readTree(path('a'))), { 'a/x': '1', 'a/y': '1' });
    deepEqual(await before.listDirectory(null), [{ name: 'a', type: 'directory' }]);
    equal(await empty.readFile(path('a/x')), undefined);
    deepEqual(files(await (await store.snapshotAt(first)).readTree(path('a'))), { 'a/x': '1', 'a/y': '1' });
  },

  'gives out bytes that do not lead back into the store': async (harness) => {
    await using store = await harness.open();
    const bytes = new TextEncoder().encode('1');
    await store.write([change('x', [{ path: path('a'), bytes }])]);
    bytes[0] = 0;
    const snapshot = await store.snapshot();
    (await snapshot.readFile(path('a')))?.fill(0);
    (await snapshot.readTree(path('a'))).get(path('a'))?.fill(0);
    equal(await text(await store.snapshot(), 'a'), '1');
    equal(await text(snapshot, 'a'), '1');
  },

  'refuses a commit that it does not have': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '1' });
    await rejectsWith('STORE_CORRUPT', async () => (await store.snapshotAt(UNKNOWN)).readFile(path('a')));
    await rejectsWith('STORE_CORRUPT', () => collect(store.log({ from: UNKNOWN })));
  },

  'shows one store what another has written': async (harness) => {
    await using one = await harness.open();
    await using two = await harness.open();
    const commit = await write(one, { a: '1' });
    equal((await two.snapshot()).commit, commit);
    equal(await text(await two.snapshot(), 'a'), '1');
  },

  [DURABLE]: async (harness) => {
    let commit: CommitId;
    {
      await using store = await harness.open();
      commit = await write(store, { 'a/b': '1' });
    }
    await using store = await harness.open();
    equal((await store.snapshot()).commit, commit);
    equal(await text(await store.snapshot(), 'a/b'), '1');
  },
};

const writeTests: Record<string, Test> = {
  'makes one commit of a batch, with a receipt for each change in order': async (harness) => {
    await using store = await harness.open();
    const base = await write(store, { 'b/file': 'same' });
    const receipts = await store.write([
      put('one', { 'a/file': '1' }),
      put('two', { 'b/file': 'same' }),
      put('three', { 'c/file': '3', 'c/other': '3' }),
      { subject: 'four', propose: async () => null },
    ]);
    const commit = (await store.snapshot()).commit;
    deepEqual(receipts, [
      { outcome: 'written', subject: 'one', commit, edits: [edit('a/file', '1')] },
      { outcome: 'unchanged', subject: 'two', commit },
      { outcome: 'written', subject: 'three', commit, edits: [edit('c/file', '3'), edit('c/other', '3')] },
      { outcome: 'unchanged', subject: 'four', commit },
    ]);
    deepEqual(
      (await collect(store.log())).map((record) => record.commit),
      [commit, base],
    );
    await inspected(harness, ['a/file', 'b/file', 'c/file', 'c/other']);
  },

  'names in a receipt only what it changed, ordered by path': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '1', b: '1', c: '1' });
    const [receipt] = await store.write([put('x', { d: '2', c: '2', b: null, a: '1', e: null })]);
    ok(receipt?.outcome === 'written');
    deepEqual(receipt.edits, [edit('b', null), edit('c', '2'), edit('d', '2')]);
  },

  'asks of several generations of a subject the newest': async (harness) => {
    await using store = await harness.open();
    const asked: string[] = [];
    const change = (subject: string, generation: number | undefined, fails = false): ProposedChange => ({
      subject,
      ...(generation !== undefined && { generation }),
      async propose(snapshot) {
        asked.push(`${subject} ${generation}`);
        if (fails) throw new Error('refused');
        return put(subject, { [subject]: String(generation) }).propose(snapshot);
      },
    });
    const receipts = await store.write([
      change('a', 1),
      change('b', undefined),
      change('a', 3),
      change('c', 2),
      change('a', 2),
      change('c', 7, true),
    ]);
    const commit = (await store.snapshot()).commit as CommitId;
    deepEqual(asked, ['a 3', 'b undefined', 'c 7', 'c 2']);
    deepEqual(outcomes(receipts), ['superseded', 'written', 'written', 'written', 'superseded', 'failed']);
    deepEqual(receipts[0], { outcome: 'superseded', subject: 'a', generation: 1, commit, by: 3 });
    deepEqual(receipts[2], { outcome: 'written', subject: 'a', generation: 3, commit, edits: [edit('a', '3')] });
    equal(receipts[5]?.generation, 7);
    equal(await text(await store.snapshot(), 'c'), '2');

    deepEqual(await store.write([change('a', 2), change('a', 3)]), [
      { outcome: 'superseded', subject: 'a', generation: 2, commit, by: 3 },
      { outcome: 'unchanged', subject: 'a', generation: 3, commit },
    ]);
    for (const generation of [-1, 0.5, Number.NaN]) {
      deepEqual(outcomes(await store.write([change('a', generation)])), ['failed']);
    }
  },

  'makes no commit where nothing changes': async (harness) => {
    await using store = await harness.open();
    deepEqual(await store.write([]), []);
    deepEqual(await store.write([put('x', {}), put('y', { a: null })]), [
      { outcome: 'unchanged', subject: 'x', commit: null },
      { outcome: 'unchanged', subject: 'y', commit: null },
    ]);
    equal((await store.snapshot()).commit, null);
    const commit = await write(store, { a: '1' });
    deepEqual(await store.write([put('x', { a: '1', 'b/c': null })]), [{ outcome: 'unchanged', subject: 'x', commit }]);
    equal((await store.snapshot()).commit, commit);
  },

  'lets one change fail without its neighbours': async (harness) => {
    await using store = await harness.open();
    const error = new Error('no');
    const receipts = await store.write([
      put('one', { a: '1' }),
      { subject: 'two', propose: () => Promise.reject(error) },
      put('three', { c: '3' }),
    ]);
    deepEqual(outcomes(receipts), ['written', 'failed', 'written']);
    ok(receipts[1]?.outcome === 'failed' && receipts[1].error === error);
    await inspected(harness, ['a', 'c']);
    const alone = await store.write([{ subject: 'two', propose: () => Promise.reject(error) }]);
    deepEqual(outcomes(alone), ['failed']);
    equal((await collect(store.log())).length, 1);
  },

  'refuses hostile paths, whatever the types say': async (harness) => {
    await using store = await harness.open();
    const hostile = [
      '../a',
      '/a',
      'a/../b',
      '.git/config',
      'a/.GIT/x',
      'a//b',
      'a/',
      '',
      'a\\b',
      'a\0b',
      'a\nb',
      'con',
    ];
    const edits = hostile.map((name): ProposedChange => change(name, [{ path: name as RepoPath, bytes: encode('x') }]));
    const receipts = await store.write([...edits, put('good', { good: '1' })]);
    for (const receipt of receipts.slice(0, -1)) failedWith(receipt, 'PATH_INVALID');
    equal(receipts.at(-1)?.outcome, 'written');
    await inspected(harness, ['good']);
  },

  'refuses an author or a trailer that would forge a line': async (harness) => {
    await using store = await harness.open();
    const forged = (subject: string, extra: { actor?: Actor; trailers?: readonly Trailer[] }) =>
      change(subject, [edit(subject, '1')], extra);
    const receipts = await store.write([
      forged('newline', { actor: { name: 'a\nparent 0' } }),
      forged('bracket', { actor: { name: 'a <root@localhost>' } }),
      forged('email', { actor: { name: 'a', email: 'a>\n' } }),
      forged('value', { trailers: [{ key: 'Caelus-Change', value: 'a\nCaelus-Change: b' }] }),
      forged('key', { trailers: [{ key: 'a: b\nc', value: 'd' }] }),
      forged('good', {}),
    ]);
    deepEqual(outcomes(receipts), ['failed', 'failed', 'failed', 'failed', 'failed', 'written']);
    await inspected(harness, ['good']);
  },

  'writes a thousand files in one commit': async (harness) => {
    await using store = await harness.open();
    const names = Array.from({ length: 1000 }, (_, index) => `instances/i${index}/values.yaml`);
    const receipts = await store.write(names.map((name) => put(name, { [name]: `name: ${name}\n` })));
    deepEqual(new Set(outcomes(receipts)), new Set(['written']));
    equal((await collect(store.log())).length, 1);
    const tree = await (await store.snapshot()).readTree(path('instances'));
    deepEqual(files(tree), Object.fromEntries(names.toSorted().map((name) => [name, `name: ${name}\n`])));
    await inspected(harness, names);
  },
};

const collisionTests: Record<string, Test> = {
  'removes a directory with its last file': async (harness) => {
    await using store = await harness.open();
    await write(store, { 'a/b/c': '1', 'a/d': '1', e: '1' });
    await write(store, { 'a/b/c': null });
    deepEqual(await (await store.snapshot()).listDirectory(path('a')), [{ name: 'd', type: 'file' }]);
    await write(store, { 'a/d': null });
    deepEqual(await (await store.snapshot()).listDirectory(null), [{ name: 'e', type: 'file' }]);
    await write(store, { e: null });
    deepEqual(await (await store.snapshot()).listDirectory(null), []);
    notEqual((await store.snapshot()).commit, null, 'an empty tree is a commit all the same');
    await inspected(harness, []);
  },

  'replaces a file by a directory and a directory by a file': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '1' });
    await write(store, { a: null, 'a/b/c': '2', 'a/d': '2' });
    await inspected(harness, ['a/b/c', 'a/d']);
    equal(await text(await store.snapshot(), 'a/b/c'), '2');
    await write(store, { a: '3', 'a/b/c': null, 'a/d': null });
    equal(await text(await store.snapshot(), 'a'), '3');
    await inspected(harness, ['a']);
  },

  'removes only what a change names': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '1', 'b/c': '1', 'b/d': '1' });
    const receipts = await store.write([
      put('below a file', { 'a/x': '2' }),
      put('over a directory', { b: '2' }),
      put('over a directory half emptied', { b: '2', 'b/c': null }),
      put('twice in itself', { x: '2', 'x/y': '2' }),
      change('one path twice', [edit('y', '1'), edit('y', '2')]),
      put('a directory by its name', { b: null }),
    ]);
    for (const receipt of receipts.slice(0, -1)) failedWith(receipt, 'PATH_INVALID');
    equal(receipts.at(-1)?.outcome, 'unchanged');
    await inspected(harness, ['a', 'b/c', 'b/d']);
  },

  'does not let a change of a batch overwrite what an earlier one wrote': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '0', b: '0', d: '0' });
    const receipts = await store.write([
      put('first', { a: '1', 'dir/file': '1', d: null }),
      put('same path', { a: '2', z: '2' }),
      put('back to the tip', { a: '0' }),
      put('same edit', { a: '1', c: '1' }),
      put('file for directory', { dir: '2' }),
      put('below a file', { 'dir/file/x': '2' }),
      put('beside it', { 'dir/other': '2' }),
      put('into what was removed', { d: '2' }),
    ]);
    deepEqual(outcomes(receipts), ['written', 'failed', 'failed', 'written', 'failed', 'failed', 'written', 'failed']);
    for (const receipt of receipts.filter(({ outcome }) => outcome === 'failed')) {
      const error = failedWith(receipt, 'STORE_CONFLICT');
      ok(error.retryable);
    }
    const snapshot = await store.snapshot();
    equal(await text(snapshot, 'a'), '1');
    await inspected(harness, ['a', 'b', 'c', 'dir/file', 'dir/other']);
    deepEqual(outcomes(await store.write([put('same path', { a: '2', z: '2' })])), ['written']);
  },
};

const raceTests: Record<string, Test> = {
  'asks a change again from each new tip': async (harness) => {
    await using one = await harness.open();
    await using two = await harness.open();
    const seen: (string | undefined)[] = [];
    const [receipt] = await one.write([
      {
        subject: 'x',
        propose: async (snapshot) => {
          seen.push(await text(snapshot, 'counter'));
          if (seen.length < 3) await write(two, { counter: String(seen.length) });
          return proposal([edit('result', `seen ${seen.at(-1)}`)]);
        },
      },
    ]);
    deepEqual(seen, [undefined, '1', '2']);
    equal(receipt?.outcome, 'written');
    equal(await text(await two.snapshot(), 'result'), 'seen 2');
    equal((await collect(one.log())).length, 3);
  },

  'reports as unchanged what another store has written in between': async (harness) => {
    await using one = await harness.open();
    await using two = await harness.open();
    await write(one, { a: '0' });
    await write(two, { a: '1' });
    const [receipt] = await one.write([put('x', { a: '1' })]);
    deepEqual(receipt, { outcome: 'unchanged', subject: 'x', commit: (await two.snapshot()).commit });
    await write(two, { a: '2' });
    const [again] = await one.write([
      {
        subject: 'x',
        propose: async (snapshot) => {
          if ((await text(snapshot, 'a')) !== '2') throw new Error('asked of an old tip only');
          return null;
        },
      },
    ]);
    deepEqual(again, { outcome: 'unchanged', subject: 'x', commit: (await two.snapshot()).commit });
  },

  'knows what came before its own first contact': async (harness) => {
    await using one = await harness.open();
    const commits: CommitId[] = [];
    for (const value of ['1', '2', '3']) {
      const [receipt] = await one.write([change('x', [edit('a', value)])]);
      if (receipt?.outcome === 'written') commits.push(receipt.commit);
    }
    await using two = await harness.open();
    const [first, second, third] = commits as [CommitId, CommitId, CommitId];
    equal((await two.snapshot()).commit, third);
    equal(await two.isAncestor(first, third), true);
    equal(await two.isAncestor(second, third), true);
    equal(await two.isAncestor(third, first), false);
    const [later] = await one.write([change('x', [edit('a', '4')])]);
    equal(later?.outcome === 'written' && (await two.isAncestor(third, later.commit)), true);
  },

  'loses nothing when stores race': async (harness) => {
    await using one = await harness.open();
    await using two = await harness.open();
    await using three = await harness.open();
    const stores = [one, two, three];
    // A store may know no commit that is older than the first one it met, and the log is counted below.
    await write(one, { counter: '0' });
    const increments = 6;
    // Each change reads a counter and writes it back, so a lost update would show as a number that is too small.
    const increment = (subject: string): ProposedChange => ({
      subject,
      propose: async (snapshot) => {
        const before = Number(await text(snapshot, 'counter'));
        return proposal([edit('counter', String(before + 1)), edit(`log/${subject}`, '1')]);
      },
    });
    await Promise.all(
      stores.map(async (store, index) => {
        for (let count = 0; count < increments; count += 1) {
          const receipts = await store.write([increment(`s${index}-${count}`)]);
          deepEqual(outcomes(receipts), ['written']);
        }
      }),
    );
    const total = stores.length * increments;
    const snapshot = await one.snapshot();
    equal(await text(snapshot, 'counter'), String(total));
    equal((await snapshot.readTree(path('log'))).size, total);
    equal((await collect(one.log())).length, 1 + total);
  },

  'takes concurrent writes of one store': async (harness) => {
    await using store = await harness.open();
    const all = await Promise.all(
      Array.from({ length: 12 }, (_, index) => store.write([put(`w${index}`, { [`file-${index}`]: '1' })])),
    );
    deepEqual(new Set(all.flatMap(outcomes)), new Set(['written']));
    equal((await (await store.snapshot()).listDirectory(null)).length, 12);
  },
};

const historyTests: Record<string, Test> = {
  'logs commits newest first, from any of them, up to a limit': async (harness) => {
    await using store = await harness.open();
    const commits: CommitId[] = [];
    for (let index = 0; index < 5; index += 1) commits.unshift(await write(store, { a: String(index) }));
    const ids = async (log: AsyncIterable<CommitRecord>) => (await collect(log)).map(({ commit }) => commit);
    deepEqual(await ids(store.log()), commits);
    deepEqual(await ids(store.log({ limit: 2 })), commits.slice(0, 2));
    deepEqual(await ids(store.log({ limit: 0 })), []);
    deepEqual(await ids(store.log({ from: commits[2] })), commits.slice(2));
    deepEqual(await ids(store.log({ from: commits[2], limit: 1 })), commits.slice(2, 3));
    const records = await collect(store.log());
    deepEqual(
      records.map(({ parents }) => parents),
      commits.map((_, index) => commits.slice(index + 1, index + 2)),
    );
  },

  'keeps author, summary, trailers and time, in any script': async (harness) => {
    await using store = await harness.open();
    const actor = { name: 'Žofie Ångström 李', email: 'zofie@example.com' };
    const trailers = [
      { key: 'Caelus-Change', value: 'one 1 00000000-0000-4000-8000-000000000001' },
      { key: 'Reviewed-By', value: 'Ünï 🚀' },
    ];
    await store.write([change('x', [edit('a', '1')], { summary: 'create ☁ for Ærø', actor, trailers })]);
    const [record] = await collect(store.log());
    equal(record?.message, `create ☁ for Ærø\n\n${trailers.map(({ key, value }) => `${key}: ${value}\n`).join('')}`);
    deepEqual(record.trailers, trailers);
    deepEqual(record.author, actor);
    ok(!Number.isNaN(Date.parse(record.committedAt)));
  },

  'names Caelus as the author where actors differ, and each of them in a trailer': async (harness) => {
    await using store = await harness.open();
    await store.write([
      change('x', [edit('a', '1')], { summary: 'one', actor: { name: 'Ann', email: 'ann@example.com' } }),
      change('y', [edit('b', '1')], { summary: 'two', actor: { name: 'Bob', email: 'bob@example.com' } }),
    ]);
    const [record] = await collect(store.log());
    equal(record?.author.name, 'Caelus');
    deepEqual(record.trailers, [
      { key: 'Caelus-Actor', value: 'Ann <ann@example.com>' },
      { key: 'Caelus-Actor', value: 'Bob <bob@example.com>' },
    ]);
    ok(record.message.startsWith('Apply 2 changes\n\n- one\n- two\n'));
  },

  'leaves changes that were not written out of the message': async (harness) => {
    await using store = await harness.open();
    await write(store, { a: '1' });
    await store.write([
      change('same', [edit('a', '1')], { summary: 'nothing new', trailers: [{ key: 'Caelus-Change', value: 'same' }] }),
      { subject: 'bad', propose: () => Promise.reject(new Error('no')) },
      change('new', [edit('b', '1')], { summary: 'add b', trailers: [{ key: 'Caelus-Change', value: 'new' }] }),
    ]);
    const [record] = await collect(store.log({ limit: 1 }));
    equal(record?.message, 'add b\n\nCaelus-Change: new\n');
  },

  'knows the ancestors of a commit': async (harness) => {
    await using store = await harness.open();
    const first = await write(store, { a: '1' });
    const second = await write(store, { a: '2' });
    const third = await write(store, { a: '3' });
    equal(await store.isAncestor(first, third), true);
    equal(await store.isAncestor(second, third), true);
    equal(await store.isAncestor(third, third), true);
    equal(await store.isAncestor(third, first), false);
    equal(await store.isAncestor(UNKNOWN, third), false);
    equal(await store.isAncestor(first, UNKNOWN), false);
    equal(await store.isAncestor(UNKNOWN, UNKNOWN), false);
  },
};

const stopTests: Record<string, Test> = {
  'does nothing once its signal is aborted': async (harness) => {
    await using store = await harness.open();
    const commit = await write(store, { a: '1' });
    const snapshot = await store.snapshot();
    const reason = new Error('stopped before');
    const options = { signal: AbortSignal.abort(reason) };
    let asked = false;
    const never: ProposedChange = {
      subject: 'x',
      propose: async () => {
        asked = true;
        return proposal([edit('a', '2')]);
      },
    };
    const calls: (() => Promise<unknown>)[] = [
      () => store.write([never], options),
      () => store.snapshot(options),
      () => store.snapshotAt(commit, options),
      () => store.isAncestor(commit, commit, options),
      () => collect(store.log(options)),
      () => snapshot.readFile(path('a'), options),
      () => snapshot.readTree(path('a'), options),
      () => snapshot.listDirectory(null, options),
    ];
    for (const call of calls) await rejects(call, (error) => error === reason);
    equal(asked, false);
    equal((await store.snapshot()).commit, commit);
  },

  'writes nothing when it is stopped while a change is asked': async (harness) => {
    await using store = await harness.open();
    const commit = await write(store, { a: '1' });
    const controller = new AbortController();
    const reason = new Error('stopped during');
    const stopped = store.write(
      [
        put('before', { b: '1' }),
        {
          subject: 'x',
          propose: () => {
            controller.abort(reason);
            // Never answers: the caller must get away all the same.
            return new Promise(() => {});
          },
        },
      ],
      { signal: controller.signal },
    );
    await rejects(stopped, (error) => error === reason);
    equal((await store.snapshot()).commit, commit);
    await write(store, { a: '2' });
    equal(await text(await store.snapshot(), 'a'), '2');
  },
};

const UNKNOWN = '0123456789abcdef0123456789abcdef01234567' as CommitId;

/** Test paths are literals, so every one of them is a path. */
function path(name: string): RepoPath {
  return repoPath(...name.split('/'));
}

function encode(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

function edit(name: string, content: string | null): Edit {
  return { path: path(name), bytes: content === null ? null : encode(content) };
}

interface ProposalParts {
  readonly summary?: string;
  readonly trailers?: readonly Trailer[];
  readonly actor?: Actor;
}

function proposal(edits: readonly Edit[], { summary = 'change', trailers = [], actor }: ProposalParts = {}) {
  return { edits, summary, trailers, actor: actor ?? null };
}

function change(subject: string, edits: readonly Edit[], parts?: ProposalParts): ProposedChange {
  return { subject, propose: async () => proposal(edits, parts) };
}

function put(subject: string, contents: Readonly<Record<string, string | null>>): ProposedChange {
  return change(
    subject,
    Object.entries(contents).map(([name, content]) => edit(name, content)),
  );
}

/** Writes one change that must succeed, and returns its commit. */
async function write(store: StateStore, contents: Readonly<Record<string, string | null>>): Promise<CommitId> {
  const [receipt] = await store.write([put('test', contents)]);
  ok(receipt?.outcome === 'written', `the write was ${receipt?.outcome}`);
  return receipt.commit;
}

async function text(snapshot: Snapshot, name: string): Promise<string | undefined> {
  const bytes = await snapshot.readFile(path(name));
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function files(tree: RepoTree): Record<string, string> {
  return Object.fromEntries([...tree].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]));
}

function outcomes(receipts: readonly Receipt[]): readonly string[] {
  return receipts.map(({ outcome }) => outcome);
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function inspected(harness: StateStoreHarness, names: readonly string[]): Promise<void> {
  if (harness.inspect === undefined) return;
  deepEqual([...(await harness.inspect()).keys()].toSorted(), [...names].toSorted());
}

function failedWith(receipt: Receipt | undefined, code: 'PATH_INVALID' | 'STORE_CONFLICT') {
  ok(receipt?.outcome === 'failed', `${receipt?.subject} was ${receipt?.outcome}`);
  ok(isCaelusError(receipt.error, code), `${receipt.subject} failed with ${receipt.error}`);
  return receipt.error;
}

async function rejectsWith(code: 'STORE_CORRUPT', call: () => Promise<unknown>): Promise<void> {
  await rejects(call, (error) => isCaelusError(error, code));
}
