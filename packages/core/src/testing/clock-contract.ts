import assert from 'node:assert/strict';
import type { Clock } from '../ports/clock.ts';
import type { ContractRunner } from './contract-runner.ts';

export interface ClockContractOptions {
  readonly name: string;
  /** A clock, and how its time is made to pass; a clock of the machine passes by itself. */
  create(): { readonly clock: Clock; advance(milliseconds: number): void };
}

/** What every {@link Clock} promises. */
export function clockContract({ describe, it }: ContractRunner, { name, create }: ClockContractOptions): void {
  describe(`clock contract: ${name}`, () => {
    it('sleeps as long as it was told, by its own time', async () => {
      const { clock, advance } = create();
      const before = clock.now().getTime();
      const slept = clock.sleep(20);
      advance(20);
      await slept;
      // Timers of the machine may fire up to a millisecond early by its clock.
      assert.ok(clock.now().getTime() - before >= 19);
    });

    it('does not sleep at all for nothing', async () => {
      await create().clock.sleep(0);
    });

    it('never goes back', async () => {
      const { clock, advance } = create();
      for (let step = 0; step < 100; step++) {
        const before = clock.now();
        advance(1);
        assert.ok(clock.now() >= before);
      }
    });

    it('wakes a sleeper with the reason of its signal, before and during', async () => {
      const { clock } = create();
      const reason = new Error('enough');
      await assert.rejects(clock.sleep(60_000, { signal: AbortSignal.abort(reason) }), reason);
      const stop = new AbortController();
      const slept = clock.sleep(60_000, { signal: stop.signal });
      stop.abort(reason);
      await assert.rejects(slept, reason);
    });
  });
}
