import { join } from 'node:path';
import { stateStoreContract } from '@caelus/core/testing';
import { describe, it } from 'vitest';
import { remoteHarness } from './remote-harness.ts';

stateStoreContract(
  { describe, it },
  {
    name: 'disk and HTTP remote',
    capabilities: { remote: true, durable: true },
    create: () => remoteHarness((root, index) => ({ directory: join(root, `clone-${index}.git`) })),
  },
);
