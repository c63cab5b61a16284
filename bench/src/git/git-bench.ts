// The Git store beside what people use instead. Each arm and the HTTP server run in processes of their own, on loopback;
// each arm has its own copy of the same repository, and makes durable what it acknowledges.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchResult } from '../bench-result.ts';
import { bundlePrograms } from '../bundle-programs.ts';
import { startProcess } from '../process-calls.ts';
import { benchCommits, growthOfCommits } from './commit-part.ts';
import type { GitHttpServer } from './git-http-server.ts';
import { benchGroups } from './group-part.ts';
import { benchMemory } from './memory-part.ts';
import { createPlace, type Place } from './place.ts';
import { benchPushes } from './push-part.ts';
import { ISOMORPHIC_SIZE } from './rounds.ts';
import type { LayoutName } from './workload.ts';

export const GIT_BENCHES = ['git-commit', 'git-push', 'git-group', 'git-memory'] as const;
export type GitBenchName = (typeof GIT_BENCHES)[number];

export interface GitBenchOptions {
  /** Default: all. */
  readonly names?: readonly GitBenchName[] | undefined;
  /** Instances in the repository. Default 100, 1,000, 10,000 and 50,000; short: 100. */
  readonly sizes?: readonly number[] | undefined;
  /** Default: both. */
  readonly layouts?: readonly LayoutName[] | undefined;
  /** A few rounds of each, to see that everything works. */
  readonly short?: boolean | undefined;
  /** Told what is measured next. Default: silent. */
  readonly progress?: ((line: string) => void) | undefined;
}

const FULL_SIZES = [100, 1000, 10_000, 50_000];
/** Callers at once are measured at the largest size up to this one, memory at the largest of all. */
const GROUP_SIZE = 10_000;

export async function benchGit(options: GitBenchOptions = {}): Promise<readonly BenchResult[]> {
  const { names = GIT_BENCHES, layouts = ['flat', 'sharded'], short = false, progress = () => {} } = options;
  const { sizes = short ? [100] : FULL_SIZES } = options;
  const largest = Math.max(...sizes);
  const groupSize = Math.max(...sizes.filter((size) => size <= GROUP_SIZE));
  const parts: Readonly<Record<GitBenchName, (place: Place) => Promise<readonly BenchResult[]>>> = {
    'git-commit': (place) => benchCommits(place, short),
    'git-push': (place) => benchPushes(place, short),
    'git-group': async (place) => (place.size === groupSize ? benchGroups(place, short) : []),
    'git-memory': async (place) => (place.size === largest ? benchMemory(place, short) : []),
  };

  if (largest > ISOMORPHIC_SIZE)
    progress(`  without isomorphic-git above ${ISOMORPHIC_SIZE} instances, where a commit takes half a minute`);
  const root = await mkdtemp(join(tmpdir(), 'caelus-bench-'));
  try {
    const programs = await bundlePrograms(join(root, 'programs'), {
      arm: new URL('arm-process.ts', import.meta.url),
      server: new URL('git-http-server.ts', import.meta.url),
    });
    await using server = startProcess<GitHttpServer>(programs.server);
    const serverUrl = await server.call('listen', root);
    const results: BenchResult[] = [];
    for (const layout of layouts) {
      for (const size of sizes) {
        await using place = await createPlace({ root, layout, size, programs, server, serverUrl });
        for (const name of GIT_BENCHES) {
          if (!names.includes(name)) continue;
          progress(`  ${name}, ${layout}, ${size} instances`);
          results.push(...(await parts[name](place)));
        }
      }
    }
    return [...results, ...growthOfCommits(results)];
  } finally {
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}
