import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../git-command.ts';
import { bundleChild, checkPlace, endOf, killAtEach, prepareSite, recordScenario, startChild } from './crash-runs.ts';
import { CRASH_SCENARIOS, type CrashScenario } from './crash-scenarios.ts';

const LEAST_KILLS = 1000;
/** Each beside the ones before, so that packs pile up and are folded; a new repository after so many. */
const KILLS_OF_ONE_REPOSITORY = 25;

let kills = 0;
let bundle = '';
let root: Awaited<ReturnType<typeof temporaryDirectory>> | undefined;

beforeAll(async () => {
  root = await temporaryDirectory();
  bundle = await bundleChild(root.path);
});
afterAll(async () => root?.[Symbol.asyncDispose]());

describe('a process that is killed before, in and after each of its calls', () => {
  it.each(CRASH_SCENARIOS.map((scenario): [string, CrashScenario] => [scenario.name, scenario]))(
    'leaves the old or the new tip, and nothing that blocks the next: %s',
    async (name, scenario) => {
      const { points } = await recordScenario(bundle, scenario);
      const killed = await killAtEach(bundle, scenario, points);
      expect(killed).toBeGreaterThanOrEqual(scenario.hasRemote ? 0.9 * points.length : points.length);
      kills += killed;
      process.stdout.write(`${killed} kills: ${name}\n`);
    },
  );
});

describe('processes that are killed at any time', () => {
  it(`lose nothing that they acknowledged, until there were ${LEAST_KILLS} kills`, async () => {
    const before = kills;
    const killOften = async () => {
      while (kills < LEAST_KILLS || kills < before + 2 * KILLS_OF_ONE_REPOSITORY) {
        await using site = await prepareSite({ name: '', hasRemote: false, commits: 0, prepare, work: prepare });
        const acknowledged: string[] = [];
        for (let kill = 0; kill < KILLS_OF_ONE_REPOSITORY; kill += 1) {
          const child = startChild(bundle, '', JSON.stringify(site.place), 'loop');
          const ended = endOf(child);
          // From the moment at which it was seen to write.
          await once(child.stdout, 'data');
          const until = performance.now() + Math.random() * 60;
          while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
          child.kill('SIGKILL');
          const end = await ended;
          expect(end.wasKilled).toBe(true);
          acknowledged.push(...end.acknowledged);
          kills += 1;
          await checkPlace(site.place, [], acknowledged, {});
        }
      }
    };
    await Promise.all([killOften(), killOften()]);
    process.stdout.write(`${kills - before} kills at any time, ${kills} in all\n`);
    expect(kills).toBeGreaterThanOrEqual(LEAST_KILLS);
  });

  async function prepare(): Promise<void> {}
});
