import { createExclusive, type Exclusive } from '../exclusive.ts';
import type { SqlConnection } from '../sql-executor.ts';

/** Runs `body` between a savepoint and its release, and rolls back to it where `body` throws. */
export async function inSavepoint<T>(
  connection: SqlConnection,
  name: string,
  body: (connection: SqlConnection) => Promise<T>,
): Promise<T> {
  await connection.query(`SAVEPOINT ${name}`, []);
  let result: T;
  try {
    result = await body(connection);
  } catch (error) {
    await rollBackTo(connection, name);
    throw error;
  }
  await connection.query(`RELEASE SAVEPOINT ${name}`, []);
  return result;
}

/** Its own failure is not told: then the connection is lost, and the next statement says so. */
async function rollBackTo(connection: SqlConnection, name: string): Promise<void> {
  try {
    await connection.query(`ROLLBACK TO SAVEPOINT ${name}`, []);
    await connection.query(`RELEASE SAVEPOINT ${name}`, []);
  } catch {}
}

const turns = new WeakMap<object, Exclusive>();

/** One after the other on each connection: savepoints that overlap would release one another. */
export function turnsOf(connection: object): Exclusive {
  const known = turns.get(connection) ?? createExclusive();
  turns.set(connection, known);
  return known;
}
