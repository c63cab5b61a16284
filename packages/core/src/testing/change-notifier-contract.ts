import assert from 'node:assert/strict';
import { repoPath } from '../layout/repo-path.ts';
import type { CommitId } from '../model/identifier.ts';
import type { ChangeNotification, ChangeNotifier } from '../ports/change-notifier.ts';
import type { ContractRunner } from './contract-runner.ts';

/** A notifier under test, and what reached the other side. */
export interface ChangeNotifierSubject extends AsyncDisposable {
  readonly notifier: ChangeNotifier;
  /** Commit and paths of each notification that arrived, in order. */
  received(): Promise<readonly { readonly commit: string; readonly paths: readonly string[] }[]>;
}

export interface ChangeNotifierContractOptions {
  readonly name: string;
  create(): Promise<ChangeNotifierSubject>;
}

/** What every {@link ChangeNotifier} promises. */
export function changeNotifierContract(
  { describe, it }: ContractRunner,
  { name, create }: ChangeNotifierContractOptions,
): void {
  const notification = (digit: string): ChangeNotification => ({
    commit: digit.repeat(40) as CommitId,
    edits: [
      { path: repoPath('instances', digit, 'values.yaml'), bytes: new Uint8Array(1) },
      { path: repoPath('argo-cd', 'applications', `${digit}.yaml`), bytes: null },
    ],
    applications: [digit],
  });

  describe(`change notifier contract: ${name}`, () => {
    it('names the commit and exactly the changed files, removed ones included', async () => {
      await using subject = await create();
      await subject.notifier.notify(notification('a'));
      await subject.notifier.notify(notification('b'));
      const paths = (digit: string) => [`instances/${digit}/values.yaml`, `argo-cd/applications/${digit}.yaml`].sort();
      const received = await subject.received();
      assert.deepEqual(
        received.map((found) => ({ commit: found.commit, paths: [...found.paths].sort() })),
        ['a', 'b'].map((digit) => ({ commit: digit.repeat(40), paths: paths(digit) })),
      );
    });

    it('stops with the reason of the signal, and then tells nothing', async () => {
      await using subject = await create();
      const reason = new Error('enough');
      await assert.rejects(subject.notifier.notify(notification('a'), { signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(await subject.received(), []);
    });
  });
}
