import { type CommitId, isCaelusError, type Logger } from '@caelus/core';
import { type BranchRef, createBranchRef } from '../branch-ref.ts';
import { type GitSigner, signCommit } from '../commit-signature.ts';
import { createDiskFiles } from '../disk-files.ts';
import type { FileAccess } from '../file-access.ts';
import type { CommitRequest, GitBackend, GitBackendOptions, GitBranch } from '../git-backend.ts';
import { createCommit } from '../git-commit.ts';
import { unavailable } from '../git-errors.ts';
import type { GitObject } from '../git-object.ts';
import { buildTree } from '../git-snapshot.ts';
import { createHistory } from '../history.ts';
import { createMaintenance } from '../maintenance.ts';
import { openRepository } from '../open-repository.ts';
import { withRefLock } from '../ref-lock.ts';
import type { GitRemote } from '../remote/git-remote.ts';
import { createLocalUpstream, createRemoteUpstream } from '../remote/upstream.ts';
import { createLocalTagRefs, createRemoteTagRefs, type TagRefs } from '../tag-refs.ts';
import { checkGitVersion, createGitProgram, type GitProgram } from './git-program.ts';
import { createImporter } from './importer.ts';
import { createNativeObjectStore, type NativeObjectStore } from './native-objects.ts';
import { createNativeRemote } from './native-remote.ts';
import { PlumbingError } from './plumbing.ts';
import type { NativeGitSshOptions } from './ssh-command.ts';

const REPACKS = 3;

export interface NativeBackendOptions {
  readonly executable: string;
  readonly ssh: NativeGitSshOptions | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Opens the repository with the git binary for objects, packs and remotes. Refs stay ours, under Git's own lock protocol: so a
 * lock that a killed process has left is recognised here as in a store without the binary.
 */
export async function openNativeBackend(
  { gitdir, branch, sign, logger, lockWaitMilliseconds, durability, ...options }: GitBackendOptions,
  { executable, ssh, environment }: NativeBackendOptions,
): Promise<GitBackend> {
  const files = createDiskFiles();
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
  await main.read();
  const git = createGitProgram({ executable, gitdir, home: scratch, environment });
  await checkGitVersion(git, executable);

  const objects = createNativeObjectStore({ git, files, gitdir, durability });
  const history = createHistory(files, gitdir, objects);
  const importer = createImporter({ git, files, gitdir, scratch, isDurable: durability === 'strict' });
  let written = 0;
  const maintenance = createMaintenance({
    countPacks: () => written,
    async consolidate() {
      await repack({ git, files, gitdir, scratch, logger });
      importer.renew();
    },
    logger,
  });
  const remote =
    options.remote &&
    createNativeRemote({
      git,
      gitdir,
      url: options.remote.url,
      credentials: options.remote.credentials,
      ssh,
      timeoutMilliseconds: options.remote.timeoutMilliseconds ?? 60_000,
      logger,
    });

  async function signedCommit({ base, tree, edits, fields }: CommitRequest, signer: GitSigner): Promise<GitObject> {
    const { root } = await buildTree(objects, tree, edits);
    return signCommit(createCommit({ ...fields, tree: root, parent: base }), signer);
  }

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
        // Git signs only with keys of its own, so the commit is made as without it. First, because nothing is written where
        // it fails.
        const signed = sign && (await signedCommit({ base, tree, edits, fields }, sign));
        const published = await importer
          .write({ base, edits, fields }, async (imported) => {
            if (signed !== undefined) await objects.writeLoose([signed]);
            signal?.throwIfAborted();
            const id = signed === undefined ? imported : (signed.id as CommitId);
            return (await upstream.publish(expected, id, [], signal)) ? id : undefined;
          })
          .catch((error: unknown) => {
            throw error instanceof PlumbingError
              ? unavailable(gitdir, 'git fast-import ends before it has written the commit.', error)
              : error;
          });
        written += 1;
        maintenance.afterWrite();
        return published;
      },
    };
  }

  return {
    durable: files.durable,
    objects,
    history,
    openBranch,
    tagRefs:
      remote === undefined ? createLocalTagRefs({ files, gitdir, objects, openRef }) : nativeTagRefs(remote, objects),
    // Git looks by itself, when it misses an object.
    async scan() {},
    consolidate: () => maintenance.run(),

    async close() {
      await maintenance.settled();
      await Promise.all([importer.end(), objects.close()]);
    },
  };
}

/** What `git push` sends has to lie in the directory. */
function nativeTagRefs(remote: GitRemote, objects: NativeObjectStore): TagRefs {
  const refs = createRemoteTagRefs(remote);
  return {
    ...refs,
    async create(name, id, created, signal) {
      await objects.writeLoose(created);
      return refs.create(name, id, created, signal);
    },
  };
}

interface RepackOptions {
  readonly git: GitProgram;
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly scratch: string;
  readonly logger: Logger;
}

/** Folds small packs into larger ones, beside stores that fold them in their own way. */
async function repack({ git, files, gitdir, scratch, logger }: RepackOptions): Promise<void> {
  const lock = { files, path: `${scratch}/lock-consolidation`, scratch, logger, waitMilliseconds: 0 };
  try {
    await withRefLock(lock, async () => {
      for (let attempt = 1; ; attempt += 1) {
        const { code } = await git.run(['repack', '-d', '-q', '-n', '--geometric=2']);
        if (code === 0) return;
        // It gives up where packs go away under it, when somebody else cleans up.
        if (attempt === REPACKS)
          throw unavailable(gitdir, 'git repack fails; git fsck tells whether a pack is damaged.');
      }
    });
  } catch (error) {
    if (!isCaelusError(error, 'GIT_REF_LOCKED')) throw error;
  }
}
