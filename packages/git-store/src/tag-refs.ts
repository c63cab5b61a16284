import { type CommitId, parseCommitId } from '@caelus/core';
import type { BranchRef } from './branch-ref.ts';
import type { FileAccess } from './file-access.ts';
import { corrupt } from './git-errors.ts';
import type { GitObject } from './git-object.ts';
import type { ObjectStore } from './object-store.ts';
import { encodeObjects } from './pack/encode-pack.ts';
import type { GitRemote, PushOutcome } from './remote/git-remote.ts';

/** A name for a commit that never moves: a release. */
export interface Tag {
  readonly name: string;
  /** What the tag leads to. */
  readonly commit: CommitId;
  /** Whether it is an object of its own, with a message, a tagger and a date. */
  readonly annotated: boolean;
}

/** Where tags are decided: the directory itself, or the remote that it is a cache of. */
export interface TagRefs {
  /** The remote's URL, or the directory. */
  readonly place: string;
  list(signal: AbortSignal | undefined): Promise<readonly Tag[]>;
  /** Makes a tag that must not be there yet, of the last one of `created`, or of a commit that is there. */
  create(
    name: string,
    id: CommitId,
    created: readonly GitObject[],
    signal: AbortSignal | undefined,
  ): Promise<PushOutcome>;
}

const PREFIX = 'refs/tags/';
const PEELED = '^{}';
/** Tags of tags. */
const MOST_STEPS = 10;

export function createLocalTagRefs({
  files,
  gitdir,
  objects,
  openRef,
}: {
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly objects: ObjectStore;
  openRef(name: string): BranchRef;
}): TagRefs {
  /** `undefined` for what leads to no commit: a tag of a tree or a blob. */
  async function peel(id: string): Promise<CommitId | undefined> {
    let at = id;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const object = await objects.find(at);
      if (object === undefined) throw corrupt(at, `The object ${at} of a tag is not in the repository. Run git fsck.`);
      if (object.type === 'commit') return at as CommitId;
      const target = /^object ([0-9a-f]{40})\n/.exec(object.content.toString('latin1', 0, 64))?.[1];
      if (object.type !== 'tag' || target === undefined) return undefined;
      at = target;
    }
    return undefined;
  }

  async function looseRefs(directory: string): Promise<readonly string[]> {
    const found = (await files.list(`${gitdir}/${directory}`)).map(async (name) => {
      // Somebody's lock file lies beside the refs.
      if (name.endsWith('.lock')) return [];
      const below = await looseRefs(`${directory}/${name}`);
      return below.length === 0 ? [`${directory}/${name}`] : below;
    });
    return (await Promise.all(found)).flat();
  }

  async function packedRefs(): Promise<ReadonlyMap<string, string>> {
    const lines = (await files.read(`${gitdir}/packed-refs`))?.toString('utf8').split('\n') ?? [];
    const refs = lines.filter((line) => /^[0-9a-f]{40} /.test(line));
    return new Map(refs.map((line) => [line.slice(41), line.slice(0, 40)]));
  }

  return {
    place: gitdir,

    async list(signal) {
      const tags: Tag[] = [];
      // In this order: a ref that is packed meanwhile is found in one of the two.
      const loose = new Set(await looseRefs(PREFIX.slice(0, -1)));
      const packed = await packedRefs();
      for (const ref of new Set([...loose, ...packed.keys()])) {
        if (!ref.startsWith(PREFIX)) continue;
        signal?.throwIfAborted();
        const id = loose.has(ref) ? await openRef(ref).read() : packed.get(ref);
        const commit = id == null ? undefined : await peel(id);
        if (commit !== undefined) tags.push({ name: ref.slice(PREFIX.length), commit, annotated: commit !== id });
      }
      return tags;
    },

    async create(name, id, created, signal) {
      const make = () => openRef(`${PREFIX}${name}`).move(null, id, signal);
      const isMade =
        created.length === 0 ? await make() : await objects.write(created, await encodeObjects(created), make);
      return isMade
        ? { outcome: 'accepted' }
        : { outcome: 'rejected', reason: 'reference already exists', isUnread: false };
    },
  };
}

export function createRemoteTagRefs(remote: GitRemote): TagRefs {
  return {
    place: remote.url,

    async list(signal) {
      const refs = await remote.refs(signal);
      const names = [...refs.keys()].filter((ref) => ref.startsWith(PREFIX) && !ref.endsWith(PEELED));
      return names.map((ref) => {
        const peeled = refs.get(`${ref}${PEELED}`);
        return {
          name: ref.slice(PREFIX.length),
          commit: parseCommitId(peeled ?? refs.get(ref)),
          annotated: peeled !== undefined,
        };
      });
    },

    async create(name, id, created, signal) {
      const pack = Buffer.concat((await encodeObjects(created)).pack);
      return remote.push({ ref: `${PREFIX}${name}`, expected: null, next: id, pack }, signal);
    },
  };
}
