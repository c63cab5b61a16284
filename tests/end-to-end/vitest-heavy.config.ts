import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import shared from '../../vitest.config.ts';

/** `ws:test:hosts`: the same proofs many times over, and at full size. `CAELUS_CRASH_FACTOR` says how many times. */
const config: ViteUserConfig = mergeConfig(
  { resolve: shared.resolve, ssr: shared.ssr } as ViteUserConfig,
  defineConfig({
    root: fileURLToPath(new URL('../..', import.meta.url)),
    test: {
      include: ['tests/end-to-end/{crash,large}.test.ts', 'tests/**/*.heavy.test.ts'],
      exclude: ['**/node_modules/**', 'tests/testbed/**'],
      setupFiles: ['./tests/fail-on-console.ts'],
      globalSetup: ['./packages/sql-repo/test/postgres-setup.ts'],
      env: { CAELUS_CRASH_FACTOR: process.env.CAELUS_CRASH_FACTOR ?? '3' },
      testTimeout: 300_000,
    },
  }),
);

export default config;
