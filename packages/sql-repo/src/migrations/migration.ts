import { createHash } from 'node:crypto';

/** One step of the schema. */
export interface Migration {
  /** 1, 2, 3 and so on, without gaps. */
  readonly version: number;
  readonly name: string;
  /** Run one by one in a transaction that other migrations share. Without parameters. */
  readonly statements: readonly string[];
}

/** Remembers which migrations were applied, and with which statements. */
export const MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS migration (
  version INTEGER NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  checksum TEXT NOT NULL,
  applied_at TEXT NOT NULL
) STRICT`;

/** SHA-256 of a migration's statements, in hexadecimal. */
export function migrationChecksum({ statements }: Migration): string {
  return createHash('sha256').update(statements.join(';\n')).digest('hex');
}
