import type { CallOptions, InstanceId } from '@caelus/core';
import { ensureCatalogue, ROWS_A_TRANSACTION } from './catalogue.ts';
import { everyInstance } from './each-instance.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { ensureRepository } from './ensure-repository.ts';
import { projectDue } from './project-due.ts';
import { workerName } from './worker.ts';

/** What a rebuild of the branch came to. */
export interface GitRebuilt {
  /** Instances and tombstones that were written. */
  readonly written: number;
  /** Instances that could not be written now; the loops go on with them. */
  readonly failed: number;
  /** Instances whose place in Git a person has to look at; they were left as they are. */
  readonly flagged: number;
}

export interface GitRebuildOptions extends CallOptions {
  /** Called after every commit with what has been written so far. */
  readonly onProgress?: ((rebuilt: GitRebuilt) => void) | undefined;
}

/**
 * Writes everything that the branch lacks, from the rows alone: the files that the repository has beside its instances, the
 * catalogue, every instance, and the tombstone of every deleted one. An instance whose directory is gone is written again
 * whatever the drift policy says. Nothing is overwritten that this database did not write. It can be repeated after a crash.
 * @throws {CaelusError} `STORE_FOREIGN` where the branch belongs to another database or has another layout; `UNAVAILABLE`
 */
export async function rebuildGit(context: EngineContext, options: GitRebuildOptions = {}): Promise<GitRebuilt> {
  const { repository } = context;
  const { signal, onProgress } = options;
  await ensureRepository(context, { signal });
  await ensureCatalogue(context, { signal });
  let page: InstanceId[] = [];
  const request = async () => {
    const ids = page;
    page = [];
    await repository.transaction(
      async (transaction) => {
        for (const id of ids) await transaction.requestWork(id, 'git-rebuild', timestamp(context));
      },
      { signal },
    );
  };
  for await (const { id } of everyInstance(context, { signal })) {
    page.push(id);
    if (page.length === ROWS_A_TRANSACTION) await request();
  }
  if (page.length > 0) await request();

  const restoring: EngineContext = { ...context, driftPolicy: { ...context.driftPolicy, missing: 'restore' } };
  const owner = workerName(context);
  let rebuilt: GitRebuilt = { written: 0, failed: 0, flagged: 0 };
  for await (const batch of projectDue(restoring, owner, { signal })) {
    rebuilt = {
      written: rebuilt.written + batch.written,
      failed: rebuilt.failed + batch.failed,
      flagged: rebuilt.flagged + batch.flagged,
    };
    onProgress?.(rebuilt);
  }
  return rebuilt;
}
