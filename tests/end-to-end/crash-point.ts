import type { Repository, RepositoryTransaction, StateStore } from '@caelus/core';
import type { StackOptions } from './stack.ts';

/** Where a host may be killed: around a command's transaction, the write to Git, and the record of that write. */
export const crashPoints = [
  'command-open',
  'command-committed',
  'write-due',
  'write-proposed',
  'write-acknowledged',
  'record-open',
  'record-committed',
] as const;

/** Where a worker may be killed: around its election, a claim, the commit, the push, and the record of the batch. */
export const workerCrashPoints = [
  'election-open',
  'election-committed',
  'claim-due',
  'claim-committed',
  'write-due',
  'write-proposed',
  'push-due',
  'push-answered',
  'write-acknowledged',
  'record-half',
  'record-open',
  'record-committed',
] as const;

export type CrashPoint = (typeof crashPoints | typeof workerCrashPoints)[number];

type Pass = (point: CrashPoint) => void;

/** What a stack is opened with, so that the process kills itself when it passes a point for the `nth` time. */
export function crashAt(
  point: CrashPoint,
  nth: number,
  { store }: Pick<StackOptions, 'store'>,
): Pick<StackOptions, 'store' | 'wrap'> {
  let left = nth;
  const pass: Pass = (passed) => {
    // SIGKILL, so that nothing is flushed, closed or given back.
    if (passed === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const { remote } = store;
  return {
    store: remote === undefined ? store : { ...store, remote: { ...remote, fetch: watchedFetch(pass) } },
    wrap: (ports) => ({
      repository: watchedRepository(ports.repository, pass),
      store: watchedStore(ports.store, pass),
    }),
  };
}

/** A pushed commit is made by then, and the branch of the remote is where it was, or has it. */
function watchedFetch(pass: Pass): typeof globalThis.fetch {
  return async (input, init) => {
    const isPush = init?.method === 'POST' && String(input).endsWith('/git-receive-pack');
    if (isPush) pass('push-due');
    const response = await fetch(input, init);
    if (isPush) pass('push-answered');
    return response;
  };
}

function watchedRepository(repository: Repository, pass: Pass): Repository {
  return {
    ...repository,
    async claimWork(claim, options) {
      pass('claim-due');
      const items = await repository.claimWork(claim, options);
      if (items.length > 0) pass('claim-committed');
      return items;
    },
    async transaction(body, options) {
      let kind: 'command' | 'record' | 'election' | undefined;
      const result = await repository.transaction(async (transaction) => {
        kind = undefined;
        const seen = <Key extends 'insertInstance' | 'updateDesired' | 'putGitState'>(key: Key) =>
          ((...given: Parameters<RepositoryTransaction[Key]>) => {
            if (kind === 'record') pass('record-half');
            kind = key === 'putGitState' ? 'record' : 'command';
            return (transaction[key] as (...parameters: typeof given) => Promise<void>)(...given);
          }) as RepositoryTransaction[Key];
        const answer = await body({
          ...transaction,
          insertInstance: seen('insertInstance'),
          updateDesired: seen('updateDesired'),
          putGitState: seen('putGitState'),
          async replaceLease(name, before, next) {
            const isReplaced = await transaction.replaceLease(name, before, next);
            // Not where it is renewed or given back.
            if (isReplaced && next !== undefined && next.token !== before?.token) kind = 'election';
            return isReplaced;
          },
        });
        if (kind !== undefined) pass(`${kind}-open`);
        return answer;
      }, options);
      if (kind !== undefined) pass(`${kind}-committed`);
      return result;
    },
  };
}

function watchedStore(store: StateStore, pass: Pass): StateStore {
  return {
    ...store,
    async write(changes, options) {
      // What a repository has beside its instances is looked at by every start.
      if (changes[0]?.subject === 'repository') return store.write(changes, options);
      pass('write-due');
      const proposed = changes.map(({ subject, propose }) => ({
        subject,
        async propose(snapshot: Parameters<typeof propose>[0]) {
          const proposal = await propose(snapshot);
          if (proposal !== null) pass('write-proposed');
          return proposal;
        },
      }));
      const receipts = await store.write(proposed, options);
      if (receipts.some(({ outcome }) => outcome === 'written')) pass('write-acknowledged');
      return receipts;
    },
  };
}
