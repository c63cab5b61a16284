import assert from 'node:assert/strict';
import { isCaelusError } from '../errors.ts';
import type { ChartSource, UnpinnedChartSource } from '../model/chart-source.ts';
import type { ChartResolver } from '../ports/chart-resolver.ts';
import type { ContractRunner } from './contract-runner.ts';

export interface ChartResolverContractOptions {
  readonly name: string;
  create(): Promise<ChartResolver>;
  /** What the resolver under test can find, and what it must find. */
  readonly known: readonly { readonly given: UnpinnedChartSource; readonly pinned: ChartSource }[];
  /** What it cannot find. */
  readonly unknown: UnpinnedChartSource;
}

/** What every {@link ChartResolver} promises. */
export function chartResolverContract({ describe, it }: ContractRunner, options: ChartResolverContractOptions): void {
  describe(`chart resolver contract: ${options.name}`, () => {
    it('pins what it finds, and what is pinned stays', async () => {
      const resolver = await options.create();
      for (const { given, pinned } of options.known) {
        assert.deepEqual(await resolver.resolve(given), pinned);
        assert.deepEqual(await resolver.resolve(pinned), pinned);
      }
    });

    it('refuses what it cannot find', async () => {
      const resolver = await options.create();
      await assert.rejects(resolver.resolve(options.unknown), (error) =>
        isCaelusError(error, 'CHART_VERSION_FLOATING'),
      );
    });

    it('stops with the reason of the signal', async () => {
      const resolver = await options.create();
      const reason = new Error('stopped by the test');
      await assert.rejects(resolver.resolve(options.unknown, { signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
