import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

// Processes that are killed, races, and long random histories, too slow for every test run: `ws:test:git`.
const config: ViteUserConfig = mergeConfig(workspace, defineConfig({ test: { testTimeout: 600_000 } }));
config.test = { ...config.test, include: ['packages/git-store/test/**/*.stress.ts'] };
export default config;
