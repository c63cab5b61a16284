import type { CommitId, Logger } from '@caelus/core';
import { type BranchRef, createBranchRef } from './branch-ref.ts';
import { type GitSigner, signCommit } from './commit-signature.ts';
import type { FileAccess } from './file-access.ts';
import type { GitBackend, GitBackendOptions, GitBranch } from './git-backend.ts';
import { createCommit } from './git-commit.ts';
import type { GitObject } from './git-object.ts';
import { buildTree } from './git-snapshot.ts';
import { createHistory } from './history.ts';
import type { Maintenance } from './maintenance.ts';
import type { ObjectStore } from './object-store.ts';
import { openRepository } from './open-repository.ts';
import type { GitRemote } from './remote/git-remote.ts';
import { createLocalUpstream, createRemoteUpstream } from './remote/upstream.ts';
import { createLocalTagRefs, createRemoteTagRefs } from './tag-refs.ts';

/** The directory of a store, with what every backend keeps in it in the same way. */
export interface StoreDirectory {
  readonly files: FileAccess;
  readonly gitdir: string;
  /** For temporary files of ours; inside the repository, so that a rename is one step. */
  readonly scratch: string;
  readonly logger: Logger;
  /** By the full name. */
  openRef(name: string): BranchRef;
}

/** @throws {CaelusError} `GIT_REPOSITORY_UNSUPPORTED`, `STORE_CORRUPT` */
export async function openDirectory(
  files: FileAccess,
  { gitdir, branch, remote, logger, lockWaitMilliseconds, durability }: GitBackendOptions,
): Promise<StoreDirectory> {
  const scratch = `${gitdir}/caelus`;
  const openRef = (name: string): BranchRef =>
    createBranchRef({ files, gitdir, scratch, name, logger, lockWaitMilliseconds, durability });
  const ref = openRef(`refs/heads/${branch}`);
  const hasBranch = async () => (await ref.read()) !== null;
  await openRepository({ files, gitdir, scratch, branch, remoteUrl: remote?.url, hasBranch });
  // A branch that cannot be read is reported at once, not at the first write.
  await ref.read();
  return { files, gitdir, scratch, logger, openRef };
}

/** What one backend does in another way than the other. */
export interface BackendParts {
  readonly objects: ObjectStore;
  readonly remote: GitRemote | undefined;
  readonly maintenance: Maintenance;
  readonly sign: GitSigner | undefined;
  /** Runs `publish` once a branch may lead to the objects, with those that it has to write itself. */
  store<T>(objects: readonly GitObject[], publish: (unwritten: readonly GitObject[]) => Promise<T>): Promise<T>;
  scan(): Promise<void>;
  close(): Promise<void>;
}

export function composeBackend(
  { files, gitdir, logger, openRef }: StoreDirectory,
  { objects, remote, maintenance, sign, store, scan, close }: BackendParts,
): GitBackend {
  const history = createHistory(files, gitdir, objects);

  function openBranch(name: string): GitBranch {
    const ref = openRef(`refs/heads/${name}`);
    const upstream =
      remote === undefined
        ? createLocalUpstream(ref, objects)
        : createRemoteUpstream({ remote, ref, objects, history, files, gitdir, logger });
    return {
      known: upstream.known,
      refresh: upstream.refresh,
      complete: upstream.complete,

      async commit({ base, expected = base, tree, edits, fields }, signal) {
        await maintenance.room();
        const { root, created } = await buildTree(objects, tree, edits);
        const unsigned = createCommit({ ...fields, tree: root, parent: base });
        // First, because nothing is written where it fails.
        const commit = sign === undefined ? unsigned : await signCommit(unsigned, sign);
        // A commit object's id is one.
        const id = commit.id as CommitId;
        const isPublished = await store([...created, commit], async (unwritten) => {
          signal?.throwIfAborted();
          return upstream.publish(expected, id, unwritten, signal);
        });
        maintenance.afterWrite();
        return isPublished ? id : undefined;
      },
    };
  }

  return {
    durable: files.durable,
    objects,
    history,
    openBranch,
    tagRefs:
      remote === undefined ? createLocalTagRefs({ files, gitdir, objects, openRef }) : createRemoteTagRefs(remote),
    scan,
    consolidate: () => maintenance.run(),

    async close() {
      await maintenance.settled();
      await close();
    },
  };
}
