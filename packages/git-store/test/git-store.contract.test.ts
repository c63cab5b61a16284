import { join } from 'node:path';
import { type StateStoreHarness, stateStoreContract } from '@caelus/core/testing';
import { createGitStore } from '@caelus/git-store';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, it } from 'vitest';
import { fsck, temporaryDirectory, treeOf } from './git-command.ts';

/** Stores in one directory on the disk; every test ends with a clean `git fsck`. */
async function disk(): Promise<StateStoreHarness> {
  const root = await temporaryDirectory();
  const directory = join(root.path, 'store.git');
  return {
    open: () => createGitStore({ directory }),
    inspect: () => treeOf(directory, 'refs/heads/main'),
    async [Symbol.asyncDispose]() {
      await fsck(directory);
      await root[Symbol.asyncDispose]();
    },
  };
}

async function memory(): Promise<StateStoreHarness> {
  const fs = createFsFromVolume(new Volume());
  return { open: () => createGitStore({ directory: '/store.git', fs }), async [Symbol.asyncDispose]() {} };
}

const runner = { describe, it };
stateStoreContract(runner, { name: 'disk', capabilities: { remote: false, durable: true }, create: disk });
stateStoreContract(runner, { name: 'memfs', capabilities: { remote: false, durable: false }, create: memory });
