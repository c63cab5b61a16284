// Runs the benchmarks whose names contain one of the words that are given (all without any), prints a table, and writes
// the results to bench/results/ as JSON. `--short` measures small sizes only, to see that everything works.
import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { BenchResult } from './bench-result.ts';

// Another benchmark is one more line here.
type Bench = (options?: { short?: boolean }) => Promise<readonly BenchResult[]>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  commit: async () => {
    const { benchCommit } = await import('./commit-bench.ts');
    return ({ short = false } = {}) => benchCommit(short ? { sizes: [100], rounds: 5 } : {});
  },
  render: async () => {
    const { benchRender } = await import('./render-bench.ts');
    return ({ short = false } = {}) => benchRender(short ? { instances: 500, runs: 3 } : {});
  },
  values: async () => {
    const { benchValues } = await import('./values-bench.ts');
    return async ({ short = false } = {}) => benchValues(short ? 3 : undefined);
  },
};

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const short = process.argv.includes('--short');
const results: BenchResult[] = [];
for (const [name, load] of Object.entries(benches)) {
  if (words.length > 0 && !words.some((word) => name.includes(word))) continue;
  console.error(`running ${name} …`);
  const bench = await load();
  results.push(...(await bench({ short })));
}

const number = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
console.table(
  results.map(({ work, against, medianMs, ratio, runs, parameters }) => ({
    work,
    parameters: Object.entries(parameters)
      .map(([key, value]) => `${key}=${value}`)
      .join(' '),
    'median ms': number(medianMs),
    against: against ?? '',
    ratio: ratio === null ? '' : `${number(ratio)}x`,
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
