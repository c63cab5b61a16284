import { CaelusError, type CommitId, isCaelusError, type Logger, parseCommitId } from '@caelus/core';
import { pause } from '../backoff.ts';
import type { BranchRef } from '../branch-ref.ts';
import type { FileAccess } from '../file-access.ts';
import { corrupt, unavailable } from '../git-errors.ts';
import type { GitObject } from '../git-object.ts';

import type { History } from '../history.ts';
import type { ObjectStore } from '../object-store.ts';
import { encodeEntries, encodeObjects, encodePack } from '../pack/encode-pack.ts';
import { encodeThinPack } from '../pack/thin-pack.ts';
import { type GitRemote, pushRefused, pushUnknown } from './git-remote.ts';
import { LostResponseError } from './http-session.ts';

/** Where the branch is decided: the directory itself, or a remote that the directory is a cache of. */
export interface Upstream {
  /** The last tip that is known here; may be out of date where there is a remote. */
  known(signal: AbortSignal | undefined): Promise<CommitId | null>;
  /** The tip as it is now, with its objects in the directory. */
  refresh(signal: AbortSignal | undefined): Promise<CommitId | null>;
  /** Fetches the history that the first contact left out; returns whether there was any. */
  complete(signal: AbortSignal | undefined): Promise<boolean>;
  /** Makes `next` the tip if it still is `base`, durably; returns whether it was. */
  publish(
    base: CommitId | null,
    next: CommitId,
    created: readonly GitObject[],
    signal: AbortSignal | undefined,
  ): Promise<boolean>;
}

export function createLocalUpstream(ref: BranchRef, objects: ObjectStore): Upstream {
  return {
    known: () => ref.read(),
    refresh: () => ref.read(),
    complete: async () => false,
    async publish(base, next, created, signal) {
      const pack = await encodeObjects(created);
      await using staged = ref.stage(next);
      const move = async () => {
        signal?.throwIfAborted();
        return staged.move(base, signal);
      };
      // Together with the pack, so that the disk is waited for once.
      return await objects.write(created, pack, move, [staged.file]);
    },
  };
}

export interface RemoteUpstreamOptions {
  readonly remote: GitRemote;
  readonly ref: BranchRef;
  readonly objects: ObjectStore;
  readonly history: History;
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly logger: Logger;
}

/** How many of our own commits are offered, so that the remote finds one that it has even where it was rewound. */
const OFFERED_COMMITS = 32;
/** Git's own number for a depth without end (`git fetch --unshallow`). */
const WHOLE_HISTORY = 0x7fffffff;
const SENDS = 3;
const BACKOFF = { baseMilliseconds: 100, mostMilliseconds: 2000 };
/** Reasons of a server whose ref was busy or had just moved, not of one that refuses. */
export const LOST_RACE: RegExp =
  /lock|failed to update ref|incorrect old value|reference already exists|fetch first|non-fast-forward|stale/i;

export function createRemoteUpstream({
  remote,
  ref,
  objects,
  history,
  files,
  gitdir,
  logger,
}: RemoteUpstreamOptions): Upstream {
  const shallowFile = `${gitdir}/shallow`;
  /** Until the remote turns out not to read a pack of deltas whose bases it has to add (`no-thin` in Git's protocol). */
  let canReadThin = true;

  async function refresh(signal: AbortSignal | undefined): Promise<CommitId | null> {
    // Read first: a process that moves the branch meanwhile knows something newer, and must win.
    const known = await ref.read();
    const { commit, canShallow } = await remote.tip(ref.name, signal);
    if (commit === null || commit === known) return commit;
    if ((await objects.find(commit)) === undefined)
      await fetchCommit(commit, known, known === null && canShallow ? 1 : undefined, signal);
    await moveCache(known, commit);
    return commit;
  }

  async function complete(signal: AbortSignal | undefined): Promise<boolean> {
    const tip = await refresh(signal);
    if (tip === null || (await history.shallow()).size === 0) return false;
    await fetchCommit(tip, tip, WHOLE_HISTORY, signal);
    return true;
  }

  async function fetchCommit(
    want: CommitId,
    known: CommitId | null,
    depth: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const have: CommitId[] = [];
    if (known !== null)
      for await (const { commit } of history.walk(known)) if (have.push(commit) === OFFERED_COMMITS) break;
    const shallow = await history.shallow();
    await using pack = await objects.receivePack();
    const request = { ref: ref.name, want, have, shallow: [...shallow], depth, receive: pack.write };
    const result = await remote.fetch(request, signal);
    // Git puts up with a name too many in this file, not with a parent that is missing: so names are added before the pack,
    // and taken off after it.
    if (result.shallow.length > 0) await writeShallow([...shallow, ...result.shallow]);
    await pack.finish();
    if (result.unshallow.length > 0) {
      await writeShallow(
        [...shallow, ...result.shallow].filter((commit) => !result.unshallow.includes(parseCommitId(commit))),
      );
    }
    if ((await objects.find(want)) === undefined)
      throw corrupt(want, `The remote did not send commit ${want}. Try again.`);
  }

  async function writeShallow(commits: readonly string[]): Promise<void> {
    await files.replace(shallowFile, Buffer.from([...new Set(commits)].map((commit) => `${commit}\n`).join('')));
    await files.syncDirectories([gitdir]);
  }

  return {
    known: async (signal) => (await ref.read()) ?? refresh(signal),
    refresh,
    complete,

    async publish(base, next, created, signal) {
      const whole = await encodeEntries(created);
      const packFor = async () =>
        canReadThin ? encodeThinPack(created, whole, objects.find) : Buffer.concat(encodePack(whole).pack);
      if (!(await send(base, next, packFor, signal))) return false;
      // The remote has it, so nothing that goes wrong from here on may look like a failed write: it costs a fetch.
      try {
        await objects.write(created, encodePack(whole), () => moveCache(base, next));
      } catch (error) {
        logger.warn('a commit was pushed, and could not be kept here', { remote: remote.url, error: String(error) });
      }
      return true;
    },
  };

  /** Somebody else who moves the branch, or holds its lock, brings it up to date as well as we do. */
  async function moveCache(from: CommitId | null, to: CommitId): Promise<void> {
    try {
      await ref.move(from, to);
    } catch (error) {
      if (!isCaelusError(error, 'GIT_REF_LOCKED')) throw error;
      logger.warn('the branch of the cache is locked, so it stays behind', { lock: error.details.lock });
    }
  }

  async function send(
    base: CommitId | null,
    next: CommitId,
    makePack: () => Promise<Buffer>,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    /** Whether one that was sent may have been the one that moved the branch. */
    let mayHaveArrived = false;
    /** Whether nobody can say if one that was sent has arrived, or will. */
    let isOpen = false;
    try {
      let cause: unknown;
      for (let attempt = 0; attempt < SENDS; attempt += 1) {
        signal?.throwIfAborted();
        const isThin = canReadThin;
        const pushed = await remote.push({ ref: ref.name, expected: base, next, pack: await makePack() }, signal);
        if (pushed.outcome === 'accepted') return true;

        const wasOpen: boolean = isOpen;
        if (pushed.outcome === 'unknown') mayHaveArrived = isOpen = true;
        // Not guessed, but looked up. What is sent again is the same commit, so it can arrive only once.
        const now = (await remote.tip(ref.name, signal)).commit;
        // Two writers may make the very same commit. One that was only ever rejected is the other's.
        if (now === next && mayHaveArrived) return true;
        if (now !== base) {
          const tip = await refresh(signal);
          if (!mayHaveArrived || tip === null) return false;
          // A first contact takes the newest commit alone.
          if (base === null) await complete(signal);
          return await history.isAncestor(next, tip, signal);
        }
        if (pushed.outcome === 'unknown')
          isOpen = wasOpen || !(pushed.cause instanceof LostResponseError && pushed.cause.isOver);
        if (pushed.outcome === 'rejected' && pushed.isUnread && isThin) {
          canReadThin = false;
          logger.info('the remote does not read thin packs, so it gets whole ones', { remote: remote.url });
          continue;
        }
        if (pushed.outcome === 'rejected' && !LOST_RACE.test(pushed.reason))
          throw pushRefused(remote.url, pushed.reason);
        cause = pushed.outcome === 'unknown' ? pushed.cause : undefined;
        logger.warn('a push is sent again', { remote: remote.url, outcome: pushed.outcome });
        await pause(attempt, BACKOFF, signal);
      }
      if (cause === undefined && !isOpen) return false;
      throw unavailable(remote.url, 'it fails to answer pushes.', cause);
    } catch (error) {
      signal?.throwIfAborted();
      if (isOpen && error instanceof CaelusError) throw pushUnknown(remote.url, next, error);
      throw error;
    }
  }
}
