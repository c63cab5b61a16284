import { setTimeout as wait } from 'node:timers/promises';
import type { StatusSource } from '@caelus/core';
import type { Caelus } from '@caelus/engine';
import { type BenchResult, percentile } from '../bench-result.ts';
import { type ArgoCdPlace, fillUp, untilRunning } from './argocd-place.ts';

/** How long after a click something was there, in milliseconds. */
export interface Sample {
  readonly application: number;
  readonly running: number;
  /** After another click, which changes a value. */
  readonly changed: number;
}

const WORK: Readonly<Record<keyof Sample, string>> = {
  application: 'from a click to its Application',
  running: 'from a click to an instance that runs',
  changed: 'from a change to an instance that runs with it',
};

const PRESENT = 100;
const SAMPLES = 30;
/** Each waits for Argo CD's polling, so they overlap: one begins every so often. */
const POLLED_SAMPLES = 10;
const POLLED_EVERY_MILLISECONDS = 37_000;
/** Between two clicks, so that one does not wait for what the one before has set off. */
const PAUSE_MILLISECONDS = 3_000;

/** What clicks came to, with a notifier and a watch. */
export async function clickNotified(place: ArgoCdPlace, short: boolean): Promise<readonly Sample[]> {
  await using sightings = watchSightings(place.status);
  const caelus = place.createCaelus(place.notifier);
  await using _worker = caelus.start();
  await fillUp(caelus, place.product, short ? 3 : PRESENT);
  const samples: Sample[] = [];
  for (let sample = 0; sample < (short ? 2 : SAMPLES); sample += 1) {
    await wait(short ? 0 : PAUSE_MILLISECONDS);
    samples.push(await click(place, caelus, sightings));
  }
  return samples;
}

/** What clicks came to where nobody tells Argo CD: it finds out by polling. */
export async function clickPolled(place: ArgoCdPlace, short: boolean): Promise<readonly Sample[]> {
  await using sightings = watchSightings(place.status);
  const caelus = place.createCaelus(undefined);
  await using _worker = caelus.start();
  const clicks: Promise<Sample>[] = [];
  for (let sample = 0; sample < (short ? 1 : POLLED_SAMPLES); sample += 1) {
    if (sample > 0) await wait(POLLED_EVERY_MILLISECONDS);
    clicks.push(click(place, caelus, sightings));
  }
  // Awaited here: the worker ends with this block.
  return await Promise.all(clicks);
}

/** What is reported of clicks beside clicks that were left to polling. */
export function compareClicks(
  installation: string,
  notified: readonly Sample[],
  polled: readonly Sample[],
  short: boolean,
): readonly BenchResult[] {
  return (['application', 'running', 'changed'] as const).flatMap((what) =>
    [50, 95].map((percent) => {
      const of = (samples: readonly Sample[]) =>
        percentile(
          samples.map((sample) => sample[what]),
          percent,
        );
      const [ours, theirs] = [of(notified), of(polled)];
      const hasTarget = what === 'running' && percent === 50 && !short;
      return {
        name: 'argocd-latency',
        work: `${WORK[what]}, p${percent}`,
        against: 'no notifier: a plain Argo CD polls',
        unit: 'ms',
        median: ours,
        againstMedian: theirs,
        ratio: theirs / ours,
        target: hasTarget ? { text: 'under 3 s, 20x sooner', reached: ours < 3_000 && theirs / ours >= 20 } : null,
        runs: notified.length,
        parameters: { installation, present: short ? 3 : PRESENT, againstRuns: polled.length },
      };
    }),
  );
}

async function click(place: ArgoCdPlace, caelus: Caelus, sightings: Sightings): Promise<Sample> {
  const instance = await caelus.instances.create({ ...place.product, tenant: 'bench', values: { replicas: 1 } });
  const clicked = performance.now();
  await untilRunning(caelus, instance);
  const running = performance.now() - clicked;
  const application = (await sightings.of(instance.argoAppName)) - clicked;
  const changedInstance = await caelus.instances.update(instance.id, { values: { replicas: 1, title: 'Changed' } });
  const asked = performance.now();
  await untilRunning(caelus, changedInstance);
  return { application, running, changed: performance.now() - asked };
}

interface Sightings extends AsyncDisposable {
  of(name: string): Promise<number>;
}

/** When each Application was first seen, by a watch of its own. */
function watchSightings(status: StatusSource): Sightings {
  const stop = new AbortController();
  const seen = new Map<string, number>();
  const loop = (async () => {
    for await (const event of status.watch({ signal: stop.signal })) {
      const name = event.type === 'present' ? event.application.metadata.name : '';
      if (!seen.has(name)) seen.set(name, performance.now());
    }
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  return {
    async of(name) {
      while (!seen.has(name)) await wait(10, undefined, { signal: stop.signal });
      return seen.get(name) as number;
    },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('over'));
      await loop;
    },
  };
}
