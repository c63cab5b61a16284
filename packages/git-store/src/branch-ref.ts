import { dirname } from 'node:path/posix';
import type { CommitId, Logger } from '@caelus/core';
import { type Durability, type FileAccess, nonce, type Replacement } from './file-access.ts';
import { corrupt } from './git-errors.ts';
import { withRefLock } from './ref-lock.ts';

export interface BranchRef {
  /** The full name: `refs/heads/main`. */
  readonly name: string;
  /** What the ref points to; `null` where it does not exist. @throws {CaelusError} `STORE_CORRUPT` */
  read(): Promise<CommitId | null>;
  /**
   * Moves the branch from `expected` to `next` durably, and returns whether it was still there.
   * @throws {CaelusError} `GIT_REF_LOCKED`, `STORE_CORRUPT`
   */
  move(expected: CommitId | null, next: CommitId, signal?: AbortSignal): Promise<boolean>;
  /** The first half of {@link BranchRef.move}, which needs no lock and can be done together with something else. */
  stage(next: CommitId): StagedValue;
}

/** A value that the branch does not have yet. Disposed of, it leaves nothing behind. */
export interface StagedValue extends AsyncDisposable {
  /** What has to be written before the branch is moved. */
  readonly file: Replacement;
  /** As {@link BranchRef.move}. */
  move(expected: CommitId | null, signal?: AbortSignal): Promise<boolean>;
}

export interface BranchRefOptions {
  readonly files: FileAccess;
  readonly gitdir: string;
  readonly scratch: string;
  /** The full name. */
  readonly name: string;
  readonly logger: Logger;
  readonly lockWaitMilliseconds: number;
  readonly durability: Durability;
}

const OBJECT_ID = /^[0-9a-f]{40}$/;

/**
 * A branch or a tag as a loose ref with compare-and-swap. Reading prefers the loose file and falls back to packed-refs only where
 * there is none: an empty or malformed file is what a crash leaves, and following packed-refs then would silently go back
 * in history.
 */
export function createBranchRef(options: BranchRefOptions): BranchRef {
  const { files, gitdir, scratch, name, logger, durability } = options;
  const path = `${gitdir}/${name}`;

  async function read(): Promise<CommitId | null> {
    const loose = await files.read(path);
    if (loose !== undefined) return parse(loose.toString('latin1').trimEnd());
    const packed = (await files.read(`${gitdir}/packed-refs`))?.toString('latin1') ?? '';
    const line = packed.split('\n').find((each) => each.slice(41) === name);
    return line === undefined ? null : parse(line.slice(0, 40));
  }

  function parse(text: string): CommitId {
    if (OBJECT_ID.test(text)) return text as CommitId;
    throw corrupt(
      name,
      `The file ${path} of a branch or tag does not hold a commit id${text === '' ? ': it is empty' : ''}. Put back the last commit's id, for example from the remote or from git fsck --lost-found.`,
    );
  }

  function stage(next: CommitId): StagedValue {
    // In the scratch directory, because Git takes every file below refs/ for a ref.
    const temporary = `${scratch}/ref-${nonce()}`;
    let isMoved = false;
    return {
      file: { path: temporary, parts: [Buffer.from(`${next}\n`)], prefix: 'tmp_ref_' },
      async move(expected, signal) {
        const lock = {
          files,
          path: `${path}.lock`,
          scratch,
          logger,
          waitMilliseconds: options.lockWaitMilliseconds,
          signal,
        };
        isMoved = await withRefLock(lock, async () => {
          if ((await read()) !== expected) return false;
          await files.rename(temporary, path);
          return true;
        });
        // Once the lock is gone, so that a power cut does not bring it back.
        if (isMoved && durability === 'strict') await files.syncDirectories([dirname(path)]);
        return isMoved;
      },
      async [Symbol.asyncDispose]() {
        if (isMoved) return;
        // A failure here would hide one before it, and what stays is cleaned up like every temporary file.
        await files.remove(temporary).catch(() => {});
      },
    };
  }

  return {
    name,
    read,
    stage,
    async move(expected, next, signal) {
      await using staged = stage(next);
      await files.replaceAll([staged.file], durability);
      return await staged.move(expected, signal);
    },
  };
}
