import { resolve } from 'node:path';
import {
  CAELUS_ACTOR,
  CaelusError,
  type CommitId,
  type CommitRecord,
  commitAuthor,
  type Receipt,
  renderCommitMessage,
  type Snapshot,
  silentLogger,
  underPrefix,
} from '@caelus/core';
import { pause } from './backoff.ts';
import type { GitBackendOptions } from './git-backend.ts';
// Bare too: the declarations that are published keep the error codes of this package only by an import without names.
import './git-errors.ts';
import { unavailable } from './git-errors.ts';
import { createSnapshot, createTip, directoryAt } from './git-snapshot.ts';
import type { GitStore } from './git-store.ts';
import { checkGitStoreOptions, type GitStoreOptions, pathRulesOf } from './git-store-options.ts';
import { openInProcessBackend } from './in-process-backend.ts';
import { withPathRules } from './path-rules.ts';
import {
  DEFAULT_TOPIC_BRANCH,
  describeCommits,
  MOST_SHOWN_COMMITS,
  type PullRequest,
} from './pull-request/pull-request.ts';
import { createPullRequestAnnouncer } from './pull-request/pull-request-announcer.ts';
import { createTopicBranch } from './pull-request/topic-branch.ts';
import { createTags } from './tags.ts';
import { createWriteQueue, gatherCalls, receiptsByCall, type WriteCall } from './write-queue.ts';

/** The most content that one commit may write. */
const MAX_BATCH_BYTES = 64 * 1024 * 1024;
const LOCAL_BACKOFF = { baseMilliseconds: 2, mostMilliseconds: 200 };
const REMOTE_BACKOFF = { baseMilliseconds: 25, mostMilliseconds: 1500 };

/**
 * Opens a Git branch as a `StateStore`. Commits are made at the object level, without a work tree and an index, and cost
 * what they change. A write is acknowledged once the branch has moved durably: in the directory, or on the remote where
 * there is one. Any number of stores, processes and stock Git commands may use the same directory and the same remote.
 *
 * The remote is first contacted by the first read or write, and then only its newest commit is fetched.
 * @throws {CaelusError} `INVALID_INPUT`, `NAME_INVALID`, `REPOSITORY_URL_INVALID`, `REPOSITORY_URL_CREDENTIALS`,
 *   `PATH_INVALID`, `GIT_REPOSITORY_UNSUPPORTED`, `STORE_CORRUPT`
 * @example
 * ```ts
 * await using store = await createGitStore({
 *   directory: '/var/lib/caelus/gitops.git',
 *   remote: { url: 'https://git.example.com/platform/gitops.git', credentials: () => ({ token: readToken() }) },
 * });
 * ```
 */
export async function createGitStore(options: GitStoreOptions): Promise<GitStore> {
  checkGitStoreOptions(options);
  const rules = pathRulesOf(options);
  const {
    branch = 'main',
    committer = CAELUS_ACTOR,
    logger = silentLogger,
    retries = 30,
    maxBatch = 1000,
    maxWaiting = 10_000,
  } = options;
  const now = options.now ?? (() => new Date());
  const gitdir = options.fs === undefined ? resolve(options.directory) : options.directory.replace(/(?<=.)\/+$/, '');
  const backendOptions: GitBackendOptions = {
    gitdir,
    branch,
    remote: options.remote,
    sign: options.sign,
    logger,
    lockWaitMilliseconds: options.lockWaitMilliseconds ?? 2000,
    durability: options.durability ?? 'strict',
  };
  const backend = await (options.transport === undefined
    ? openInProcessBackend(backendOptions, options.fs)
    : options.transport.open(backendOptions));
  const { objects, history } = backend;
  const { pullRequest } = options;
  const topicBranch = pullRequest?.topicBranch ?? DEFAULT_TOPIC_BRANCH;
  const announcer =
    pullRequest &&
    createPullRequestAnnouncer({ host: pullRequest.host, logger, describe: describeRequest, retryAfter: 30_000 });
  const target =
    announcer === undefined
      ? backend.openBranch(branch)
      : createTopicBranch({
          base: backend.openBranch(branch),
          topic: backend.openBranch(topicBranch),
          history,
          objects,
          opened: announcer.announce,
        });
  const tags = createTags({
    refs: backend.tagRefs,
    objects,
    hasRemote: options.remote !== undefined,
    committer,
    now,
    sign: options.sign,
  });
  const backoff = options.remote === undefined ? LOCAL_BACKOFF : REMOTE_BACKOFF;
  const name = options.remote?.url ?? gitdir;
  let closed = false;

  async function describeRequest(base: CommitId, topic: CommitId): Promise<PullRequest> {
    const fork = await history.mergeBase(base, topic);
    const commits: CommitRecord[] = [];
    for await (const { tree: _, ...record } of history.walk(topic)) {
      if (record.commit === fork || commits.length === MOST_SHOWN_COMMITS) break;
      commits.push(record);
    }
    return {
      remoteUrl: options.remote?.url ?? null,
      base: { branch, commit: base },
      topic: { branch: topicBranch, commit: topic },
      ...describeCommits(commits),
      commits,
    };
  }

  async function treeOf(commit: CommitId | null): Promise<string | null> {
    return commit === null ? null : (await history.commit(commit)).tree;
  }

  async function begin(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (closed) throw unavailable(`The store ${name}`, 'it was closed.');
    await backend.scan();
  }

  /** The directory that the store's paths are relative to. */
  async function directoryIn(tree: string | null): Promise<string | null> {
    return rules.pathPrefix === null ? tree : directoryAt(objects, tree, rules.pathPrefix);
  }

  async function snapshotOf(commit: CommitId | null): Promise<Snapshot> {
    return createSnapshot(objects, commit, await directoryIn(await treeOf(commit)));
  }

  async function writeOnce(
    calls: readonly WriteCall[],
    base: CommitId | null,
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly Receipt[] | undefined)[] | undefined> {
    const tree = await treeOf(base);
    const directory = await directoryIn(tree);
    const tip = createTip(objects, createSnapshot(objects, base, directory), directory);
    const { batch, taken } = await gatherCalls(calls, tip, { signal, maxBytes: MAX_BATCH_BYTES });
    const receiptsAt = (commit: CommitId | null) => {
      const receipts = receiptsByCall(taken, batch.receipts(commit));
      return calls.map((call) => receipts[taken.indexOf(call)]);
    };
    if (batch.edits.length === 0) {
      // A commit proves that its base was the tip. Without one, the tip has to be looked up.
      return (await target.refresh(signal)) === base ? receiptsAt(base) : undefined;
    }
    const commit = await target.commit(
      {
        base,
        tree,
        edits: batch.edits.map(({ path, bytes }) => ({ path: underPrefix(rules.pathPrefix, path), bytes })),
        fields: {
          author: commitAuthor(batch.proposals) ?? committer,
          committer,
          at: now(),
          message: renderCommitMessage(batch.proposals),
        },
      },
      signal,
    );
    return commit === undefined ? undefined : receiptsAt(commit);
  }

  async function writeNow(
    calls: readonly WriteCall[],
    signal: AbortSignal | undefined,
  ): Promise<readonly (readonly Receipt[] | undefined)[]> {
    await begin(signal);
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      // The first try takes the remote's tip to be the one that is known: compare-and-swap tells, and it saves a request.
      const base = attempt === 0 ? await target.known(signal) : await target.refresh(signal);
      const receipts = await writeOnce(calls, base, signal);
      if (receipts !== undefined) return receipts;
      logger.debug('the branch has moved, so the changes are asked again', { store: name, attempt });
      await pause(attempt, backoff, signal);
    }
    throw new CaelusError({
      code: 'STORE_CONFLICT',
      message: `The branch ${branch} of ${name} moved each of the ${retries + 1} times the changes were asked. Try later, or let fewer processes write it.`,
      details: { attempts: retries + 1 },
      retryable: true,
    });
  }

  const queue = createWriteQueue({
    maxBatch,
    maxWaiting,
    overflow: () => unavailable(`The store ${name}`, `${maxWaiting} changes wait already.`),
    commit: writeNow,
  });

  return {
    name,
    capabilities: {
      remote: options.remote !== undefined,
      durable: backend.durable,
      ...(pullRequest && { descends: false }),
    },
    pathPrefix: rules.pathPrefix,

    async snapshot(callOptions) {
      await begin(callOptions?.signal);
      return snapshotOf(await target.refresh(callOptions?.signal));
    },

    async snapshotAt(commit, callOptions) {
      await begin(callOptions?.signal);
      if (options.remote !== undefined && (await objects.find(commit)) === undefined) {
        await target.refresh(callOptions?.signal);
      }
      return snapshotOf(commit);
    },

    async write(changes, callOptions) {
      const signal = callOptions?.signal;
      signal?.throwIfAborted();
      if (changes.length > maxBatch) throw tooMany(maxBatch);
      if (changes.length === 0) return [];
      return queue.write({ changes: changes.map((change) => withPathRules(change, rules)), signal });
    },

    async isAncestor(ancestor, descendant, callOptions) {
      const { signal } = callOptions ?? {};
      await begin(signal);
      if ((await objects.find(descendant)) === undefined) await target.refresh(signal);
      if (await history.isAncestor(ancestor, descendant, signal)) return true;
      // A cache that began with the newest commit alone does not know what came before, and must not say no.
      return (await target.complete(signal)) && history.isAncestor(ancestor, descendant, signal);
    },

    async *log({ from, limit = Number.POSITIVE_INFINITY, signal } = {}) {
      await begin(signal);
      const start = from ?? (await target.refresh(signal));
      if (start === null || limit <= 0) return;
      let count = 0;
      for await (const { tree: _, ...record } of history.walk(start, signal)) {
        yield record;
        count += 1;
        if (count >= limit) return;
      }
    },

    async createTag(tag, callOptions) {
      await begin(callOptions?.signal);
      return tags.createTag(tag, callOptions);
    },

    async listTags(callOptions) {
      await begin(callOptions?.signal);
      return tags.listTags(callOptions);
    },

    async consolidate(callOptions) {
      await begin(callOptions?.signal);
      await backend.consolidate();
    },

    async [Symbol.asyncDispose]() {
      await queue.settled();
      closed = true;
      await announcer?.settled();
      await backend.close();
    },
  };
}

function tooMany(maxBatch: number): CaelusError<'INVALID_INPUT'> {
  const message = `One write takes at most ${maxBatch} changes.`;
  return new CaelusError({
    code: 'INVALID_INPUT',
    message: `The changes cannot be accepted. ${message} Write them in several calls.`,
    details: { issues: [{ path: '', message }] },
  });
}
