import type { Repository, RepositoryTransaction, StateStore } from '@caelus/core';
import type { StackOptions } from './stack.ts';

/** Where a process may be killed: around a command's transaction, the write to Git, and the record of that write. */
export const crashPoints = [
  'command-open',
  'command-committed',
  'write-due',
  'write-proposed',
  'write-acknowledged',
  'record-open',
  'record-committed',
] as const;

export type CrashPoint = (typeof crashPoints)[number];

/** Wraps the ports so that the process kills itself when it passes a point for the `nth` time. */
export function crashAt(point: CrashPoint, nth: number): NonNullable<StackOptions['wrap']> {
  let left = nth;
  const pass = (passed: CrashPoint) => {
    // SIGKILL, so that nothing is flushed, closed or given back.
    if (passed === point && --left === 0) process.kill(process.pid, 'SIGKILL');
  };
  return ({ repository, store }) => ({ repository: watched(repository, pass), store: watchedStore(store, pass) });
}

function watched(repository: Repository, pass: (point: CrashPoint) => void): Repository {
  return {
    ...repository,
    async transaction(body, options) {
      let kind: 'command' | 'record' | undefined;
      const result = await repository.transaction(async (transaction) => {
        kind = undefined;
        const seen = <Key extends 'insertInstance' | 'updateDesired' | 'putGitState'>(key: Key) =>
          ((...given: Parameters<RepositoryTransaction[Key]>) => {
            kind = key === 'putGitState' ? 'record' : 'command';
            return (transaction[key] as (...parameters: typeof given) => Promise<void>)(...given);
          }) as RepositoryTransaction[Key];
        const answer = await body({
          ...transaction,
          insertInstance: seen('insertInstance'),
          updateDesired: seen('updateDesired'),
          putGitState: seen('putGitState'),
        });
        if (kind !== undefined) pass(`${kind}-open`);
        return answer;
      }, options);
      if (kind !== undefined) pass(`${kind}-committed`);
      return result;
    },
  };
}

function watchedStore(store: StateStore, pass: (point: CrashPoint) => void): StateStore {
  return {
    ...store,
    async write(changes, options) {
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
