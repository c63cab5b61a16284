import type { Durability, FileAccess } from '../file-access.ts';
import { unavailable } from '../git-errors.ts';
import type { GitObject } from '../git-object.ts';
import { encodeObjects } from '../pack/encode-pack.ts';
import { KEEP_MARK } from '../pack/pack-directory.ts';
import type { GitProgram } from './git-program.ts';

export interface PackWriterOptions {
  readonly git: GitProgram;
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly durability: Durability;
}

/**
 * Has `git index-pack` check a pack of these objects and put it into the repository durably, then runs `body`, which makes a
 * branch lead to them. Until that is done, a mark keeps garbage collection from the pack.
 */
export type PackWriter = <T>(objects: readonly GitObject[], body: () => Promise<T>) => Promise<T>;

export function createPackWriter({ git, files, gitdir, durability }: PackWriterOptions): PackWriter {
  const directory = `${gitdir}/objects/pack`;
  const isDurable = durability === 'strict';

  return async (objects, body) => {
    if (objects.length === 0) return body();
    const { name, pack } = await encodeObjects(objects);
    const { code } = await git.run(['index-pack', '--stdin', `--keep=${KEEP_MARK.toString('utf8').trimEnd()}`], {
      input: Buffer.concat(pack),
      config: [['core.fsync', isDurable ? 'all' : 'none']],
    });
    if (code !== 0) throw unavailable(gitdir, 'git index-pack ends before it has written the pack.');
    try {
      if (isDurable) await files.syncDirectories([directory]);
      return await body();
    } finally {
      await files.remove(`${directory}/${name}.keep`);
    }
  };
}
