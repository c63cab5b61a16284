import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['@caelus/source'] },
  ssr: { resolve: { conditions: ['@caelus/source'], externalConditions: ['@caelus/source'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'tests/**/*.test.ts',
      'examples/*/src/**/*.test.ts',
    ],
    // They need tools beyond Node.js, and have configurations of their own.
    exclude: ['**/node_modules/**', '**/*.heavy.test.ts'],
    setupFiles: ['./tests/fail-on-console.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;
