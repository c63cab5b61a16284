import { join } from 'node:path';
import { type StateStoreHarness, stateStoreContract } from '@caelus/core/testing';
import { createGitStore, type GitFileSystem, type GitStoreOptions } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, it } from 'vitest';
import { fsck, git, temporaryDirectory, treeOf } from './git-command.ts';
import { startHttpGitServer } from './http-git-server.ts';

const runner = { describe, it };
const REF = 'refs/heads/main';

/** Stores in one directory on the disk; every test ends with a clean `git fsck`. */
async function disk(): Promise<StateStoreHarness> {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  return {
    open: () => createGitStore({ directory }),
    inspect: () => treeOf(directory, REF),
    async [Symbol.asyncDispose]() {
      await fsck(directory);
      await git(directory, ['log', '--format=%H %an %s%n%(trailers)', '--all']);
      await root[Symbol.asyncDispose]();
    },
  };
}

function memoryFileSystem(): GitFileSystem {
  return createFsFromVolume(new Volume());
}

async function memory(): Promise<StateStoreHarness> {
  const fs = memoryFileSystem();
  return { open: () => createGitStore({ directory: '/store.git', fs }), async [Symbol.asyncDispose]() {} };
}

/** Stores with a clone each, of one remote behind HTTP that wants a password. */
function remote(clone: (root: string, index: number) => Pick<GitStoreOptions, 'directory' | 'fs'>) {
  return async (): Promise<StateStoreHarness> => {
    const root = await temporaryDirectory();
    const directory = join(root.path, 'remote.git');
    await git(root.path, ['init', '-q', '--bare', '-b', 'main', directory]);
    const server = await startHttpGitServer(root.path);
    server.intercept = (request, response) => {
      const expected = `Basic ${Buffer.from('x-access-token:secret-token').toString('base64')}`;
      if (request.headers.authorization === expected) return false;
      response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
      return true;
    };
    const clones: string[] = [];
    return {
      open() {
        const options = clone(root.path, clones.length);
        clones.push(options.fs === undefined ? options.directory : '');
        return createGitStore({
          ...options,
          remote: { url: `${server.url}/remote.git`, credentials: () => ({ token: 'secret-token' }) },
        });
      },
      inspect: () => treeOf(directory, REF),
      async [Symbol.asyncDispose]() {
        for (const path of [directory, ...clones.filter(Boolean)]) await fsck(path);
        await server[Symbol.asyncDispose]();
        await root[Symbol.asyncDispose]();
      },
    };
  };
}

stateStoreContract(runner, { name: 'disk', capabilities: { remote: false, durable: true }, create: disk });
stateStoreContract(runner, { name: 'memfs', capabilities: { remote: false, durable: false }, create: memory });
stateStoreContract(runner, {
  name: 'disk and HTTP remote',
  capabilities: { remote: true, durable: true },
  create: remote((root, index) => ({ directory: join(root, `clone-${index}.git`) })),
});
stateStoreContract(runner, {
  name: 'memfs and HTTP remote',
  capabilities: { remote: true, durable: false },
  create: remote(() => ({ directory: '/clone.git', fs: memoryFileSystem() })),
});
