import { join } from 'node:path';
import { repositoryContract } from '@caelus/core/testing';
import { describe, it } from 'vitest';
import { createSqlRepository } from '../src/create-sql-repository.ts';
import { presentDrivers, temporaryDirectory } from './sqlite-files.ts';

for (const { name: driver } of await presentDrivers()) {
  repositoryContract(
    { describe, it },
    {
      name: `SQLite file, ${driver}`,
      capabilities: { multiProcess: true, durable: true },
      async create() {
        const directory = await temporaryDirectory();
        const open = () => createSqlRepository({ file: join(directory.path, 'caelus.db'), driver });
        return { repository: await open(), reopen: open, remove: () => directory[Symbol.asyncDispose]() };
      },
    },
  );
  repositoryContract(
    { describe, it },
    {
      name: `SQLite in memory, ${driver}`,
      capabilities: { multiProcess: false, durable: false },
      create: async () => ({ repository: await createSqlRepository({ file: ':memory:', driver }) }),
    },
  );
}
