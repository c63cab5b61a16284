import type { SimulatedArgoCd } from '@caelus/core/testing';
import { systemClock } from '@caelus/engine';

/** Lets a simulated Argo CD take a step every so many milliseconds, until it is disposed of. */
export function runCluster(argoCd: SimulatedArgoCd, milliseconds: number): AsyncDisposable {
  const stopped = new AbortController();
  const running = (async () => {
    while (!stopped.signal.aborted) {
      await argoCd.reconcile();
      await systemClock.sleep(milliseconds, stopped).catch(() => {});
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
    },
  };
}
