import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../src/run.ts';
import type { Testbed } from '../src/testbed.ts';

/** A clone of a repository on the testbed's Git server, made by stock Git over HTTP. */
export interface Checkout extends AsyncDisposable {
  /** Makes these the files of the branch, pushes, and returns the commit's hash. */
  commit(files: Readonly<Record<string, string>>): Promise<string>;
}

export async function checkOut(testbed: Testbed, url: string): Promise<Checkout> {
  const folder = await mkdtemp(join(tmpdir(), 'caelus-testbed-checkout-'));
  const { username, password } = testbed.git;
  const env = {
    ...process.env,
    // In the environment, where no other user can read it as in the arguments.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
    GIT_AUTHOR_NAME: 'Testbed',
    GIT_AUTHOR_EMAIL: 'testbed@example.com',
    GIT_COMMITTER_NAME: 'Testbed',
    GIT_COMMITTER_EMAIL: 'testbed@example.com',
  };
  const git = (...args: string[]) => run('git', args, { cwd: folder, env });
  await git('clone', '--quiet', url, '.');
  return {
    async commit(files) {
      await git('rm', '-r', '--quiet', '--ignore-unmatch', '.');
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
      }
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message=Change');
      await git('push', '--quiet', 'origin', 'HEAD:refs/heads/main');
      return (await git('rev-parse', 'HEAD')).trim();
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}
