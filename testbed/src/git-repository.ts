import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from './bed.ts';
import { run } from './run.ts';
import { bedOf } from './testbed.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** An empty bare repository on the testbed's Git server, with the branch `main`; one that is there already stays. */
export async function createRepository(repository: string, name?: string): Promise<{ readonly url: string }> {
  if (!NAME.test(repository)) throw new Error('The name of a repository has 1 to 63 characters of a-z, 0-9 and -.');
  const bed = await bedOf(name);
  const folder = join(paths(bed).git, `${repository}.git`);
  if (!existsSync(folder)) {
    await run('git', ['init', '--bare', '--quiet', '--initial-branch=main', folder]);
    await run('git', ['-C', folder, 'config', 'http.receivepack', 'true']);
    // A thin client may ask for a commit by its hash, as hosting services let it.
    await run('git', ['-C', folder, 'config', 'uploadpack.allowAnySHA1InWant', 'true']);
  }
  return { url: `http://127.0.0.1:${bed.ports['git-server']}/${repository}.git` };
}
