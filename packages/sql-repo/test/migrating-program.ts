// A process that opens a database: `<file>` prints its store id; `<file> <number>` is killed before that statement of the
// migrations.
import { writeSync } from 'node:fs';
import { createSqlRepository } from '../src/index.ts';
import { loadSqliteDriver } from '../src/sqlite/sqlite-driver.ts';
import { applyMigrations } from './interrupted-migration.ts';

const [file = '', last] = process.argv.slice(2);
if (last === undefined) {
  await using repository = await createSqlRepository({ file });
  writeSync(1, `${repository.storeId}\n`);
} else {
  const { name } = await loadSqliteDriver();
  await applyMigrations(file, name, Number(last), () => process.kill(process.pid, 'SIGKILL'));
}
