import { composeBackend, openDirectory } from './compose-backend.ts';
import { createDiskFiles } from './disk-files.ts';
import type { GitFileSystem } from './file-access.ts';
import type { GitBackend, GitBackendOptions } from './git-backend.ts';
import { createInjectedFiles } from './injected-files.ts';
import { createMaintenance } from './maintenance.ts';
import { createObjectStore } from './object-store.ts';
import { consolidatePacks } from './pack/consolidate-packs.ts';
import { createPackDirectory } from './pack/pack-directory.ts';
import { createGitRemote } from './remote/git-remote.ts';

/** Opens the repository with packs, refs and HTTP of our own: on any file system, and without a process beside this one. */
export async function openInProcessBackend(
  options: GitBackendOptions,
  fs: GitFileSystem | undefined,
): Promise<GitBackend> {
  const { gitdir, sign, logger, durability } = options;
  const files = fs === undefined ? createDiskFiles() : createInjectedFiles(fs);
  const directory = await openDirectory(files, options);
  const packs = createPackDirectory(files, gitdir);
  const objects = createObjectStore(files, gitdir, packs, durability);
  const maintenance = createMaintenance({
    countPacks: () => packs.count,
    async consolidate() {
      try {
        await consolidatePacks({ files, packs, scratch: directory.scratch, logger });
      } finally {
        await packs.scan();
      }
    },
    logger,
  });
  const remote =
    options.remote &&
    createGitRemote({
      url: options.remote.url,
      credentials: options.remote.credentials,
      fetch: options.remote.fetch ?? globalThis.fetch,
      timeoutMilliseconds: options.remote.timeoutMilliseconds ?? 60_000,
      logger,
    });

  return composeBackend(directory, {
    objects,
    remote,
    maintenance,
    sign,
    store: (created, publish) => publish(created),
    scan: () => packs.scan(),
    close: () => packs.close(),
  });
}
