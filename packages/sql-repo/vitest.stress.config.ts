import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig, type ViteUserConfig } from 'vitest/config';
import workspace from '../../vitest.config.ts';

// Processes that are killed, and a PostgreSQL server: too slow for every test run. `ws:test:sql` runs them.
const config: ViteUserConfig = mergeConfig(
  workspace,
  defineConfig({
    test: { testTimeout: 600_000, globalSetup: fileURLToPath(new URL('./test/postgres-setup.ts', import.meta.url)) },
  }),
);
config.test = {
  ...config.test,
  include: ['packages/sql-repo/test/**/*.stress.ts'],
  // Events wait for the oldest transaction of the whole server, so a file would wait for another one's.
  fileParallelism: false,
};
export default config;
