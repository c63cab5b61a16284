import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../git-command.ts';
import { bundleChild, killAtEach, recordScenario } from './crash-runs.ts';
import { CRASH_SCENARIOS } from './crash-scenarios.ts';

/** Where the state on the disk is most delicate. All of them are killed in `crash.stress.ts`. */
const SAMPLE = /^(?:rename|link|request)$/;

describe('a process that is killed by the system', () => {
  it.each(['two commits on a history', 'a push, and a tag on the remote'])(
    'leaves the old or the new tip, and nothing that blocks the next: %s',
    async (name) => {
      await using root = await temporaryDirectory();
      const bundle = await bundleChild(root.path);
      const scenario = CRASH_SCENARIOS.find((each) => each.name === name);
      if (scenario === undefined) throw new Error('there is no such scenario');
      const { points } = await recordScenario(bundle, scenario);
      const sample = points.filter((point) => SAMPLE.test(point.name) && point.when === 'after');
      expect(sample.length).toBeGreaterThan(2);
      expect(await killAtEach(bundle, scenario, sample)).toBe(sample.length);
    },
  );
});
