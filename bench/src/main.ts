// Runs the benchmarks whose names contain one of the words that are given (all without any, but for `argocd`, which has to be asked
// for: it needs Go and most of an hour), prints a table, and writes the results to bench/results/ as JSON. `--short` measures small
// sizes only, to see that everything works; `--sizes=100,1000` gives the sizes of the repositories that `git` and `argocd` measure.
import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ARGOCD_BENCHES, benchArgoCd } from './argocd/argocd-bench.ts';
import type { BenchResult } from './bench-result.ts';
import { benchGit, GIT_BENCHES } from './git/git-bench.ts';
import { benchSql, SQL_BENCHES } from './sql/sql-bench.ts';

interface BenchSettings {
  readonly short: boolean;
  readonly sizes: readonly number[] | undefined;
}

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isWanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word));

// Another benchmark is one more entry here.
const benches: readonly {
  readonly names: readonly string[];
  readonly run: (settings: BenchSettings) => Promise<readonly BenchResult[]>;
}[] = [
  {
    names: GIT_BENCHES,
    run: (settings) => benchGit({ ...settings, names: GIT_BENCHES.filter(isWanted), progress: console.error }),
  },
  {
    names: SQL_BENCHES,
    run: ({ short }) => benchSql({ short, names: SQL_BENCHES.filter(isWanted), progress: console.error }),
  },
  {
    names: words.length === 0 ? [] : ARGOCD_BENCHES,
    run: (settings) => benchArgoCd({ ...settings, names: ARGOCD_BENCHES.filter(isWanted), progress: console.error }),
  },
  {
    names: ['render'],
    run: async ({ short }) => {
      const { benchRender } = await import('./render-bench.ts');
      return benchRender(short ? { instances: 500, runs: 3 } : {});
    },
  },
  {
    names: ['values'],
    run: async ({ short }) => {
      const { benchValues } = await import('./values-bench.ts');
      return benchValues(short ? 3 : undefined);
    },
  },
];

function parseSizes(): readonly number[] | undefined {
  const given = process.argv.find((word) => word.startsWith('--sizes='))?.slice('--sizes='.length);
  const sizes = given?.split(',').map(Number);
  if (sizes?.some((size) => !Number.isInteger(size) || size < 1))
    throw new Error('--sizes takes whole numbers from 1 on');
  return sizes;
}

const settings: BenchSettings = { short: process.argv.includes('--short'), sizes: parseSizes() };
const results: BenchResult[] = [];
for (const { names, run } of benches) {
  const wanted = names.filter(isWanted);
  if (wanted.length === 0) continue;
  console.error(`running ${wanted.join(', ')} …`);
  results.push(...(await run(settings)));
}

const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
console.table(
  results.map(({ work, against, unit, median, againstMedian, ratio, target, runs, parameters }) => ({
    work,
    parameters: Object.entries(parameters)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    median: `${number(median)} ${unit}`,
    against: against ?? '',
    'its median': againstMedian === null ? '' : `${number(againstMedian)} ${unit}`,
    ratio: ratio === null ? '' : `${number(ratio)}x`,
    target: target === null ? '' : `${target.text}: ${target.reached ? 'reached' : 'NOT reached'}`,
    runs,
  })),
);

const directory = fileURLToPath(new URL('../results/', import.meta.url));
await mkdir(directory, { recursive: true });
const file = `${directory}${new Date().toISOString().replaceAll(':', '-')}.json`;
const machine = {
  node: process.version,
  platform: platform(),
  arch: arch(),
  cpus: cpus().length,
  cpu: cpus()[0]?.model ?? '',
};
await writeFile(file, `${JSON.stringify({ machine, results }, null, 2)}\n`);
console.error(`written to ${file}`);
