import { isCaelusError, type Logger } from '@caelus/core';
import { composeBackend, openDirectory } from '../compose-backend.ts';
import { createDiskFiles } from '../disk-files.ts';
import type { FileAccess } from '../file-access.ts';
import type { GitBackend, GitBackendOptions } from '../git-backend.ts';
import { unavailable } from '../git-errors.ts';
import { createMaintenance } from '../maintenance.ts';
import { withRefLock } from '../ref-lock.ts';
import { checkGitVersion, createGitProgram, type GitProgram } from './git-program.ts';
import { createNativeObjectStore } from './native-objects.ts';
import { createNativeRemote } from './native-remote.ts';
import { createPackWriter } from './pack-writer.ts';
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
  options: GitBackendOptions,
  { executable, ssh, environment }: NativeBackendOptions,
): Promise<GitBackend> {
  const { gitdir, sign, logger, durability } = options;
  const files = createDiskFiles();
  const directory = await openDirectory(files, options);
  const { scratch } = directory;
  const git = createGitProgram({ executable, gitdir, home: scratch, environment });
  await checkGitVersion(git, executable);
  const writePack = createPackWriter({ git, files, gitdir, durability });
  const objects = createNativeObjectStore({ git, files, gitdir, durability, writePack });
  let written = 0;
  const maintenance = createMaintenance({
    countPacks: () => written,
    consolidate: () => repack({ git, files, gitdir, scratch, logger }),
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

  return composeBackend(directory, {
    objects,
    remote,
    maintenance,

    sign,

    // `git push` sends what lies in the directory, so nothing is left to write.
    store(created, publish) {
      written += 1;
      return writePack(created, () => publish([]));
    },

    // Git looks by itself, when it misses an object.
    async scan() {},

    close: () => objects.close(),
  });
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
