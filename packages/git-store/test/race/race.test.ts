import { describe, it } from 'vitest';
import { raceOnDirectory, raceOnRemote } from './race-runs.ts';

// The long ones are in `race.stress.ts`.
describe('processes that race', () => {
  it('lose nothing on one directory', () =>
    raceOnDirectory({ writers: 2, changes: 40, callers: 2, sharedEvery: 2 }, true));

  it('lose nothing on one remote, each with a clone', () =>
    raceOnRemote({ writers: 2, changes: 12, callers: 4, sharedEvery: 4 }));
});
