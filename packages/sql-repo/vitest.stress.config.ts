import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

// Processes that are killed, too slow for every test run: `ws:test:sql`.
const config: ViteUserConfig = mergeConfig(workspace, defineConfig({ test: { testTimeout: 600_000 } }));
config.test = { ...config.test, include: ['packages/sql-repo/test/**/*.stress.ts'] };
export default config;
