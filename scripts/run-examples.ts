// Runs every examples/*/src/main.ts from source, in a folder of its own; each checks its own result and exits with 0. What needs a
// cluster is left out, and runs by a command of its own.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEADLINE_MILLISECONDS = 120_000;

const examples = fileURLToPath(new URL('../examples/', import.meta.url));
const wanted = process.argv.slice(2);
const found = readdirSync(examples).filter(
  (name) => existsSync(join(examples, name, 'src/main.ts')) && (wanted.length === 0 || wanted.includes(name)),
);
const names = found.filter((name) => !needsCluster(name));
for (const name of found.filter(needsCluster))
  console.log(`left out ${name}: it needs a cluster (npm run demo:cluster)`);

const failed = names.filter((name) => !runs(name));
console.log(`${names.length - failed.length} of ${names.length} examples ran.`);
if (failed.length > 0 || names.length === 0) {
  console.error(failed.length > 0 ? `Failed: ${failed.join(', ')}` : 'There is no example to run.');
  process.exitCode = 1;
}

function needsCluster(name: string): boolean {
  const manifest = JSON.parse(readFileSync(join(examples, name, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  return '@caelus-testbed/testbed' in manifest.dependencies;
}

function runs(name: string): boolean {
  const folder = mkdtempSync(join(tmpdir(), `caelus-example-${name}-`));
  const started = performance.now();
  try {
    const { status, signal, stdout, stderr, error } = spawnSync(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--conditions=@caelus/source', join(examples, name, 'src/main.ts')],
      { cwd: folder, encoding: 'utf8', timeout: DEADLINE_MILLISECONDS, maxBuffer: 64 * 1024 * 1024 },
    );
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
    if (status === 0) return true;
    console.error(`${stdout}\n${stderr}\n${error?.message ?? `exit code ${status ?? signal}`}`);
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
