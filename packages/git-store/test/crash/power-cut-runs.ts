import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { RecordedStep } from './crash-child.ts';
import { checkPlace, endOf, prepareSite, startChild } from './crash-runs.ts';
import { BRANCH, type CrashScenario, open, type Place, writePair } from './crash-scenarios.ts';
import { type Chance, PowerCutDisk, readImage, writeImage } from './power-cut.ts';

/** Cuts the power at many points of what a scenario does, and checks what is left on the disk each time. */
export async function provePowerCuts(bundle: string, scenario: CrashScenario, cuts: number): Promise<void> {
  await using site = await prepareSite(scenario);
  const { place, before } = site;
  const first = await readImage(place.root);
  const { steps } = await endOf(startChild(bundle, scenario.name, JSON.stringify(place), 'record'));
  const replayed = replay(new PowerCutDisk(first), steps);
  // Every call was seen, and understood: what it adds up to is what is there.
  const { directories, files } = await readImage(place.root);
  expect(replayed.now().directories).toEqual(directories);
  expect(new Map([...replayed.now().files].sort())).toEqual(new Map([...files].sort()));

  const cutAfter = async (end: number, chance: Chance) => {
    const done = steps.slice(0, end);
    await writeImage(place.root, replay(new PowerCutDisk(first), done).cut(chance));
    await freeLocks(place);
    const acknowledged = done.flatMap((step) => ('acknowledged' in step ? [step.acknowledged] : []));
    await checkPlace(place, before, acknowledged, scenario);
  };
  // Right after something was acknowledged, with the loss of all that was not synced.
  for (const [index, step] of steps.entries()) if ('acknowledged' in step) await cutAfter(index + 1, () => 0);
  const chances = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
  await fc.assert(
    fc.asyncProperty(fc.nat(steps.length), chances, (end, stream) => cutAfter(end, () => stream.next().value)),
    { numRuns: cuts },
  );
}

function replay(disk: PowerCutDisk, steps: readonly RecordedStep[]): PowerCutDisk {
  for (const step of steps) disk.apply(step);
  return disk;
}

/**
 * A lock that came back without what it says of its owner is reported, and left alone, as one of Git's would be. So whoever
 * reads the report removes it.
 */
async function freeLocks(place: Place): Promise<void> {
  const refs = join(place.directory, 'refs');
  const names = await readdir(refs, { recursive: true }).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith('.lock'))) {
    const isOwned = (await readFile(join(refs, name), 'utf8')).includes('"nonce"');
    if (isOwned) continue;
    if (name === `heads/${BRANCH}.lock`) {
      await using store = await open(place);
      await expect(writePair(store, 'locked', 'x')).rejects.toMatchObject({ code: 'GIT_REF_LOCKED' });
    }
    await rm(join(refs, name));
  }
}
