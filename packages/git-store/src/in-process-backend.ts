import type { CommitId } from '@caelus/core';
import { type BranchRef, createBranchRef } from './branch-ref.ts';
import { signCommit } from './commit-signature.ts';
import { createDiskFiles } from './disk-files.ts';
import type { GitFileSystem } from './file-access.ts';
import type { GitBackend, GitBackendOptions, GitBranch } from './git-backend.ts';
import { createCommit } from './git-commit.ts';
import { buildTree } from './git-snapshot.ts';
import { createHistory } from './history.ts';
import { createInjectedFiles } from './injected-files.ts';
import { createMaintenance } from './maintenance.ts';
import { createObjectStore } from './object-store.ts';
import { openRepository } from './open-repository.ts';
import { consolidatePacks } from './pack/consolidate-packs.ts';
import { createPackDirectory } from './pack/pack-directory.ts';
import { createGitRemote } from './remote/git-remote.ts';
import { createLocalUpstream, createRemoteUpstream } from './remote/upstream.ts';
import { createLocalTagRefs, createRemoteTagRefs } from './tag-refs.ts';

/** Opens the repository with packs, refs and HTTP of our own: on any file system, and without a process beside this one. */
export async function openInProcessBackend(
  { gitdir, branch, sign, logger, lockWaitMilliseconds, durability, ...options }: GitBackendOptions,
  fs: GitFileSystem | undefined,
): Promise<GitBackend> {
  const files = fs === undefined ? createDiskFiles() : createInjectedFiles(fs);
  const scratch = `${gitdir}/caelus`;
  const openRef = (name: string): BranchRef =>
    createBranchRef({ files, gitdir, scratch, name, logger, lockWaitMilliseconds, durability });
  const main = openRef(`refs/heads/${branch}`);
  await openRepository({
    files,
    gitdir,
    scratch,
    branch,
    remoteUrl: options.remote?.url,
    hasBranch: async () => (await main.read()) !== null,
  });
  // A branch that cannot be read is reported at once, not at the first write.
  await main.read();

  const packs = createPackDirectory(files, gitdir);
  const objects = createObjectStore(files, gitdir, packs, durability);
  const maintenance = createMaintenance({
    countPacks: () => packs.count,
    async consolidate() {
      try {
        await consolidatePacks({ files, packs, scratch, logger });
      } finally {
        await packs.scan();
      }
    },
    logger,
  });
  const history = createHistory(files, gitdir, objects);
  const remote =
    options.remote &&
    createGitRemote({
      url: options.remote.url,
      credentials: options.remote.credentials,
      fetch: options.remote.fetch ?? globalThis.fetch,
      timeoutMilliseconds: options.remote.timeoutMilliseconds ?? 60_000,
      logger,
    });
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
        const { root, created } = await buildTree(objects, tree, edits);
        const unsigned = createCommit({ ...fields, tree: root, parent: base });
        const commit = sign === undefined ? unsigned : await signCommit(unsigned, sign);
        signal?.throwIfAborted();
        // A commit object's id is one.
        const id = commit.id as CommitId;
        const published = await upstream.publish(expected, id, [...created, commit], signal);
        maintenance.afterWrite();
        return published ? id : undefined;
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
    scan: () => packs.scan(),

    consolidate: () => maintenance.run(),

    async close() {
      await maintenance.settled();
      await packs.close();
    },
  };
}
