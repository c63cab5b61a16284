import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { type Bed, paths } from './bed.ts';
import type { Component } from './component.ts';
import { until } from './condition.ts';
import { ask } from './probe.ts';
import { identify, isRunning, type ProcessIdentity, sessionOf } from './process-identity.ts';

const READY_SECONDS = 240;
const END_SECONDS = 20;

/** Starts a component in a session of its own, so that it outlives us, and lets it write to its log. */
export async function launch(bed: Bed, component: Component): Promise<ProcessIdentity> {
  const { program, programs, log, home, temporary } = paths(bed);
  const output = openSync(log(component.name), 'a', 0o600);
  try {
    const child = spawn(program(component.program), component.arguments, {
      cwd: home,
      detached: true,
      stdio: ['ignore', output, output],
      // Nothing of the user's: no configuration of Git or Helm, no proxy.
      env: { PATH: `${programs}:${process.env.PATH}`, HOME: home, TMPDIR: temporary, ...component.environment },
    });
    await once(child, 'spawn');
    child.unref();
    const identity = child.pid === undefined ? undefined : identify(child.pid);
    if (identity === undefined) throw crashed(bed, component.name);
    return identity;
  } finally {
    closeSync(output);
  }
}

/**
 * Waits until a component is ready.
 *
 * @throws Error with the end of its log, when it ends instead.
 */
export async function ready(bed: Bed, component: Component, identity: ProcessIdentity): Promise<void> {
  let isOver = false;
  await until(
    async () => {
      isOver = !isRunning(identity);
      if (isOver) return true;
      await ask(bed, component.ready);
      return true;
    },
    { seconds: READY_SECONDS, what: `${component.name} to be ready (its log: ${paths(bed).log(component.name)})` },
  );
  if (isOver) throw crashed(bed, component.name);
}

/** Ends a component and what it started: asked first, then, after 20 seconds, killed. */
export async function end(identity: ProcessIdentity, first: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const session = isRunning(identity) ? sessionOf(identity) : [];
  signal(identity, first);
  const isOver = () => !isRunning(identity);
  await until(isOver, { seconds: END_SECONDS, what: `process ${identity.pid} to end` }).catch(() => {});
  for (const process of [identity, ...session]) signal(process, 'SIGKILL');
  await until(isOver, { seconds: END_SECONDS, what: `process ${identity.pid} to be killed` });
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const SHOWN_LINES = 20;

/** The last lines of a component's log. */
export function endOfLog(bed: Bed, component: string, lines: number = SHOWN_LINES): string {
  const path = paths(bed).log(component);
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n') : '';
}

/** Says that a component has ended by itself. */
export function crashed(bed: Bed, component: string): Error {
  return new Error(`${component} has ended. The end of ${paths(bed).log(component)}:\n${endOfLog(bed, component)}`);
}
