import { createHash } from 'node:crypto';
import type { SqlSession } from '../sql-session.ts';

/** One step of the schema. */
export interface Migration {
  /** 1, 2, 3 and so on, without gaps. */
  readonly version: number;
  readonly name: string;
  /** Run one by one in a transaction that other migrations share. Without parameters. */
  readonly up: readonly string[];
  /** Undoes `up`. */
  readonly down: readonly string[];
  /** What `down` loses that was not there before `up`: tables, and columns of tables that stay. For those who have to decide. */
  readonly loses: readonly string[];
}

/**
 * Functions and triggers. They are not changed by further steps but written anew as a whole, so that what a database runs
 * can be read in one place.
 */
export interface RepeatableMigration {
  /** Never changes. */
  readonly name: string;
  /** 1, and one more with each release that changes `up`: an older package does not put its own back beside a newer one. */
  readonly revision: number;
  /** Can be run again over what an earlier revision has left. */
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/**
 * The migrations of one schema, in the order in which they are run: all that are pending, then the repeatable ones. These are run
 * again after every migration, so a migration that one of them would hinder may drop it.
 */
export interface MigrationPlan {
  readonly migrations: readonly Migration[];
  readonly repeatables: readonly RepeatableMigration[];
  /** Begins the transaction: others that start meanwhile wait, and those who wait for a table give up in time. */
  readonly begin: readonly string[];
  /** Refuses a place that is another application's. Runs before anything is made. */
  assertOurs(session: SqlSession): Promise<void>;
  /** Makes what is not there yet: the place, and the tables {@link MigrationRecords} are kept in. */
  readonly create: readonly string[];
  /** Undoes `create`, once nothing is applied any more. */
  readonly drop: readonly string[];
  /** Gives a row where the records are there. */
  readonly recordsQuery: string;
}

/** What a database says was applied to it. */
export interface MigrationRecords {
  /** Checksums by version. */
  readonly versions: ReadonlyMap<number, string>;
  readonly repeatables: ReadonlyMap<string, { readonly revision: number; readonly checksum: string }>;
}

/** SHA-256 of what is run, in hexadecimal. */
export function migrationChecksum({ up }: Pick<Migration, 'up'>): string {
  return createHash('sha256').update(up.join(';\n')).digest('hex');
}
