import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import shared from '../../vitest.config.ts';

/** Tests with the real helm and kustomize, which Go builds the first time. */
const config: ViteUserConfig = mergeConfig(
  { resolve: shared.resolve, ssr: shared.ssr } as ViteUserConfig,
  defineConfig({
    test: {
      include: ['packages/core/test/heavy/*.heavy.test.ts'],
      setupFiles: ['./tests/fail-on-console.ts'],
      // Both files would build the same programs at once.
      fileParallelism: false,
      testTimeout: 120_000,
    },
  }),
);

export default config;
