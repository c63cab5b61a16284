import { repositoryContract } from '@caelus/core/testing';
import { afterAll, beforeAll, it } from 'vitest';
import { createDatabase, describeWithServer, type TestDatabase } from './postgres-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
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
      const open = () => database.open({ schema }, { max: 4 });
      return { repository: await open(), reopen: open };
    },
  },
);
