import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/** `npm run test:testbed`: a real Kubernetes API and a real Argo CD. The first run builds them. */
const config: ViteUserConfig = defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions: ['@caelus/source'] },
  ssr: { resolve: { conditions: ['@caelus/source'], externalConditions: ['@caelus/source'] } },
  test: {
    include: [
      'testbed/test/*.heavy.test.ts',
      'packages/*/test/testbed/*.heavy.test.ts',
      'tests/testbed/*.heavy.test.ts',
    ],
    setupFiles: ['./tests/fail-on-console.ts'],
    globalSetup: ['./tests/testbed/shared-testbed.ts'],
    // One testbed is enough for two processors.
    fileParallelism: false,
    testTimeout: 240_000,
    hookTimeout: 3_600_000,
  },
});

export default config;
