import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

// Processes that are killed, races, and long random histories, too slow for every test run: `ws:test:git`.
const config: ViteUserConfig = mergeConfig(
  workspace,
  // The tests use both processors by themselves, and measure nothing but time limits.
  defineConfig({ test: { testTimeout: 600_000, fileParallelism: false, maxConcurrency: 2 } }),
);
config.test = { ...config.test, include: ['packages/git-store/test/**/*.stress.ts'] };
export default config;
