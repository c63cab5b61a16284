import { createHash } from 'node:crypto';
import type { SqlSession } from '../sql-session.ts';

/** One step of the schema. */
export interface Migration {
  /** 1, 2, 3 and so on, without gaps. */
  readonly version: number;
  readonly name: string;
  /** Run one by one in a transaction that other migrations share. Without parameters. */
  readonly statements: readonly string[];
}

/** The migrations of one dialect, and how they are recorded there. */
export interface MigrationPlan {
  readonly migrations: readonly Migration[];
  /** Remembers which migrations were applied, and with which statements. */
  readonly table: string;
  /** Gives a row where that table is there. */
  readonly tableQuery: string;
  /** Runs first in the transaction that migrates: others that start meanwhile wait. */
  prepare(session: SqlSession): Promise<void>;
}

/** SHA-256 of a migration's statements, in hexadecimal. */
export function migrationChecksum({ statements }: Migration): string {
  return createHash('sha256').update(statements.join(';\n')).digest('hex');
}
