import { describe, it } from 'vitest';
import { temporaryDirectory } from '../git-command.ts';
import { bundleChild } from './crash-runs.ts';
import { CRASH_SCENARIOS, type CrashScenario } from './crash-scenarios.ts';
import { provePowerCuts } from './power-cut-runs.ts';

const LOCAL = CRASH_SCENARIOS.filter(({ hasRemote }) => !hasRemote);

describe('a power cut', () => {
  it.each(LOCAL.map((scenario): [string, CrashScenario] => [scenario.name, scenario]))(
    'at any time leaves the old or the new tip, whatever was not synced: %s',
    async (_, scenario) => {
      await using root = await temporaryDirectory();
      await provePowerCuts(await bundleChild(root.path), scenario, 60);
    },
  );
});
