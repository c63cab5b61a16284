import { repositoryContract } from '@caelus/core/testing';
import { afterAll, beforeAll, it } from 'vitest';
import { fromPgPool, type SqlExecutor } from '../src/index.ts';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

let database: TestDatabase;
// A pool for each of the two that open one database, and not for each test: the server has only so many connections.
let first: SqlExecutor;
let second: SqlExecutor;
beforeAll(async () => {
  database = await createDatabase();
  first = fromPgPool(database.pool({ max: 4 }));
  second = fromPgPool(database.pool({ max: 4 }));
});
afterAll(() => database[Symbol.asyncDispose]());

let schemas = 0;

repositoryContract(
  { describe: describeWithServer, it },
  {
    name: 'PostgreSQL, pool of pg',
    capabilities: { multiProcess: true, durable: true },
    async create() {
      schemas += 1;
      const schema = `contract_${schemas}`;
      return {
        repository: await database.open({ schema, executor: first }),
        reopen: () => database.open({ schema, executor: second }),
      };
    },
  },
);
