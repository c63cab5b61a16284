// Caelus on a real Argo CD: what a notifier, a watch and manifest-generate-paths are worth. Argo CD, Kubernetes, the Git server and
// the chart repository are processes of a testbed on loopback, and share the processors with what is measured.
import type { BenchResult } from '../bench-result.ts';
import { createArgoCdPlace } from './argocd-place.ts';
import { clickNotified, clickPolled, compareClicks, type Sample } from './latency-part.ts';
import { benchManifests } from './manifests-part.ts';
import { benchWatches } from './watch-part.ts';

export const ARGOCD_BENCHES = ['argocd-latency', 'argocd-watch', 'argocd-manifests'] as const;
export type ArgoCdBenchName = (typeof ARGOCD_BENCHES)[number];

export interface ArgoCdBenchOptions {
  /** Default: all. */
  readonly names?: readonly ArgoCdBenchName[] | undefined;
  /** Instances that are present where manifests are counted. Default 200 and 1,000; short: 5. */
  readonly sizes?: readonly number[] | undefined;
  /** A few rounds of each, to see that everything works. */
  readonly short?: boolean | undefined;
  /** Told what is measured next. Default: silent. */
  readonly progress?: ((line: string) => void) | undefined;
}

/** Of an Argo CD that nobody has set up otherwise. */
const DEFAULT_POLLING_SECONDS = 120;

export async function benchArgoCd(options: ArgoCdBenchOptions = {}): Promise<readonly BenchResult[]> {
  const { names = ARGOCD_BENCHES, short = false, progress = () => {} } = options;
  const { sizes = short ? [5] : [200, 1000] } = options;
  const wants = (name: ArgoCdBenchName) => names.includes(name);
  const results: BenchResult[] = [];
  const polled: Sample[] = [];
  const polling = short ? 10 : DEFAULT_POLLING_SECONDS;
  if (wants('argocd-latency')) {
    await using plain = await createArgoCdPlace({ polling, progress });
    progress('  argocd-latency, a plain Argo CD');
    const notified = await clickNotified(plain, short);
    polled.push(...(await clickPolled(plain, short)));
    results.push(...compareClicks('plain', notified, polled, short));
  }
  // What verify recommends.
  await using place = await createArgoCdPlace({ polling, syncWaveDelay: 0, progress });
  if (wants('argocd-latency')) {
    progress('  argocd-latency, without waits between waves');
    results.push(...compareClicks('without waits between waves', await clickNotified(place, short), polled, short));
  }
  if (wants('argocd-watch')) {
    progress('  argocd-watch');
    results.push(...(await benchWatches(place, short)));
  }
  if (wants('argocd-manifests')) results.push(...(await benchManifests(place, sizes, short)));
  return results;
}
