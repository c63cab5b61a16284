import { stateStoreContract } from '@caelus/core/testing';
import { createFsFromVolume, Volume } from 'memfs';
import { describe, it } from 'vitest';
import { remoteHarness } from './remote-harness.ts';

stateStoreContract(
  { describe, it },
  {
    name: 'memfs and HTTP remote',
    capabilities: { remote: true, durable: false },
    create: () => remoteHarness(() => ({ directory: '/clone.git', fs: createFsFromVolume(new Volume()) })),
  },
);
