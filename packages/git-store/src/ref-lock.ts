import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { CaelusError, type Logger } from '@caelus/core';
import { pause } from './backoff.ts';
import { type FileAccess, nonce } from './file-access.ts';

export interface RefLockOptions {
  readonly files: FileAccess;
  /** The lock file, as Git names it: the ref's file with `.lock`. */
  readonly path: string;
  /** A directory of this store in the same file system, for temporary files. */
  readonly scratch: string;
  readonly logger: Logger;
  /** How long to wait for another holder, in milliseconds. */
  readonly waitMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** No commit takes this long, so a lock of this age was most likely left behind. */
const STALE_MILLISECONDS = 30_000;

/**
 * Runs `body` while holding a lock file, in Git's own protocol: who creates `<ref>.lock` may change `<ref>`. Stock Git
 * respects our lock, and we respect Git's.
 *
 * Git's lock files do not say who made them. Ours carry their owner (machine boot, process namespace, process, its start),
 * so that one left by a killed process can be told from one in use. Only a lock whose owner is proven dead is removed. A
 * lock without an owner is Git's, or somebody's: however old it is, it is reported and left alone.
 * @throws {CaelusError} `GIT_REF_LOCKED`
 */
export async function withRefLock<T>(options: RefLockOptions, body: () => Promise<T>): Promise<T> {
  const { files, path } = options;
  const mine = await acquire(options);
  try {
    return await body();
  } finally {
    // After a holder was paused for long, the file can only still be ours: nobody removes the lock of a living process.
    if ((await files.read(path))?.equals(mine)) await files.remove(path);
  }
}

async function acquire(options: RefLockOptions): Promise<Buffer> {
  const { files, path, scratch, logger, waitMilliseconds, signal } = options;
  const mine = Buffer.from(`${JSON.stringify({ caelus: 1, ...self(), nonce: nonce() })}\n`);
  const deadline = performance.now() + waitMilliseconds;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    if (await files.create(path, mine, `${scratch}/lock-${nonce()}`)) return mine;
    const holder = await files.read(path);
    if (holder !== undefined && isDead(holder)) {
      await breakLock(options, holder);
      continue;
    }
    if (performance.now() > deadline) {
      const modifiedAt = await files.modifiedAt(path);
      const ageSeconds = modifiedAt === undefined ? 0 : Math.max(0, Math.round((Date.now() - modifiedAt) / 1000));
      if (ageSeconds * 1000 >= STALE_MILLISECONDS)
        logger.warn('the branch has a stale lock file', { lock: path, ageSeconds });
      throw new CaelusError({
        code: 'GIT_REF_LOCKED',
        message: `Another process holds the lock file ${path}, made ${ageSeconds} s ago. Try again; if no process uses the repository any more, remove the file.`,
        details: { lock: path, ageSeconds },
        retryable: true,
      });
    }
    await pause(attempt, { baseMilliseconds: 2, mostMilliseconds: 50 }, signal);
  }
}

/**
 * Removes the lock of a dead owner. Its removal is itself under a lock whose name belongs to that one lock, and the content
 * is read again under it, so that the lock of whoever came next is never removed by mistake.
 */
async function breakLock(options: RefLockOptions, dead: Buffer): Promise<void> {
  const { files, path, scratch, logger } = options;
  const owner = ownerOf(dead);
  if (owner === undefined) return;
  await withRefLock({ ...options, path: `${scratch}/break-${owner.nonce}.lock` }, async () => {
    if (!(await files.read(path))?.equals(dead)) return;
    await files.remove(path);
    logger.warn('removed the lock file of a process that is gone', { lock: path, process: owner.process });
  });
}

interface Owner {
  readonly host: string;
  readonly namespace: string;
  readonly process: number;
  /** Clock ticks from boot to the start of the process; tells a process from a later one with the same number. */
  readonly started: string;
}

let cachedSelf: Owner | undefined;

function self(): Owner {
  cachedSelf ??= {
    host: readText('/proc/sys/kernel/random/boot_id') ?? hostname(),
    namespace: readNamespace(),
    process: process.pid,
    started: startOf(process.pid) ?? '',
  };
  return cachedSelf;
}

function isDead(content: Buffer): boolean {
  const owner = ownerOf(content);
  const me = self();
  // Of another machine, another boot or another container nothing can be proven.
  if (owner === undefined || owner.host !== me.host || owner.namespace !== me.namespace) return false;
  try {
    process.kill(owner.process, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
  const started = startOf(owner.process);
  return started !== undefined && owner.started !== '' && started !== owner.started;
}

function ownerOf(content: Buffer): (Owner & { readonly nonce: string }) | undefined {
  try {
    const parsed: unknown = JSON.parse(content.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { caelus, host, namespace, process: pid, started, nonce: id } = parsed as Record<string, unknown>;
    if (caelus !== 1 || typeof host !== 'string' || typeof namespace !== 'string' || typeof started !== 'string') {
      return undefined;
    }
    if (!Number.isInteger(pid) || Number(pid) <= 0 || typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id))
      return undefined;
    return { host, namespace, process: Number(pid), started, nonce: id };
  } catch {
    return undefined;
  }
}

function startOf(pid: number): string | undefined {
  // Field 22; the second one is a name in parentheses that may hold spaces and parentheses itself.
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function readNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
