import {
  assertRepositoryOwned,
  CaelusError,
  type CallOptions,
  type CatalogueFile,
  type ErrorCode,
  type InstanceId,
  instanceOfContent,
  isCaelusError,
  parseRepositoryLayout,
  REPOSITORY_FILES,
  type RepositoryTransaction,
  readInstance,
  type Snapshot,
} from '@caelus/core';
import { noteTip } from './branch-state.ts';
import { eachCatalogueFile, ROWS_A_TRANSACTION } from './catalogue.ts';
import { type CommandOptions, parseCommandOptions } from './command-options.ts';
import { type EngineContext, timestamp } from './engine-context.ts';
import { insertCatalogueRow, insertFromGit } from './insert-from-git.ts';
import { eachTombstone, ownsRows } from './inspect.ts';
import { eachDirectory } from './sweeper.ts';

/** What a rebuild of the rows came to. */
export interface RowsRebuilt {
  readonly products: number;
  readonly templateVersions: number;
  /** Instances, deleted ones included. */
  readonly instances: number;
  /** Directories and files that are not this database's. */
  readonly foreign: number;
  /**
   * What could not be rebuilt, and why; at most 1,000 of them are named. Put it right in Git and call again: what is there
   * already stays. `inspect` shows it too.
   */
  readonly unresolved: readonly { readonly subject: string; readonly code: ErrorCode }[];
}

export interface RebuildOptions extends CallOptions, Pick<CommandOptions, 'actor'> {
  /** Called after every transaction with what has been rebuilt so far. */
  readonly onProgress?: ((rebuilt: RowsRebuilt) => void) | undefined;
}

const NAMED_AT_MOST = 1000;

/**
 * Inserts every row again, from what lies in Git alone: a page of them in one transaction, so that it can be repeated after a
 * crash and goes on where it was. What Git does not have is said at `instanceOfContent`.
 *
 * The database is a new one that was given the id of the lost one (`readStoreId`).
 * @throws {CaelusError} `REBUILD_REFUSED` where the database has rows that are not of a rebuild, where it cannot take rows, or
 *   where Git has none; `STORE_FOREIGN` where the repository belongs to another database
 */
export async function rebuildFromGit(context: EngineContext, options: RebuildOptions = {}): Promise<RowsRebuilt> {
  const { repository, store, render } = context;
  const { signal, onProgress } = options;
  const { actor } = parseCommandOptions(options);
  if (!ownsRows(context)) {
    throw refused('rows-of-the-host', "The rows lie in the host's own tables. Restore these, and use inspect.");
  }
  const snapshot = await store.snapshot({ signal });
  const layout = await snapshot.readFile(REPOSITORY_FILES.layout, { signal });
  if (layout === undefined || snapshot.commit === null) {
    throw refused('repository-not-set-up', 'The repository has nothing of Caelus. Check which branch is configured.');
  }
  const { commit } = snapshot;
  assertRepositoryOwned(parseRepositoryLayout(layout), render);
  const started = { instanceId: null, generation: null, changeId: null, actor, data: { commit } };
  if (!(await isUnderWay(context, { signal }))) {
    await repository.transaction(
      (transaction) => transaction.appendEvent({ ...started, type: 'rebuild-started', at: timestamp(context) }),
      { signal },
    );
  }

  let [products, templateVersions, instances, foreign] = [0, 0, 0, 0];
  const unresolved: { subject: string; code: ErrorCode }[] = [];
  const report = (): RowsRebuilt => ({ products, templateVersions, instances, foreign, unresolved });
  const fail = (subject: string, code: ErrorCode) => {
    if (unresolved.length < NAMED_AT_MOST) unresolved.push({ subject, code });
  };
  /** Runs one row after the other in a transaction; one that is refused does not keep the others from being inserted. */
  const insertAll = async <T>(
    page: readonly T[],
    subjectOf: (item: T) => string,
    insert: (transaction: RepositoryTransaction, item: T) => Promise<'inserted' | 'foreign' | 'there'>,
  ): Promise<number> => {
    const outcome = await repository.transaction(
      async (transaction) => {
        const failed: [string, ErrorCode][] = [];
        const done = { inserted: 0, foreign: 0, there: 0 };
        for (const item of page) {
          try {
            done[await insert(transaction, item)] += 1;
          } catch (error) {
            if (!isCaelusError(error) || error.retryable) throw error;
            failed.push([subjectOf(item), error.code]);
          }
        }
        return { ...done, failed };
      },
      { signal },
    );
    for (const [subject, code] of outcome.failed) fail(subject, code);
    foreign += outcome.foreign;
    return outcome.inserted;
  };

  for await (const page of pagesOf(eachCatalogueFile(snapshot, { signal }))) {
    const own = page.flatMap(({ path, file }): (CatalogueFile & { readonly path: string })[] => {
      if (file === 'invalid') fail(path, 'STORE_CORRUPT');
      else if (file.storeId === render.storeId) return [{ ...file, path }];
      else foreign += 1;
      return [];
    });
    for (const kind of ['Product', 'TemplateVersion'] as const) {
      const inserted = await insertAll(
        own.filter(({ row }) => row.kind === kind),
        ({ path }) => path,
        async (transaction, { row }) =>
          (await insertCatalogueRow(context, transaction, row, actor)) ? 'inserted' : 'there',
      );
      if (kind === 'Product') products += inserted;
      else templateVersions += inserted;
    }
    onProgress?.(report());
  }

  for await (const page of pagesOf(eachInstanceInGit(context, snapshot, { signal }))) {
    instances += await insertAll(
      page,
      (id) => `instance ${id}`,
      async (transaction, id) => {
        if ((await transaction.findInstance(id)) !== undefined) return 'there';
        const git = await readInstance(snapshot, render.layout, id, { signal });
        const found = instanceOfContent(git, {
          storeId: render.storeId,
          layout: render.layout,
          at: timestamp(context),
        });
        if (found.outcome === 'unreadable') throw unreadable(id);
        if (found.outcome !== 'row') return 'foreign';
        await insertFromGit(context, transaction, found.instance, git, commit, 'instance-rebuilt', actor);
        return 'inserted';
      },
    );
    onProgress?.(report());
  }

  await repository.transaction(
    async (transaction) => {
      await noteTip(context, transaction, await transaction.findBranchState(), commit, false);
      if (unresolved.length > 0) return;
      await transaction.appendEvent({ ...started, type: 'rebuild-finished', at: timestamp(context) });
    },
    { signal },
  );
  context.changed.wake();
  return report();
}

/** Whether an earlier call has begun and not ended. @throws {CaelusError} `REBUILD_REFUSED` where there are other rows */
async function isUnderWay({ repository }: EngineContext, options: CallOptions): Promise<boolean> {
  const [first] = await repository.listEvents({ limit: 1 }, options);
  const [product, instance, finished] = await Promise.all([
    repository.listProducts({ limit: 1 }, options),
    repository.listInstances({}, { limit: 1 }, options),
    repository.listEvents({ types: ['rebuild-finished'], limit: 1 }, options),
  ]);
  if (first?.type === 'rebuild-started' && finished.length === 0) return true;
  if (first === undefined && product.items.length === 0 && instance.items.length === 0) return false;
  throw refused(
    'database-not-empty',
    'The database has rows. Open an empty one with the storeId of the repository, or use inspect and resolve.',
  );
}

async function* eachInstanceInGit(
  context: EngineContext,
  snapshot: Snapshot,
  options: CallOptions,
): AsyncGenerator<InstanceId> {
  yield* eachDirectory(context, snapshot, options);
  yield* eachTombstone(context, snapshot, options);
}

async function* pagesOf<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < ROWS_A_TRANSACTION) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

function unreadable(id: InstanceId): CaelusError {
  const what = `The marker or the tombstone of the instance ${id}`;
  return new CaelusError({
    code: 'STORE_CORRUPT',
    message: `${what} is not what Caelus writes. Restore it from the history, or remove it.`,
    details: { what },
  });
}

function refused(
  reason: 'database-not-empty' | 'repository-not-set-up' | 'rows-of-the-host',
  advice: string,
): CaelusError {
  return new CaelusError({
    code: 'REBUILD_REFUSED',
    message: `The rows cannot be rebuilt from Git. ${advice}`,
    details: { reason },
  });
}
