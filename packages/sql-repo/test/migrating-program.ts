// A process that opens a database, a file or the URL of PostgreSQL: `<database>` prints its store id; `<database> <number>` is
// killed before that statement of the migrations.
import { writeSync } from 'node:fs';
import pg from 'pg';
import { createSqlRepository, fromPgPool } from '../src/index.ts';
import { loadSqliteDriver } from '../src/sqlite/sqlite-driver.ts';
import { applyMigrations, interruptedExecutor } from './interrupted-migration.ts';

const [database = '', last] = process.argv.slice(2);
const kill = () => process.kill(process.pid, 'SIGKILL');

if (database.startsWith('postgres:')) {
  const pool = new pg.Pool({ connectionString: database, max: 2 });
  const executor = fromPgPool(pool);
  const limit = last === undefined ? Number.POSITIVE_INFINITY : Number(last);
  await using repository = await createSqlRepository({ executor: interruptedExecutor(executor, limit, kill) });
  writeSync(1, `${repository.storeId}\n`);
  await pool.end();
} else if (last === undefined) {
  await using repository = await createSqlRepository({ file: database });
  writeSync(1, `${repository.storeId}\n`);
} else {
  const { name } = await loadSqliteDriver();
  await applyMigrations(database, name, Number(last), kill);
}
