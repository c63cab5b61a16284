import { CaelusError } from '@caelus/core';
import type { SqlConnection, SqlExecutor } from '../sql-executor.ts';
import { sqlStateOf } from './postgres-errors.ts';
import { inSavepoint, turnsOf } from './savepoint.ts';

const NOT_IN_A_TRANSACTION = '25P01';

/**
 * A host's open transaction as an executor of its own: each of its transactions, and each statement outside of one, is a
 * savepoint, so that an error leaves the host's transaction as it was.
 */
export function joinedExecutor(executor: SqlExecutor, name: string): SqlExecutor {
  const exclusive = turnsOf(executor);
  async function transaction<T>(body: (connection: SqlConnection) => Promise<T>): Promise<T> {
    return exclusive(async () => {
      try {
        return await inSavepoint(executor, 'caelus', body);
      } catch (error) {
        throw sqlStateOf(error) === NOT_IN_A_TRANSACTION ? transactionMissing(name) : error;
      }
    });
  }
  return {
    dialect: executor.dialect,
    transaction,
    query: (sql, parameters) => transaction((connection) => connection.query(sql, parameters)),
  };
}

function transactionMissing(what: string): CaelusError {
  return new CaelusError({
    code: 'SQL_TRANSACTION_MISSING',
    message:
      'The executor has no open transaction to join. Pass the transaction itself, not the pool or database it came from.',
    details: { what },
  });
}
