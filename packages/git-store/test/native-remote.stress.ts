import { join } from 'node:path';
import { stateStoreContract } from '@caelus/core/testing';
import { nativeGit } from '@caelus/git-store';
import { describe, it } from 'vitest';
import { remoteHarness } from './remote-harness.ts';
import { remoteScenarios } from './remote-scenarios.ts';

stateStoreContract(
  { describe, it },
  {
    name: 'native git and HTTP remote',
    capabilities: { remote: true, durable: true },
    create: () =>
      remoteHarness((root, index) => ({ directory: join(root, `clone-${index}.git`), transport: nativeGit() })),
  },
);

remoteScenarios(nativeGit());
