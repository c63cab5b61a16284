import { describe, it } from 'vitest';
import { proveKills, proveSharedFile } from './process-proofs.ts';

describe('two processes on one file', () => {
  it('lose nothing in a thousand transactions each', () => proveSharedFile(1000));
});

describe('processes that are killed in the middle of transactions', () => {
  it('have kept what they acknowledged, forty times over', () => proveKills(20));
});
