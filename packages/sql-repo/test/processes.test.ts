import { describe, it } from 'vitest';
import { proveKills, proveSharedFile } from './process-proofs.ts';

describe('two processes on one file', () => {
  it('lose none of each other’s transactions, and never hold the same work', () => proveSharedFile(200));
});

describe('a process that is killed in the middle of transactions', () => {
  it('has kept every transaction that it acknowledged, and the next process goes on', () => proveKills(2));
});
