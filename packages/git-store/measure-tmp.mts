import { blameValue, createLayout, instanceLog } from '@caelus/core';
import { createGitStore } from '@caelus/git-store';
import { change, instanceId, commit } from '/tmp/wt/history/packages/core/test/history-samples.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { execSync } from 'node:child_process';
const dir = mkdtempSync('/tmp/measure-');
const store = await createGitStore({ directory: dir + '/s.git', now: (() => { let t = 1.7e12; return () => new Date((t += 1000)); })() });
const N = 100, C = 2000;
const gens = new Map<number, number>();
let t0 = performance.now();
for (let i = 0; i < C; i++) { const n = i % N; const g = (gens.get(n) ?? 0) + 1; gens.set(n, g); await commit(store, change({ number: n, generation: g, values: { title: 't' + (i >= 1000 ? g : 0) } })); }
console.log('wrote', C, 'commits in', Math.round(performance.now() - t0), 'ms');
if (process.argv[2] === 'gc') execSync('git gc -q', { cwd: dir + '/s.git' });
const flat = createLayout('flat');
for (const round of [1, 2]) {
  const fresh = await createGitStore({ directory: dir + '/s.git' });
  t0 = performance.now();
  const page = await instanceLog(fresh, flat, instanceId(5));
  console.log(round, 'log: entries', page.items.length, Math.round(performance.now() - t0), 'ms');
  t0 = performance.now();
  const b = await blameValue(fresh, flat, instanceId(5), '/replicas');
  console.log(round, 'blame whole history', b.outcome, (b as any).generation, Math.round(performance.now() - t0), 'ms');
  t0 = performance.now();
  let n = 0; for await (const _ of fresh.log()) n++;
  console.log(round, 'log() alone', n, Math.round(performance.now() - t0), 'ms');
}
rmSync(dir, { recursive: true });
