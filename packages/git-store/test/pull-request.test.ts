import { join } from 'node:path';
import { type CommitId, type CommitRecord, type StateStore, silentLogger, toTimestamp } from '@caelus/core';
import { type StateStoreHarness, stateStoreContract } from '@caelus/core/testing';
import { createGitStore, type GitStoreOptions, type PullRequest } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeCommits } from '../src/pull-request/pull-request.ts';
import { createPullRequestAnnouncer } from '../src/pull-request/pull-request-announcer.ts';
import { fsck, git, temporaryDirectory, treeOf } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';
import { collect, put, readText, write } from './store-writing.ts';

const TOPIC = 'caelus/changes';
const host = { ensureOpen: async () => {} };

stateStoreContract(
  { describe, it },
  {
    name: 'a topic branch',
    capabilities: { remote: false, durable: true, descends: false },
    async create(): Promise<StateStoreHarness> {
      const root = await temporaryDirectory();
      const directory = join(root.path, 'store.git');
      return {
        open: () => createGitStore({ directory, pullRequest: { host } }),
        inspect: () => treeOf(directory, `refs/heads/${TOPIC}`),
        async [Symbol.asyncDispose]() {
          await fsck(directory);
          await root[Symbol.asyncDispose]();
        },
      };
    },
  },
);

interface Scene {
  /** The repository that has the branches. */
  readonly bare: string;
  /** What the host was asked, oldest first. */
  readonly requests: PullRequest[];
  open(clone?: string, options?: Partial<GitStoreOptions>): Promise<StateStore>;
  tip(branch: string): Promise<string | undefined>;
  /** Merges the topic branch as people would, with stock Git. */
  merge(how: 'merge' | 'fast-forward' | 'squash' | 'rebase', options?: { readonly deletes?: boolean }): Promise<void>;
}

async function scene(kind: 'directory' | 'remote'): Promise<Scene> {
  const root = await temporaryDirectory();
  const bare = join(root.path, 'gitops.git');
  await git(root.path, ['init', '-q', '--bare', '-b', 'main', bare]);
  await using seed = await createGitStore({ directory: bare });
  await write(seed, { 'README.md': 'theirs', 'instances/0': 'zero' });
  const server = await startHttpGitServer(root.path);
  const stores: StateStore[] = [];
  const requests: PullRequest[] = [];
  onTestFinished(async () => {
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()));
    await fsck(bare);
    await server[Symbol.asyncDispose]();
    await root[Symbol.asyncDispose]();
  });
  const inWorkTree = async (body: (directory: string) => Promise<void>) => {
    const work = join(root.path, `work-${Math.random()}`);
    await git(root.path, ['clone', '-q', bare, work]);
    await body(work);
    await git(work, ['push', '-q', 'origin', 'main']);
  };
  return {
    bare,
    requests,
    async open(clone = 'clone', options = {}) {
      const store = await createGitStore({
        ...(kind === 'directory'
          ? { directory: bare }
          : { directory: join(root.path, `${clone}.git`), remote: { url: `${server.url}/gitops.git` } }),
        pullRequest: { host: { ensureOpen: async (request) => void requests.push(request) } },
        ...options,
      });
      stores.push(store);
      return store;
    },
    tip: (branch) =>
      git(bare, ['rev-parse', '--verify', '-q', `refs/heads/${branch}`]).then(
        (text) => text.trim(),
        () => undefined,
      ),
    async merge(how, { deletes = false } = {}) {
      await inWorkTree(async (work) => {
        const topic = `origin/${TOPIC}`;
        if (how === 'merge') await git(work, ['merge', '-q', '--no-ff', '-m', 'Merge', topic]);
        if (how === 'fast-forward') await git(work, ['merge', '-q', '--ff-only', topic]);
        if (how === 'squash') {
          await git(work, ['merge', '-q', '--squash', topic]);
          await git(work, ['commit', '-q', '-m', 'Squashed']);
        }
        if (how === 'rebase') {
          await git(work, ['commit', '-q', '--allow-empty', '-m', 'Something before']);
          await git(work, ['cherry-pick', `main..${topic}`]);
        }
      });
      if (deletes) await git(bare, ['update-ref', '-d', `refs/heads/${TOPIC}`]);
    },
  };
}

async function settled(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(['directory', 'remote'] as const)('a store of a %s that opens pull requests', (kind) => {
  it('writes to the topic branch alone, reads what it wrote, and hands the host what it needs', async () => {
    const { open, tip, requests, bare } = await scene(kind);
    const before = await tip('main');
    const store = await open();
    const first = await write(store, { 'instances/1': 'one' });
    const second = await write(store, { 'instances/2': 'two' });
    if (first.outcome !== 'written' || second.outcome !== 'written') throw new Error('nothing was written');
    expect([await tip('main'), await tip(TOPIC)]).toEqual([before, second.commit]);
    expect(await readText(await store.snapshot(), 'instances/1')).toBe('one');
    expect(await store.isAncestor(first.commit, second.commit)).toBe(true);
    await settled(() => requests.at(-1)?.topic.commit === second.commit);
    expect(requests.at(-1)).toMatchObject({
      remoteUrl: kind === 'remote' ? expect.stringMatching(/^http:.*gitops\.git$/) : null,
      base: { branch: 'main', commit: before },
      topic: { branch: TOPIC, commit: second.commit },
      title: 'change, and 1 more',
      commits: [{ commit: second.commit }, { commit: first.commit }],
    });
    expect((await git(bare, ['rev-list', `main..${TOPIC}`])).trim().split('\n')).toHaveLength(2);
  });

  it.each([
    ['merge', false],
    ['merge', true],
    ['fast-forward', false],
    ['squash', false],
    ['squash', true],
    ['rebase', false],
  ] as const)('begins anew on the branch after a %s (topic branch deleted: %s)', async (how, deletes) => {
    const { open, merge, tip, requests, bare } = await scene(kind);
    const store = await open();
    await write(store, { 'instances/1': 'one', 'instances/0': null });
    await merge(how, { deletes });
    expect(await readText(await store.snapshot(), 'instances/1')).toBe('one');
    expect((await store.snapshot()).commit).toBe(await tip('main'));
    const next = await write(store, { 'instances/2': 'two' });
    if (next.outcome !== 'written') throw new Error('nothing was written');
    // One commit on top of the branch, and nothing that was merged before.
    expect((await git(bare, ['rev-list', '--parents', `main..${TOPIC}`])).trim()).toBe(
      `${next.commit} ${await tip('main')}`,
    );
    await settled(() => requests.at(-1)?.topic.commit === next.commit);
    expect(requests.at(-1)?.commits).toHaveLength(1);
    await write(store, { 'instances/3': 'three' });
    await merge('merge');
    expect([...(await treeOf(bare, 'refs/heads/main')).keys()]).toEqual([
      'README.md',
      'instances/1',
      'instances/2',
      'instances/3',
    ]);
  });

  it('goes on while the branch moves and nothing is merged, and when only a part is', async () => {
    const { open, merge, bare } = await scene(kind);
    const store = await open();
    await write(store, { 'instances/1': 'one', 'instances/2': 'two' });
    await using others = await createGitStore({ directory: bare });
    await write(others, { elsewhere: '1', 'instances/1': 'one' });
    await write(store, { 'instances/3': 'three' });
    expect(await readText(await store.snapshot(), 'instances/2')).toBe('two');
    expect(await readText(await store.snapshot(), 'elsewhere')).toBeUndefined();
    expect((await git(bare, ['rev-list', '--count', `main..${TOPIC}`])).trim()).toBe('2');
    await merge('merge');
    expect(await readText(await store.snapshot(), 'elsewhere')).toBe('1');
  });

  it('goes back to the branch when a request is turned down and its branch deleted', async () => {
    const { open, tip, bare } = await scene(kind);
    const store = await open();
    await write(store, { 'instances/1': 'one' });
    await git(bare, ['update-ref', '-d', `refs/heads/${TOPIC}`]);
    expect((await store.snapshot()).commit).toBe(await tip('main'));
    expect(await readText(await store.snapshot(), 'instances/1')).toBeUndefined();
    await write(store, { 'instances/2': 'two' });
    await write(store, { 'instances/3': 'three' });
    expect((await git(bare, ['rev-list', '--count', `main..${TOPIC}`])).trim()).toBe('2');
    expect(await readText(await store.snapshot(), 'instances/1')).toBeUndefined();
  });

  it('shares the topic branch with others who write it, and a later start finds it open', async () => {
    const { open, requests, tip, bare } = await scene(kind);
    const [one, two] = [await open('one'), await open('two')];
    await Promise.all(
      [one, two].flatMap((store, who) =>
        Array.from({ length: 5 }, (_, index) => store.write([put({ [`instances/${who}-${index}`]: 'x' })])),
      ),
    );
    expect((await (await one.snapshot()).listDirectory(null)).length).toBeGreaterThan(0);
    expect([...(await treeOf(bare, `refs/heads/${TOPIC}`)).keys()].filter((path) => path.includes('-'))).toHaveLength(
      10,
    );
    const topic = await tip(TOPIC);
    await settled(() => requests.at(-1)?.topic.commit === topic);
    requests.length = 0;
    const later = await open('three');
    expect((await later.snapshot()).commit).toBe(topic);
    await settled(() => requests.length === 1);
    expect(requests[0]?.topic.commit).toBe(topic);
    expect((await collect(later.log())).length).toBeGreaterThan(1);
  });

  it('loses nothing to a host that fails', async () => {
    const { open, tip } = await scene(kind);
    const asked: CommitId[] = [];
    const store = await open('clone', {
      pullRequest: {
        topicBranch: 'topic',
        host: {
          async ensureOpen({ topic }) {
            asked.push(topic.commit);
            throw new Error('the service is away');
          },
        },
      },
    });
    const receipt = await write(store, { 'instances/1': 'one' });
    expect(receipt).toMatchObject({ outcome: 'written', commit: await tip('topic') });
    await settled(() => asked.length === 1);
    await store[Symbol.asyncDispose]();
  });
});

it('a topic branch of an empty repository waits for the branch to be there', async () => {
  const fs = createFsFromVolume(new Volume());
  const requests: PullRequest[] = [];
  await using store = await createGitStore({
    directory: '/store.git',
    fs,
    pullRequest: { host: { ensureOpen: async (request) => void requests.push(request) } },
  });
  await write(store, { a: '1' });
  await write(store, { a: '2' });
  expect(await readText(await store.snapshot(), 'a')).toBe('2');
  expect(requests).toEqual([]);
});

it.each<[string, object]>([
  ['no host', {}],
  ['a topic branch that is the branch', { host, topicBranch: 'main' }],
  ['one below the branch', { host, topicBranch: 'main/topic' }],
  ['a name that is no branch', { host, topicBranch: '../x' }],
  ['an option that is not known', { host, other: 1 }],
])('%s is refused', async (_, pullRequest) => {
  const options = { directory: '/store.git', fs: createFsFromVolume(new Volume()), pullRequest } as GitStoreOptions;
  await expect(createGitStore(options)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
});

describe('an announcer', () => {
  const base = 'b'.repeat(40) as CommitId;
  const topics = ['1', '2', '3'].map((digit) => digit.repeat(40) as CommitId);
  const request = async (from: CommitId, topic: CommitId): Promise<PullRequest> => ({
    remoteUrl: null,
    base: { branch: 'main', commit: from },
    topic: { branch: 'topic', commit: topic },
    title: '',
    body: '',
    commits: [],
  });

  it('asks once for each commit, the newest of those that came while it asked, and again after a failure', async () => {
    const asked: CommitId[] = [];
    let release = () => {};
    let fails = false;
    const announcer = createPullRequestAnnouncer({
      logger: silentLogger,
      retryAfter: 0,
      describe: request,
      host: {
        async ensureOpen({ topic }) {
          asked.push(topic.commit);
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          if (fails) throw new Error('away');
        },
      },
    });
    const [one, two, three] = topics as [CommitId, CommitId, CommitId];
    announcer.announce(base, one);
    await settled(() => asked.length === 1);
    announcer.announce(base, two);
    announcer.announce(base, three);
    release();
    await settled(() => asked.length === 2);
    fails = true;
    release();
    await announcer.settled();
    expect(asked).toEqual([one, three]);
    fails = false;
    announcer.announce(base, three);
    await settled(() => asked.length === 3);
    release();
    await announcer.settled();
    announcer.announce(base, three);
    await announcer.settled();
    expect(asked).toEqual([one, three, three]);
  });

  it('waits after a failure', async () => {
    let asked = 0;
    const announcer = createPullRequestAnnouncer({
      logger: silentLogger,
      retryAfter: 3_600_000,
      describe: request,
      host: {
        async ensureOpen() {
          asked += 1;
          throw new Error('away');
        },
      },
    });
    for (const topic of topics) {
      announcer.announce(base, topic);
      await announcer.settled();
    }
    expect(asked).toBe(1);
  });
});

describe('the words of a request', () => {
  const record = (index: number, message = `change ${index}\n\nmore\n`): CommitRecord => ({
    commit: String(index).padStart(40, '0') as CommitId,
    parents: [],
    author: { name: 'Ada', email: 'ada@example.com' },
    committedAt: toTimestamp(new Date(0)),
    message,
    trailers: [],
  });
  const records = (count: number) => Array.from({ length: count }, (_, index) => record(index));

  it('name the newest commit, and how many there are', () => {
    expect([1, 2, 99, 100].map((count) => describeCommits(records(count)).title)).toEqual([
      'change 0',
      'change 0, and 1 more',
      'change 0, and 98 more',
      'change 0, and at least 99 more',
    ]);
  });

  it('have each message as a block, whatever stands in it, and are cut at 60,000 characters', () => {
    const { body } = describeCommits([record(1, 'create @everyone [x](y)\n\n```\n# x\n')]);
    expect(body.split('\n').filter((line) => line !== '' && !line.startsWith('    '))).toEqual([]);
    const long = describeCommits(Array.from({ length: 100 }, (_, index) => record(index, 'x'.repeat(1000))));
    expect(long.body.length).toBeLessThanOrEqual(60_000);
    expect(long.body.length).toBeGreaterThan(58_000);
  });
});
