import { describe, it } from 'vitest';
import { createSqlRepository } from '../src/index.ts';
import { proveModel } from './repository-model.ts';

describe('the repository in SQLite', () => {
  it('does what the repository in memory does, in any sequence of operations', () =>
    proveModel(() => createSqlRepository({ file: ':memory:' }), { numRuns: 100, maxCommands: 60 }));
});
