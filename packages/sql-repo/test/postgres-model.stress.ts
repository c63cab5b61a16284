import { afterAll, beforeAll, it } from 'vitest';
import { fromPgPool } from '../src/index.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';
import { proveModel } from './repository-model.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

describeWithServer('the repository in PostgreSQL', () => {
  it('does what the repository in memory does, in any sequence of operations', async () => {
    const pool = database.pool();
    const executor = fromPgPool(pool);
    let schemas = 0;
    const open = async () => {
      await pool.query(`DROP SCHEMA IF EXISTS model_${schemas} CASCADE`);
      schemas += 1;
      return database.open({ schema: `model_${schemas}`, executor });
    };
    await proveModel(open, { numRuns: 30, maxCommands: 60 });
  });
});
