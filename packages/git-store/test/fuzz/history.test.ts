import fc from 'fast-check';
import { describe, it } from 'vitest';
import { checkHistory, history } from './history-fuzz.ts';

// Many more of them are in `history.stress.ts`.
describe('random histories', () => {
  it('are the same objects as those that stock Git makes of the same content', () =>
    fc.assert(fc.asyncProperty(history, checkHistory), { numRuns: 3, endOnFailure: true }));
});
