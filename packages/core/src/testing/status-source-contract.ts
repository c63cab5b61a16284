import assert from 'node:assert/strict';
import type { ApplicationEvent, StatusSource } from '../ports/status-source.ts';
import type { ContractRunner } from './contract-runner.ts';

/** A status source under test, with a hand on what is behind it. */
export interface StatusSourceSubject extends AsyncDisposable {
  readonly source: StatusSource;
  /** Makes the Application exist, or changes it; `revision` is what its status then reports as compared. */
  put(name: string, revision: string): Promise<void>;
  /** Makes it not exist. */
  remove(name: string): Promise<void>;
}

export interface StatusSourceContractOptions {
  readonly name: string;
  create(): Promise<StatusSourceSubject>;
}

/** What every {@link StatusSource} promises. */
export function statusSourceContract(
  { describe, it }: ContractRunner,
  { name, create }: StatusSourceContractOptions,
): void {
  const A = 'a'.repeat(40);
  const B = 'b'.repeat(40);
  const revisionOf = (event: ApplicationEvent) =>
    event.type === 'present'
      ? (event.application.status?.sync?.revisions?.[0] ?? event.application.status?.sync?.revision)
      : undefined;

  describe(`status source contract: ${name}`, () => {
    it('gets an Application by name, and nothing for one that does not exist', async () => {
      await using subject = await create();
      assert.equal(await subject.source.get('one'), undefined);
      await subject.put('one', A);
      const found = await subject.source.get('one');
      assert.equal(found?.metadata.name, 'one');
      assert.equal(revisionOf({ type: 'present', application: found }), A);
    });

    it('lists every Application once', async () => {
      await using subject = await create();
      for (const application of ['one', 'two', 'three']) await subject.put(application, A);
      await subject.remove('two');
      const names: string[] = [];
      for await (const application of subject.source.list()) names.push(application.metadata.name);
      assert.deepEqual(names.sort(), ['one', 'three']);
    });

    it('watches: what exists, then synced, then changes and removals', async () => {
      await using subject = await create();
      await subject.put('one', A);
      const stop = new AbortController();
      const events = subject.source.watch({ signal: stop.signal })[Symbol.asyncIterator]();
      const first = await events.next();
      assert.equal(first.value.type, 'present');
      assert.equal((await events.next()).value.type, 'synced');
      await subject.put('one', B);
      await until(events, (event) => revisionOf(event) === B);
      await subject.put('two', A);
      await until(events, (event) => event.type === 'present' && event.application.metadata.name === 'two');
      await subject.remove('one');
      await until(events, (event) => event.type === 'absent' && event.name === 'one');
      stop.abort(new Error('enough'));
      await assert.rejects(
        until(events, () => false),
        /enough/,
      );
    });

    it('does not miss the last state of an Application that changes while nobody reads', async () => {
      await using subject = await create();
      const stop = new AbortController();
      const events = subject.source.watch({ signal: stop.signal })[Symbol.asyncIterator]();
      await until(events, ({ type }) => type === 'synced');
      for (let round = 0; round < 50; round++) await subject.put('one', A);
      await subject.put('one', B);
      await until(events, (event) => revisionOf(event) === B);
      stop.abort();
    });

    it('stops with the reason of the signal', async () => {
      await using subject = await create();
      const reason = new Error('stopped by the test');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(subject.source.get('one', { signal }), reason);
      await assert.rejects(drain(subject.source.list({ signal })), reason);
      await assert.rejects(drain(subject.source.watch({ signal })), reason);
    });
  });
}

async function until(
  events: AsyncIterator<ApplicationEvent>,
  found: (event: ApplicationEvent) => boolean,
): Promise<void> {
  for (;;) {
    const { value, done } = await events.next();
    assert.ok(!done, 'the watch ended by itself');
    if (found(value)) return;
  }
}

async function drain(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of iterable);
}
