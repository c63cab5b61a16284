import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { identify, isRunning, parseStat, sessionOf } from './process-identity.ts';

const onLinux = describe.runIf(process.platform === 'linux');

describe('a line of /proc/<pid>/stat', () => {
  it('is read past a name with brackets and spaces', () => {
    const text = '42 (a) R (b c) S 1 40 41 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 1';
    expect(parseStat(text)).toEqual({ pid: 42, state: 'S', session: 41, startTime: '98765' });
  });
});

onLinux('a process', () => {
  it('is itself, and not another of the same number', () => {
    const self = identify(process.pid);
    expect(self).toBeDefined();
    if (self === undefined) return;
    expect(isRunning(self)).toBe(true);
    expect(isRunning({ ...self, startTime: `${Number(self.startTime) - 1}` })).toBe(false);
  });

  it('is nobody once it has ended', async () => {
    const child = spawn('sleep', ['600'], { stdio: 'ignore' });
    await once(child, 'spawn');
    const identity = identify(child.pid ?? 0);
    expect(identity).toBeDefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(identify(child.pid ?? 0)).toBeUndefined();
  });

  it('leads the processes that it started', async () => {
    const child = spawn('sh', ['-c', 'sleep 600 & echo; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    await once(child.stdout, 'data');
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('The shell has ended.');
    const session = sessionOf(identity);
    expect(session).toHaveLength(2);
    expect(session).toContainEqual(identity);
    for (const { pid } of session) process.kill(pid, 'SIGKILL');
    await once(child, 'exit');
  });
});
