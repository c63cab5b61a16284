import { describe, it } from 'vitest';
import { raceOnDirectory, raceOnRemote } from './race-runs.ts';

describe('four processes of 250 changes each', () => {
  it('lose nothing on one directory, one caller each', () =>
    raceOnDirectory({ writers: 4, changes: 250, callers: 1, sharedEvery: 2 }, false));

  it('lose nothing on one directory, beside commits, repacking and garbage collection of stock Git', () =>
    raceOnDirectory({ writers: 4, changes: 250, callers: 5, sharedEvery: 2 }, true));

  // A push takes a chain of five processes on the server, and of those that race all but one are in vain. So callers share
  // pushes, and fewer of them want the file that only one change of a commit can have.
  it('lose nothing on one remote, each with a clone', () =>
    raceOnRemote({ writers: 4, changes: 250, callers: 25, sharedEvery: 10 }));

  it('lose nothing on one directory, two of them by native git, beside stock Git', () =>
    raceOnDirectory({ writers: 4, native: 2, changes: 100, callers: 5, sharedEvery: 2 }, true));

  it('lose nothing on one remote, two of them by native git', () =>
    raceOnRemote({ writers: 4, native: 2, changes: 100, callers: 25, sharedEvery: 25 }));
});
