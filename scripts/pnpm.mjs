// Runs the pnpm that package.json pins, so that a machine with only Node and npm can run `npm test`.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const version = /^pnpm@([^+]+)/.exec(packageManager)[1];
const onWindows = process.platform === 'win32';
const installed = spawnSync('pnpm', ['--version'], { encoding: 'utf8', shell: onWindows });
const usesInstalled = installed.status === 0 && installed.stdout.trim() === version;
if (!usesInstalled) console.error(`Fetching pnpm ${version} through npx (kept in npm's cache)…`);

const [command, ...prefix] = usesInstalled ? ['pnpm'] : ['npx', '--yes', `pnpm@${version}`];
// pnpm does not hear npm's `--silent`, and would print its banner into the JSON of `npm run --silent demo -- --json`.
const quiet = process.env.npm_config_loglevel === 'silent' ? ['--silent'] : [];
const { status, signal } = spawnSync(command, [...prefix, ...quiet, ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: onWindows,
});
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
