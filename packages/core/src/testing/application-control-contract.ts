import assert from 'node:assert/strict';
import type { CallOptions } from '../call-options.ts';
import { type ErrorCode, isCaelusError } from '../errors.ts';
import type { StatusSource } from '../ports/status-source.ts';
import type { Application } from '../status/application.ts';
import type { ContractRunner } from './contract-runner.ts';

/** An Application control under test, with a hand on Argo CD. */
export interface ApplicationControlSubject extends AsyncDisposable {
  readonly source: StatusSource & Required<Pick<StatusSource, 'control'>>;
  /**
   * Makes an Application exist, and resolves when it is in that state. `synced`: syncs are automatic, and none is needed.
   * `out-of-sync`: one is needed, and nobody starts it. `syncing`: one runs that does not end. `deleting`: it is being deleted, and
   * something holds it.
   */
  put(name: string, state: 'synced' | 'out-of-sync' | 'syncing' | 'deleting'): Promise<void>;
  /** Lets Argo CD work for a moment, a tenth of a second at most. */
  turn(): Promise<void>;
}

export interface ApplicationControlContractOptions {
  readonly name: string;
  create(): Promise<ApplicationControlSubject>;
}

/** How many turns something may take: two minutes of a real one. */
const MOST_TURNS = 1_200;

/** What every `ApplicationControl` promises. */
export function applicationControlContract(
  { describe, it }: ContractRunner,
  { name, create }: ApplicationControlContractOptions,
): void {
  describe(`application control contract: ${name}`, () => {
    it('has an Application compared anew', async () => {
      await using subject = await create();
      await subject.put('one', 'synced');
      for (const hard of [false, true]) {
        const before = (await subject.source.get('one'))?.status?.reconciledAt;
        // Argo CD knows seconds: what it compares again within the same one looks as before, and so it is asked once more.
        const refresh = () => subject.source.control.refresh('one', { hard });
        await until(subject, 'one', ({ status }) => status?.reconciledAt !== before, refresh);
      }
    });

    it('syncs an Application that nobody else would', async () => {
      await using subject = await create();
      await subject.put('one', 'out-of-sync');
      await subject.source.control.sync('one');
      const synced = await until(subject, 'one', ({ status }) => status?.sync?.status === 'Synced');
      assert.equal(synced.status?.operationState?.phase, 'Succeeded');
    });

    it('syncs an Application whose syncs are automatic', async () => {
      await using subject = await create();
      await subject.put('one', 'synced');
      const before = (await subject.source.get('one'))?.status?.operationState?.startedAt;
      await subject.source.control.sync('one', { prune: true });
      await until(subject, 'one', ({ status }) => {
        const { phase, startedAt } = status?.operationState ?? {};
        return phase === 'Succeeded' && startedAt !== before;
      });
    });

    it('leaves the sync that runs alone, and starts no second one', async () => {
      await using subject = await create();
      await subject.put('one', 'syncing');
      const before = (await subject.source.get('one'))?.status?.operationState;
      await rejects('OPERATION_RUNNING', subject.source.control.sync('one'));
      const { phase, startedAt } = (await subject.source.get('one'))?.status?.operationState ?? {};
      assert.deepEqual({ phase, startedAt }, { phase: 'Running', startedAt: before?.startedAt });
    });

    it('ends the sync that runs, and does nothing where none does', async () => {
      await using subject = await create();
      await subject.put('one', 'syncing');
      await subject.source.control.terminateOperation('one');
      const isOver = ({ operation, status }: Application) =>
        !operation && /^(?:Failed|Error)$/.test(status?.operationState?.phase ?? '');
      const { status } = await until(subject, 'one', isOver);
      assert.match(status?.operationState?.message ?? '', /terminated/i);
      await subject.source.control.terminateOperation('one');
      assert.equal((await subject.source.get('one'))?.status?.operationState?.phase, status?.operationState?.phase);
    });

    it('syncs nothing that is being deleted', async () => {
      await using subject = await create();
      await subject.put('one', 'deleting');
      await rejects('APPLICATION_DELETING', subject.source.control.sync('one'));
      assert.ok(!(await subject.source.get('one'))?.operation);
    });

    it('says that there is no such Application', async () => {
      await using subject = await create();
      await rejects('APPLICATION_UNKNOWN', subject.source.control.refresh('none'));
      await rejects('APPLICATION_UNKNOWN', subject.source.control.sync('none'));
      await subject.source.control.terminateOperation('none');
      assert.equal(await subject.source.get('none'), undefined);
    });

    it('stops with the reason of the signal', async () => {
      await using subject = await create();
      await subject.put('one', 'out-of-sync');
      const reason = new Error('stopped by the test');
      const options: CallOptions = { signal: AbortSignal.abort(reason) };
      const { control } = subject.source;
      await assert.rejects(control.refresh('one', options), reason);
      await assert.rejects(control.sync('one', options), reason);
      await assert.rejects(control.terminateOperation('one', options), reason);
      assert.ok(!(await subject.source.get('one'))?.operation);
    });
  });
}

async function until(
  { source, turn }: ApplicationControlSubject,
  name: string,
  isSo: (application: Application) => boolean,
  ask: () => Promise<void> = async () => {},
): Promise<Application> {
  for (let turns = 0; ; turns += 1) {
    const application = await source.get(name);
    if (application !== undefined && isSo(application)) return application;
    assert.ok(turns < MOST_TURNS, `it did not become so: ${isSo}, ${JSON.stringify(application?.status)}`);
    await ask();
    await turn();
  }
}

async function rejects(code: ErrorCode, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => isCaelusError(error, code) || assert.fail(error as Error));
}
