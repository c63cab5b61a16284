import { join } from 'node:path';
import { stateStoreContract } from '@caelus/core/testing';
import { createGitStore, nativeGit } from '@caelus/git-store';
import { describe, it } from 'vitest';
import { fsck, temporaryDirectory, treeOf } from './git-command.ts';

stateStoreContract(
  { describe, it },
  {
    name: 'native git',
    capabilities: { remote: false, durable: true },
    async create() {
      const root = await temporaryDirectory();
      const directory = join(root.path, 'store.git');
      return {
        open: () => createGitStore({ directory, transport: nativeGit() }),
        inspect: () => treeOf(directory, 'refs/heads/main'),
        async [Symbol.asyncDispose]() {
          await fsck(directory);
          await root[Symbol.asyncDispose]();
        },
      };
    },
  },
);
