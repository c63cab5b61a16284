import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../git-command.ts';
import { bundleChild, killAtEach, recordScenario } from './crash-runs.ts';
import { CRASH_SCENARIOS, type CrashScenario } from './crash-scenarios.ts';
import { provePowerCuts } from './power-cut-runs.ts';

/** Where the state on the disk is most delicate. All of them are killed in `crash.stress.ts`. */
const SAMPLE = /^(?:rename|link|request)$/;

describe('a process that is killed by the system', () => {
  it.each(['two commits on a history', 'a push, and a tag on the remote'])(
    'leaves the old or the new tip, and nothing that blocks the next: %s',
    async (name) => {
      await using root = await temporaryDirectory();
      const bundle = await bundleChild(root.path);
      const scenario = scenarioNamed(name);
      const { points } = await recordScenario(bundle, scenario);
      const sample = points.filter((point) => SAMPLE.test(point.name) && point.when === 'after');
      expect(sample.length).toBeGreaterThan(2);
      expect(await killAtEach(bundle, scenario, sample)).toBe(sample.length);
    },
  );
});

describe('a power cut', () => {
  it('leaves the old or the new tip, whatever was not synced', async () => {
    await using root = await temporaryDirectory();
    await provePowerCuts(await bundleChild(root.path), scenarioNamed('a new repository and its first commit'), 10);
  });
});

function scenarioNamed(name: string): CrashScenario {
  const scenario = CRASH_SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`);
  return scenario;
}
