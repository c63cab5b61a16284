import { spawnSync } from 'node:child_process';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

// What is compared with stock Git needs it. CI always has it, so there nothing is left out.
const againstGit = ['packages/git-store/test/**', 'tests/end-to-end/**', 'tests/git-bench.test.ts'];
const hasGit = process.env.CI !== undefined || spawnSync('git', ['--version']).error === undefined;
if (!hasGit) process.stderr.write(`git is not installed here. Left out: ${againstGit.join(', ')}\n`);

const config: ViteUserConfig = defineConfig({
  resolve: { conditions: ['@caelus/source'] },
  ssr: { resolve: { conditions: ['@caelus/source'], externalConditions: ['@caelus/source'] } },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'tests/**/*.test.ts',
      'examples/*/src/**/*.test.ts',
      'testbed/src/**/*.test.ts',
    ],
    // They need tools beyond Node.js, and have configurations of their own.
    exclude: ['**/node_modules/**', '**/*.heavy.test.ts', ...(hasGit ? [] : againstGit)],
    setupFiles: ['./tests/fail-on-console.ts'],
    // Vitest would leave one of two processors idle.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

export default config;
