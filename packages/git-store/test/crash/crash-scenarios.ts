import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommitId, parseCommitId, type Receipt } from '@caelus/core';
import { createGitStore, type GitStore } from '@caelus/git-store';
import { put } from '../store-writing.ts';

/** A directory below refs/ of its own, which Git removes when it packs the refs. */
export const BRANCH = 'gitops/main';

export interface Place {
  readonly root: string;
  /** The store's repository. */
  readonly directory: string;
  /** What the server serves at `url`. */
  readonly remoteDirectory: string;
  /** Where there is a remote. */
  readonly url: string | undefined;
}

/** What a process does while it is killed at each of its calls. */
export interface CrashScenario {
  readonly name: string;
  readonly hasRemote: boolean;
  /** The most commits that it makes. */
  readonly commits: number;
  /** That it makes after the commits, by name. */
  readonly tags?: readonly string[];
  prepare(place: Place): Promise<void>;
  /** Says what it was told is done: a commit's id, or the full name of a tag. */
  work(place: Place, acknowledge: (done: string) => void): Promise<void>;
}

export function open({ directory, url }: Place, directoryOf?: string): Promise<GitStore> {
  return createGitStore({
    directory: directoryOf ?? directory,
    branch: BRANCH,
    // Less than a stale lock would take.
    lockWaitMilliseconds: 500,
    remote: url === undefined ? undefined : { url },
    sign: async () => '-----BEGIN SSH SIGNATURE-----\nVGhpcyBpcyBub25l\n-----END SSH SIGNATURE-----\n',
  });
}

/** One change of two files in two directories: never is there one without the other. */
export async function writePair(store: GitStore, name: string, text: string): Promise<CommitId> {
  const [receipt] = await store.write([put({ [`left/${name}`]: text, [`right/${name}`]: text })]);
  return commitOf(receipt);
}

function commitOf(receipt: Receipt | undefined): CommitId {
  if (receipt?.outcome === 'failed') throw receipt.error;
  if (receipt?.outcome !== 'written') throw new Error('nothing was written');
  return receipt.commit;
}

async function fill(place: Place, commits: number, directory?: string): Promise<CommitId[]> {
  await using store = await open(place, directory);
  const made: CommitId[] = [];
  for (let index = 0; index < commits; index += 1)
    made.push(await writePair(store, `old-${index % 3}`, `${index} of ${commits}`));
  return made;
}

const other = ({ root }: Place) => join(root, 'other.git');

const writeOnce: CrashScenario['work'] = async (place, acknowledge) => {
  await using store = await open(place);
  acknowledge(await writePair(store, 'old-1', 'once'));
};

export const CRASH_SCENARIOS: readonly CrashScenario[] = [
  {
    name: 'a new repository and its first commit',
    hasRemote: false,
    commits: 1,
    prepare: async () => {},
    work: writeOnce,
  },
  {
    name: 'two commits on a history',
    hasRemote: false,
    commits: 2,
    prepare: async (place) => void (await fill(place, 4)),
    async work(place, acknowledge) {
      await using store = await open(place);
      // What is not small is written in another way.
      for (const bytes of [20, 100_000]) {
        acknowledge(await writePair(store, 'old-1', randomBytes(bytes).toString('base64')));
      }
    },
  },
  {
    name: 'callers that share commits',
    hasRemote: false,
    commits: 3,
    prepare: async (place) => void (await fill(place, 2)),
    async work(place, acknowledge) {
      await using store = await open(place);
      // The first one alone, the next ones together, the last one after the one that it gets in the way of.
      const names = ['new-0', 'new-1', 'new-2', 'new-3', 'old-1', 'old-1'];
      await Promise.all(names.map(async (name, index) => acknowledge(await writePair(store, name, `caller ${index}`))));
    },
  },
  {
    name: 'a commit before packs are folded, and one after',
    hasRemote: false,
    commits: 2,
    prepare: async (place) => void (await fill(place, 5)),
    async work(place, acknowledge) {
      await using store = await open(place);
      acknowledge(await writePair(store, 'new', '1'));
      await store.consolidate();
      acknowledge(await writePair(store, 'new', '2'));
    },
  },
  {
    name: 'tags of a signed commit',
    hasRemote: false,
    commits: 1,
    tags: ['release/v1', 'plain'],
    prepare: async (place) => void (await fill(place, 1)),
    async work(place, acknowledge) {
      await using store = await open(place);
      const commit = await writePair(store, 'new', '1');
      acknowledge(commit);
      await store.createTag({ name: 'release/v1', commit, message: 'The first one' });
      acknowledge('refs/tags/release/v1');
      await store.createTag({ name: 'plain', commit });
      acknowledge('refs/tags/plain');
    },
  },
  {
    name: 'a push, and a tag on the remote',
    hasRemote: true,
    commits: 1,
    tags: ['release/v1'],
    prepare: async (place) => void (await fill(place, 2)),
    async work(place, acknowledge) {
      await using store = await open(place);
      const commit = await writePair(store, 'new', '1');
      acknowledge(commit);
      await store.createTag({ name: 'release/v1', commit, message: 'The first one' });
      acknowledge('refs/tags/release/v1');
    },
  },
  {
    name: 'the first contact with a remote',
    hasRemote: true,
    commits: 1,
    prepare: async (place) => void (await fill(place, 3, other(place))),
    work: writeOnce,
  },
  {
    name: 'a lost race, and a fetch of what won it',
    hasRemote: true,
    commits: 1,
    async prepare(place) {
      await fill(place, 2);
      await fill(place, 5, other(place));
    },
    work: writeOnce,
  },
  {
    name: 'the rest of a history that was left out at first',
    hasRemote: true,
    commits: 1,
    async prepare(place) {
      const [first = ''] = await fill(place, 4, other(place));
      await writeFile(join(place.root, 'first'), first);
      await fill(place, 1);
    },
    async work(place, acknowledge) {
      const first = parseCommitId(await readFile(join(place.root, 'first'), 'utf8'));
      await using store = await open(place);
      const tip = (await store.snapshot()).commit;
      if (tip === null || !(await store.isAncestor(first, tip))) throw new Error('the history is not whole');
      acknowledge(await writePair(store, 'new', '1'));
    },
  },
];
