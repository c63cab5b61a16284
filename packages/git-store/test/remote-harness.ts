import { join } from 'node:path';
import type { StateStoreHarness } from '@caelus/core/testing';
import { createGitStore, type GitStoreOptions } from '@caelus/git-store';
import { fsck, temporaryDirectory, treeOf } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';

/** Stores with a clone each, of one remote behind HTTP that wants a token. Every clone on the disk ends with a clean fsck. */
export async function remoteHarness(
  clone: (root: string, index: number) => Pick<GitStoreOptions, 'directory' | 'fs' | 'transport'>,
): Promise<StateStoreHarness> {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'remote.git');
  await (await createGitStore({ directory }))[Symbol.asyncDispose]();
  const server = await startHttpGitServer(root.path);
  const expected = `Basic ${Buffer.from('x-access-token:secret-token').toString('base64')}`;
  server.intercept = (request, response) => {
    if (request.headers.authorization === expected) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    return true;
  };
  const onDisk: string[] = [];
  let opened = 0;
  return {
    open() {
      const options = clone(root.path, opened);
      opened += 1;
      if (options.fs === undefined) onDisk.push(options.directory);
      return createGitStore({
        ...options,
        remote: { url: `${server.url}/remote.git`, credentials: () => ({ token: 'secret-token' }) },
      });
    },
    inspect: () => treeOf(directory, 'refs/heads/main'),
    async [Symbol.asyncDispose]() {
      await Promise.all(onDisk.map(fsck));
      await server[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}
