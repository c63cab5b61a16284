import { describe, it } from 'vitest';
import { proveFaultyNetwork } from './faulty-runs.ts';

describe('stores of a remote that fails in all ways', () => {
  it('have every change in history exactly once', () => proveFaultyNetwork({ numRuns: 12 }));
});
